import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/domain/entities/caller.ts';
import type { ListPosition, ScheduleFilter, ScheduleSort } from '../../../src/domain/ports/schedule-repository.ts';
import { scheduleInput } from '../../support/scheduling.ts';
import { newCaller, openWorkbench, type Workbench } from './workbench.ts';

let bench: Workbench;
let caller: Caller;
const NAMES = ['alpha', 'Beta', 'delta 100%', 'delta_2', 'epsilon', 'gamma', 'gamma', 'omega\\'];
const NO_FILTER: ScheduleFilter = { organizationId: null };

beforeAll(async () => {
  bench = await openWorkbench();
  caller = newCaller();
  for (const [index, name] of NAMES.entries()) {
    // Two schedules fire at the same instant, two are paused and have no next fire.
    const startAt = new Date(Date.UTC(2090, 0, 1, 0, 0, index === 3 ? 2 : index));
    const { schedule } = await bench.scheduling.create(
      caller,
      scheduleInput({
        name,
        key: index % 2 === 0 ? `key:${index}` : null,
        labels: { team: index < 3 ? 'billing' : 'ops', n: `${index}` },
        enabled: index !== 1 && index !== 4,
        trigger: index === 5 ? { type: 'FIXED_DELAY', delaySec: 60 } : { type: 'CRON', cron: '* * * * * *' },
        startAt,
        target: index === 0 ? { kind: 'EVENT', eventTopic: 'a.b' } : { kind: 'QUEUE', queue: { topic: 'a.b' } },
      }),
    );
    // Made within the same millisecond, as far as the list can tell.
    if (index >= 6) await bench.engine`update schedules set created_at = '2090-01-01' where id = ${schedule.state.id}`;
  }
});
afterAll(() => bench.close());

async function all(sort: ScheduleSort, limit: number): Promise<readonly string[]> {
  const names: string[] = [];
  let after: ListPosition | undefined;
  do {
    const page = await bench.scheduling.list(caller, { filter: NO_FILTER, sort, limit, after });
    names.push(...page.items.map(({ state }) => `${state.labels['n']}`));
    after = page.next ?? undefined;
  } while (after !== undefined);
  return names;
}

async function names(filter: Partial<ScheduleFilter>): Promise<readonly string[]> {
  const page = await bench.scheduling.list(caller, {
    filter: { ...NO_FILTER, ...filter },
    sort: 'createdAt',
    limit: 50,
  });
  return page.items.map(({ state }) => state.name);
}

describe('a list of schedules', () => {
  test.each(['createdAt', '-createdAt', 'name', '-name', 'nextFireAt', '-nextFireAt'] as const)(
    'by %s is the same in pages of every size',
    async (sort) => {
      const whole = await all(sort, 200);
      expect(whole.toSorted()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
      for (const limit of [1, 2, 3, 7, 8]) expect(await all(sort, limit)).toEqual(whole);
    },
  );

  test('by creation is oldest first, or newest first', async () => {
    expect((await all('createdAt', 3)).slice(0, 6)).toEqual(['0', '1', '2', '3', '4', '5']);
    expect((await all('-createdAt', 3)).slice(-6)).toEqual(['5', '4', '3', '2', '1', '0']);
  });

  test('by next fire has what does not fire last, in both directions', async () => {
    const [up, down] = [await all('nextFireAt', 3), await all('-nextFireAt', 3)];
    expect([up[0], new Set(up.slice(-2))]).toEqual(['0', new Set(['1', '4'])]);
    expect([down[0], new Set(down.slice(-2))]).toEqual(['7', new Set(['1', '4'])]);
  });

  test('by page has a total, and pages past the end are empty', async () => {
    const page = async (offset: number) =>
      bench.scheduling.list(caller, { filter: NO_FILTER, sort: 'name', limit: 3, offset });
    const pages = [await page(0), await page(3), await page(6), await page(9)];
    expect(pages.map(({ items, total }) => [items.length, total])).toEqual([
      [3, 8],
      [3, 8],
      [2, 8],
      [0, 8],
    ]);
  });

  test('never has more than 200 on a page', async () => {
    const many = newCaller();
    const one = scheduleInput({ target: { kind: 'EVENT', eventTopic: 'a.b' } });
    for (let made = 0; made < 210; made += 10)
      await Promise.all(Array.from({ length: 10 }, () => bench.scheduling.create(many, one)));
    const page = await bench.scheduling.list(many, { filter: NO_FILTER, sort: 'createdAt', limit: 100_000 });
    expect([page.items.length, page.next === null]).toEqual([200, false]);
  });

  test('holds each schedule with its timer, as reading it alone does', async () => {
    const { items } = await bench.scheduling.list(caller, { filter: NO_FILTER, sort: 'name', limit: 50 });
    for (const item of items) expect(item).toEqual(await bench.scheduling.get(caller, item.state.id));
  });
});

describe('a filter', () => {
  test('by text finds part of a name or key, any case, and takes wildcards literally', async () => {
    expect(await names({ q: 'ALPHA' })).toEqual(['alpha']);
    expect(await names({ q: 'key:2' })).toEqual(['delta 100%']);
    expect(await names({ q: '%' })).toEqual(['delta 100%']);
    expect(await names({ q: '_' })).toEqual(['delta_2']);
    expect(await names({ q: '\\' })).toEqual(['omega\\']);
    expect(await names({ q: '' })).toHaveLength(8);
  });

  test('by state, label, kinds and due time', async () => {
    expect(await names({ state: 'PAUSED' })).toEqual(['Beta', 'epsilon']);
    expect(await names({ label: { key: 'team', value: 'billing' } })).toEqual(['alpha', 'Beta', 'delta 100%']);
    expect(await names({ label: { key: 'team', value: 'bill' } })).toEqual([]);
    expect(await names({ targetKind: 'EVENT' })).toEqual(['alpha']);
    expect(await names({ triggerType: 'FIXED_DELAY' })).toEqual(['gamma']);
    expect(await names({ dueBefore: Date.UTC(2090, 0, 1, 0, 0, 2) })).toEqual(['alpha']);
    expect(
      await names({ state: 'ACTIVE', label: { key: 'team', value: 'ops' }, triggerType: 'CRON', q: 'a' }),
    ).toHaveLength(3);
  });

  test('counts in the total too', async () => {
    const page = await bench.scheduling.list(caller, {
      filter: { ...NO_FILTER, state: 'PAUSED' },
      sort: 'name',
      limit: 1,
      offset: 0,
    });
    expect([page.items.length, page.total]).toEqual([1, 2]);
  });
});
