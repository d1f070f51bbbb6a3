import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/domain/entities/caller.ts';
import type { RunKey, TenantId } from '../../../src/domain/ids.ts';
import { asScheduleId } from '../../../src/domain/ids.ts';
import type { RunQuery } from '../../../src/domain/ports/run-repository.ts';
import { DrizzleRunRepository } from '../../../src/infra/repo/drizzle-run-repository.ts';
import { type Explained, explained, vacuumAnalyze } from './plans.ts';
import { newCaller, openWorkbench, type Workbench } from './workbench.ts';

/*
 * Lists of runs over four days of two tenants: a run each six seconds, one slot that 5,000 schedules share, one that all share. Of each thousand
 * runs one is DEAD, one MANUAL; of each hundred schedules one belongs to an organization, one is deleted.
 */

const SCHEDULES = 12_000;
const DAY = 86_400_000;
const FIRST_DAY = Date.UTC(2026, 2, 2);
const SPREAD = 4 * 14_400;
const LARGE_SLOT = FIRST_DAY + DAY + DAY / 2 + 500;
const HERD_SLOT = FIRST_DAY + 2 * DAY + DAY / 2 + 500;
/** Of a herd a page looks at 6,000 places of an index, 5,000 schedules, their runs, and where they end; else it is far less. */
const MOST_LOOKED_AT = 21_100;

let bench: Workbench;
let caller: Caller;

beforeAll(async () => {
  bench = await openWorkbench();
  caller = newCaller();
  for (const day of [0, 1, 2, 3])
    await bench.engine`select make_run_partition(${new Date(FIRST_DAY + day * DAY)}::date)`;
  for (const { tenantId } of [caller, newCaller()]) await fill(tenantId);
  await vacuumAnalyze(bench, 'schedules', 'runs');
});
afterAll(() => bench.close());

async function fill(tenantId: TenantId): Promise<void> {
  await bench.engine`
    insert into schedules (tenant_id, id, name, labels, scope, organization_id, tz, trigger, target, dst, overlap_policy, misfire, retry, timeout_sec,
                           on_completion, state, pause, version, definition_version, created_at, updated_at, created_by, deleted_at)
    select ${tenantId}, gen_random_uuid(), 'schedule ' || i, '{}', 'TENANT', case when i % 100 = 4 then 'acme' end, 'UTC', '{}', '{}', '{}', 'SKIP', '{}', '{}', 30,
           'KEEP', 'ACTIVE', null, 1, 1, now(), now(), 'test', case when i % 100 = 5 then now() end
    from generate_series(1, ${SCHEDULES}::int) i`;
  const large = new Date(LARGE_SLOT);
  await bench.engine`
    with numbered as materialized (
      select id, row_number() over (order by name) as i from schedules where tenant_id = ${tenantId}
    ), slots as (
      select n.id, ${new Date(FIRST_DAY)}::timestamptz + m * interval '6 seconds' as slot, m from generate_series(0, ${SPREAD - 1}::int) m join numbered n on n.i = m % 500 + 1
      union all select id, ${large}, i from numbered where i <= 5000
      union all select id, ${new Date(HERD_SLOT)}, i from numbered
    )
    insert into runs (schedule_id, slot, space, tenant_id, version, state, reason, cause, due, ended_at)
    select id, slot, 0, ${tenantId}, 1, case when m % 1000 = 7 then 'DEAD' else 'SUCCEEDED' end, case when m % 1000 = 7 then 'REFUSED' end,
           case when m % 1000 = 8 then 'MANUAL' else 'SCHEDULE' end, slot, slot from slots`;
}

/** The keys of all pages of a list, one after the other, and how many pages there were. */
async function listed(query: Partial<RunQuery>): Promise<{ readonly keys: readonly string[]; readonly pages: number }> {
  const keys: string[] = [];
  let pages = 0;
  let after: RunKey | undefined;
  do {
    const page = await bench.runs.list(caller, { organizationId: null, limit: 200, ...query, after });
    expect(page.items.length).toBeLessThanOrEqual(query.limit ?? 200);
    keys.push(...page.items.map(({ slot, scheduleId, space }) => `${slot} ${scheduleId} ${space}`));
    after = page.next ?? undefined;
    pages += 1;
  } while (after !== undefined);
  return { keys, pages };
}

/** What a list must hold, in its order. */
async function expected(where: string): Promise<readonly string[]> {
  const rows = await bench.engine.unsafe<{ key: string }[]>(
    `select (date_part('epoch', r.slot) * 1000)::bigint || ' ' || r.schedule_id || ' ' || r.space as key from runs r join schedules s on s.id = r.schedule_id
     where r.tenant_id = $1 and ${where} order by r.slot desc, r.schedule_id, r.space`,
    [caller.tenantId],
  );
  return rows.map(({ key }) => key);
}

async function someSchedule(where: string): Promise<string> {
  const [row] = await bench.engine.unsafe<{ id: string }[]>(
    `select schedule_id as id from runs where tenant_id = $1 and ${where} order by slot limit 1`,
    [caller.tenantId],
  );
  return row?.id ?? '';
}

