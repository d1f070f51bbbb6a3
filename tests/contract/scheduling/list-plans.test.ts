import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/domain/entities/caller.ts';
import type { ListPosition, ScheduleFilter, ScheduleQuery } from '../../../src/domain/ports/schedule-repository.ts';
import { schedulePage } from '../../../src/infra/repo/schedule-page.ts';
import { type Explained, explained, vacuumAnalyze } from './plans.ts';
import { newCaller, openWorkbench, type Workbench } from './workbench.ts';

/*
 * Which indexes the lists of schedules go along, out of several thousand in two tenants, and that no list reads or sorts them all.
 * Of each hundred of ours one is PAUSED, one waits for its run, one belongs to an organization.
 */

const COUNT = 8000;
const NO_FILTER: ScheduleFilter = { organizationId: null };
const DUE = Date.UTC(2090, 0, 1);

let bench: Workbench;
let caller: Caller;

beforeAll(async () => {
  bench = await openWorkbench();
  caller = newCaller();
  for (const tenantId of [caller.tenantId, newCaller().tenantId]) await fill(tenantId);
  await vacuumAnalyze(bench, 'schedules', 'timers');
});
afterAll(() => bench.close());

async function fill(tenantId: string): Promise<void> {
  await bench.engine`
    with made as materialized (
      select i, i % 100 as hundredth, gen_random_uuid() as id, '2026-01-01'::timestamptz + i * interval '1 second' as at,
             ${new Date(DUE)}::timestamptz + (i * 7919 % ${COUNT}::int) * interval '1 minute' as due
      from generate_series(1, ${COUNT}::int) i
    ), timed as (
      insert into timers (schedule_id, tenant_id, next_due, slot, cursor, version)
      select id, ${tenantId}, case when hundredth = 2 then 'infinity' else due end, due, at, 1 from made where hundredth <> 1
    )
    insert into schedules (tenant_id, id, name, labels, scope, organization_id, tz, trigger, target, dst, overlap_policy, misfire, retry, timeout_sec,
                           on_completion, state, pause, version, definition_version, created_at, updated_at, created_by)
    select ${tenantId}, id, 'schedule ' || i, '{}', case when hundredth = 4 then 'ORGANIZATION' else 'TENANT' end,
           case when hundredth = 4 then 'acme' end, 'UTC', '{"type":"CRON","cron":"0 9 * * *"}', '{"kind":"EVENT","eventTopic":"a.b"}', '{}', 'SKIP', '{}', '{}', 30,
           'KEEP', case when hundredth = 1 then 'PAUSED' else 'ACTIVE' end, case when hundredth = 1 then '{}'::jsonb end, 1, 1, at, at, 'test' from made`;
}

function plansOf(query: Partial<ScheduleQuery>): Promise<Explained> {
  const whole = { filter: NO_FILTER, sort: 'createdAt', limit: 50, ...query } as const;
  return explained(bench, caller.tenantId, (tx) => schedulePage(tx, caller.tenantId, whole));
}

const inTheMiddle = '0198c5b2-7a31-7c44-9d0e-2f6b8a1c3e55';
const places: Readonly<Record<string, ListPosition>> = {
  createdAt: { value: Date.UTC(2026, 0, 1, 1), id: inTheMiddle },
  name: { value: 'schedule 5', id: inTheMiddle },
  nextFireAt: { value: DUE + 360_000_000, id: inTheMiddle },
};

describe('a list of schedules by cursor', () => {
  test.each([
    ['createdAt', ['schedules_page']],
    ['-createdAt', ['schedules_page']],
    ['name', ['schedules_by_name']],
    ['-name', ['schedules_by_name']],
    ['nextFireAt', ['schedules_id_pk', 'timers_due']],
    ['-nextFireAt', ['schedules_id_pk', 'timers_due']],
  ] as const)('by %s goes along %j, from its beginning and from the middle', async (sort, expected) => {
    for (const after of [undefined, places[sort.replace('-', '')]]) {
      const { steps, indexes } = await plansOf({ sort, after });
      expect([...indexes].filter((name) => name !== 'timers_pkey').toSorted()).toEqual(expected);
      expect(steps).not.toContain('Seq Scan');
      expect(steps).not.toContain('Sort');
    }
  });

  test('of what does not fire goes along schedules_stopped and timers_due', async () => {
    const { steps, indexes } = await plansOf({ sort: 'nextFireAt', after: { value: null, id: inTheMiddle } });
    expect(indexes).toContain('schedules_stopped');
    expect(indexes).toContain('timers_due');
    expect(steps).not.toContain('Seq Scan');
  });

  test.each([
    ['state', { state: 'PAUSED' }, 'schedules_stopped'],
    ['organization', { organizationId: 'acme' }, 'schedules_organization'],
    ['due time', { dueBefore: DUE + 600_000 }, 'timers_due'],
  ] as const)('that few pass finds them by the index of the %s', async (_name, filter, expected) => {
    for (const sort of ['createdAt', 'name', '-nextFireAt'] as const) {
      const { steps, indexes } = await plansOf({ sort, filter: { ...NO_FILTER, ...filter } });
      expect(indexes).toContain(expected);
      expect(steps).not.toContain('Seq Scan');
    }
  });
});

describe('a filter that no index knows', () => {
  test('looks at a thousand schedules a page and goes on from there, until it has found all', async () => {
    for (const sort of ['createdAt', '-name', 'nextFireAt'] as const) {
      const found: string[] = [];
      let after: ListPosition | undefined;
      let pages = 0;
      do {
        const query = { filter: { ...NO_FILTER, q: 'LE 777' }, sort, limit: 50, after };
        const page = await bench.scheduling.list(caller, query);
        found.push(...page.items.map(({ state }) => state.name));
        after = page.next ?? undefined;
        pages += 1;
      } while (after !== undefined);
      const expected = [777, ...Array.from({ length: 10 }, (_, last) => 7770 + last)].map((n) => `schedule ${n}`);
      expect(found.toSorted()).toEqual(expected.toSorted());
      expect(pages).toBe(sort === 'nextFireAt' ? 8 : 9);
    }
  });

  test('looks at all that an index found for another filter', async () => {
    const filter = { ...NO_FILTER, q: '01', state: 'PAUSED' as const };
    const page = await bench.scheduling.list(caller, { filter, sort: 'name', limit: 200 });
    expect([page.items.length, page.next]).toEqual([79, null]);
  });
});