describe('all pages of a list of runs together', () => {
  test.each([
    ['nothing', {}, 'true', 400],
    ['SUCCEEDED', { state: 'SUCCEEDED' }, "r.state = 'SUCCEEDED'", 400],
    ['DEAD', { state: 'DEAD' }, "r.state = 'DEAD'", 1],
    ['MANUAL', { cause: 'MANUAL' }, "cause = 'MANUAL'", 1],
    ['DEAD and SCHEDULE', { state: 'DEAD', cause: 'SCHEDULE' }, "r.state = 'DEAD'", 1],
    ['an organization', { organizationId: 'acme' }, "organization_id = 'acme'", 20],
    ['slots before the herd', { to: HERD_SLOT }, `r.slot < '${new Date(HERD_SLOT).toISOString()}'`, 220],
    ['slots from the herd on', { from: HERD_SLOT }, `r.slot >= '${new Date(HERD_SLOT).toISOString()}'`, 180],
  ] as const)('hold every run once, in order, asked for %s', async (_name, query, where, most) => {
    const { keys, pages } = await listed(query);
    expect(keys).toEqual(await expected(where));
    expect(pages).toBeLessThanOrEqual(most);
  });

  test('hold every run of a schedule, with and without a state', async () => {
    const id = await someSchedule("state = 'DEAD'");
    const scheduleId = asScheduleId(id) ?? undefined;
    expect((await listed({ scheduleId, limit: 7 })).keys).toEqual(await expected(`r.schedule_id = '${id}'`));
    const dead = await listed({ scheduleId, state: 'DEAD' });
    expect(dead).toEqual({ keys: await expected(`r.schedule_id = '${id}' and r.state = 'DEAD'`), pages: 1 });
  });

  test('hold the runs of one slot once, be they sorted or found by schedule', async () => {
    for (const slot of [LARGE_SLOT, HERD_SLOT]) {
      const { keys } = await listed({ from: slot, to: slot + 1, limit: 199 });
      expect(keys).toEqual(await expected(`r.slot = '${new Date(slot).toISOString()}'`));
    }
  });

  test('hold what came to a slot behind the place where a page ended, also where it became a herd by that', async () => {
    const query = { organizationId: null, from: LARGE_SLOT, to: LARGE_SLOT + 1 };
    const first = await bench.runs.list(caller, { ...query, limit: 50 });
    await bench.engine`
      insert into runs (schedule_id, slot, space, tenant_id, version, state, cause, due, ended_at)
      select schedule_id, ${new Date(LARGE_SLOT)}, 1, tenant_id, 1, 'SUCCEEDED', 'BACKFILL', slot, slot from runs
      where tenant_id = ${caller.tenantId} and slot = ${new Date(HERD_SLOT)} limit 1000`;
    const rest: string[] = [];
    for (let after = first.next; after !== null; ) {
      const page = await bench.runs.list(caller, { ...query, limit: 200, after });
      rest.push(...page.items.map(({ slot, scheduleId, space }) => `${slot} ${scheduleId} ${space}`));
      after = page.next;
    }
    const { scheduleId, space } = first.items.at(-1) ?? { scheduleId: '', space: 0 };
    const where = `r.slot = '${new Date(LARGE_SLOT).toISOString()}' and (r.schedule_id, r.space) > ('${scheduleId}', ${space})`;
    expect(rest).toEqual(await expected(where));
    await bench.engine`delete from runs where tenant_id = ${caller.tenantId} and space = 1`;
  });
});

describe('a page of a list of runs', () => {
  const inTheHerd = asScheduleId('7fffffff-7a31-7c44-9d0e-2f6b8a1c3e55');
  const places = [
    undefined,
    ...[HERD_SLOT, LARGE_SLOT, FIRST_DAY + 60_000 * 700].map((slot) =>
      inTheHerd === null ? undefined : { scheduleId: inTheHerd, slot, space: 0 },
    ),
  ];

  function plansOf(query: Partial<RunQuery>): Promise<Explained> {
    const whole = { organizationId: null, limit: 50, ...query };
    return explained(bench, caller.tenantId, (tx) => new DrizzleRunRepository(tx, caller.tenantId).page(whole));
  }

  test.each([
    ['nothing', {}],
    ['a state that nearly all have', { state: 'SUCCEEDED' }],
    ['a state that none has', { state: 'CANCELLED' }],
    ['a cause that none has', { cause: 'WORKFLOW' }],
    ['an organization', { organizationId: 'acme' }],
    ['an organization that has nothing', { organizationId: 'none' }],
    ['dead ones', { state: 'DEAD' }],
  ] as const)('asked for %s looks at a bounded number of rows, from anywhere on', async (_name, query) => {
    for (const after of places) {
      const { steps, looked } = await plansOf({ ...query, after });
      expect(steps).not.toContain('Seq Scan');
      expect(looked).toBeLessThanOrEqual(MOST_LOOKED_AT);
    }
  });

  test('goes along runs_page, along schedules_of_tenant in a herd', async () => {
    const [, inHerd, , minutes] = places;
    const calm = await plansOf({ after: minutes });
    expect([...calm.indexes]).toEqual(['runs: tenant_id_slot_idx']);
    expect(calm.looked).toBeLessThan(2 * 1001 + 1);
    const herd = await plansOf({ after: inHerd });
    expect(herd.indexes).toContain('schedules_of_tenant');
    expect(herd.steps).not.toContain('Sort');
    expect(herd.looked).toBeLessThan(6500);
  });

  test('of what nearly all are not goes along an index of its own, of a schedule along the primary key', async () => {
    const rare = async (query: Partial<RunQuery>) => [...(await plansOf(query)).indexes];
    expect(await rare({ state: 'DEAD' })).toEqual(['runs: tenant_id_slot_idx1']);
    expect(await rare({ state: 'CANCELLED' })).toEqual(['runs: tenant_id_state_slot_idx']);
    expect(await rare({ cause: 'MANUAL' })).toEqual(['runs: tenant_id_cause_slot_idx']);
    const scheduleId = asScheduleId(await someSchedule('true')) ?? undefined;
    const { indexes, looked } = await plansOf({ scheduleId, state: 'SUCCEEDED' });
    expect([...indexes]).toEqual(['runs: pkey']);
    expect(looked).toBeLessThan(500);
  });
});
