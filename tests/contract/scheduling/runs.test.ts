import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/domain/entities/caller.ts';
import type { RunRow } from '../../../src/domain/entities/run.ts';
import type { ScheduleEntity, ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import { BACKFILL_SPACE, type RunKey, SLOT_SPACE } from '../../../src/domain/ids.ts';
import { scheduleInput } from '../../support/scheduling.ts';
import {
  claimSlot,
  codeOf,
  keyOf,
  killRun,
  newCaller,
  openWorkbench,
  runsOf,
  type Workbench,
  within,
} from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const HTTP = { kind: 'HTTP', http: { url: 'https://example.com/hook', method: 'POST', headers: {} } } as const;

async function created(caller: Caller, given: Partial<ScheduleInput> = {}): Promise<ScheduleEntity> {
  const { schedule } = await bench.scheduling.create(caller, scheduleInput({ target: HTTP, ...given }));
  return schedule;
}

async function triggered(caller: Caller, payload?: string): Promise<RunRow> {
  const { state } = await created(caller);
  return bench.scheduling.trigger(caller, state.id, payload);
}

/** The schedule's pending slot as the engine claims it: its timer waits for this run to end. */
async function slotInFlight({ state, timer }: ScheduleEntity): Promise<RunKey> {
  const key = { scheduleId: state.id, slot: timer.slot, space: SLOT_SPACE };
  await bench.engine`update timers set next_due = 'infinity', cursor = slot, last_fired = slot, fires = fires + 1 where schedule_id = ${state.id}`;
  await claimSlot(bench.engine, key);
  return key;
}

describe('a manual run', () => {
  test('waits in the live lane from now on, and wakes the engines', async () => {
    const caller = newCaller();
    const { state } = await created(caller);
    const run = await bench.scheduling.trigger(caller, state.id, { n: 1 });
    expect(run).toMatchObject({ state: 'PENDING', cause: 'MANUAL', payload: { n: 1 }, version: 1, attempts: [] });
    expect(await bench.runs.get(caller, run)).toEqual(run);
    expect(await runsOf(bench.engine, state.id)).toMatchObject([{ state: 'PENDING', lane: 0, waits: true }]);
    expect(bench.rung.at(-1)).toBe(run.due.getTime());
  });

  test('is not the one of the same instant beside it', async () => {
    const caller = newCaller();
    const { state } = await created(caller);
    const runs = await Promise.all(
      Array.from({ length: 20 }, () => bench.scheduling.trigger(caller, state.id, undefined)),
    );
    expect(new Set(runs.map(({ slot, space }) => `${slot}.${space}`)).size).toBe(20);
    expect(runs.every(({ space }) => space !== SLOT_SPACE && space !== BACKFILL_SPACE)).toBe(true);
  });

  test('works for a paused and for a completed schedule, and leaves their state alone', async () => {
    const caller = newCaller();
    const paused = await created(caller, { enabled: false });
    const completed = await created(caller, { trigger: { type: 'ONE_SHOT', startAt: '2090-01-01T00:00:00Z' } });
    await bench.engine`delete from timers where schedule_id = ${completed.state.id}`;
    await bench.engine`update schedules set state = 'COMPLETED' where id = ${completed.state.id}`;
    for (const { state } of [paused, completed]) await bench.scheduling.trigger(caller, state.id, undefined);
    expect((await bench.scheduling.get(caller, completed.state.id)).state.state).toBe('COMPLETED');
    expect((await bench.scheduling.get(caller, paused.state.id)).state.state).toBe('PAUSED');
  });
});

describe('a slot in flight without a row', () => {
  test('is shown as RUNNING', async () => {
    const caller = newCaller();
    const schedule = await created(caller);
    const key = await slotInFlight(schedule);
    expect(await bench.runs.get(caller, key)).toEqual({
      ...key,
      tenantId: caller.tenantId,
      version: 1,
      state: 'RUNNING',
      reason: null,
      cause: 'SCHEDULE',
      range: null,
      attempts: [],
      payload: undefined,
      due: new Date(key.slot),
      startedAt: null,
      endedAt: null,
      nextAttemptAt: null,
    });
  });

  test('is unknown when no claim names it, and to others', async () => {
    const caller = newCaller();
    const schedule = await created(caller, { scope: 'ORGANIZATION', organizationId: 'north' });
    const key = await slotInFlight(schedule);
    const asked = [
      bench.runs.get(within(caller, 'north'), key),
      bench.runs.get(caller, { ...key, slot: key.slot + 1000 }),
      bench.runs.get(newCaller(), key),
      bench.runs.get(within(caller, 'south'), key),
    ];
    expect(await Promise.all(asked.map(codeOf))).toEqual([null, 'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND']);
  });
});

describe('retrying', () => {
  test('a dead run puts it back with its attempts, in the redrive lane', async () => {
    const caller = newCaller();
    const run = await triggered(caller, 'own');
    await killRun(bench.engine, run);
    const dead = await bench.runs.get(caller, run);
    const retried = await bench.runs.retry(caller, keyOf(run));
    expect(dead).toMatchObject({ state: 'DEAD', reason: 'EXHAUSTED' });
    expect(retried).toEqual({
      ...dead,
      state: 'PENDING',
      reason: null,
      endedAt: null,
      nextAttemptAt: expect.any(Date),
    });
    expect(await runsOf(bench.engine, run.scheduleId)).toMatchObject([{ state: 'PENDING', lane: 3, waits: true }]);
    expect(bench.rung.at(-1)).toBe(retried.nextAttemptAt?.getTime());
  });

  test('a retrying run makes it due now, in the lane it has', async () => {
    const caller = newCaller();
    const run = await triggered(caller);
    await bench.engine`update runs set state = 'RETRYING', reason = 'BREAKER', next_attempt_at = now() + interval '1 hour' where schedule_id = ${run.scheduleId}`;
    await bench.engine`update retries set lane = 1, next_due = now() + interval '1 hour' where schedule_id = ${run.scheduleId}`;
    const retried = await bench.runs.retry(caller, keyOf(run));
    expect(retried).toMatchObject({ state: 'RETRYING', reason: null });
    expect(await runsOf(bench.engine, run.scheduleId)).toMatchObject([
      { state: 'RETRYING', reason: null, lane: 1, waits: true },
    ]);
  });

  test('any other run is a conflict, and what waits goes on waiting', async () => {
    const caller = newCaller();
    const run = await triggered(caller);
    await bench.engine`update retries set next_due = 'infinity' where schedule_id = ${run.scheduleId}`;
    expect(await codeOf(bench.runs.retry(caller, keyOf(run)))).toBe('CONFLICT');
    expect(await runsOf(bench.engine, run.scheduleId)).toMatchObject([{ state: 'PENDING', waits: false }]);
    await bench.runs.cancel(caller, keyOf(run));
    expect(await codeOf(bench.runs.retry(caller, keyOf(run)))).toBe('CONFLICT');
  });

  test('twice at once puts the run back once', async () => {
    const caller = newCaller();
    const run = await triggered(caller);
    await killRun(bench.engine, run);
    const codes = await Promise.all([1, 2, 3].map(() => codeOf(bench.runs.retry(caller, keyOf(run)))));
    expect(codes.filter((code) => code === null)).toHaveLength(1);
    expect(codes.filter((code) => code === 'CONFLICT')).toHaveLength(2);
  });

  test('a run of a deleted schedule is a conflict', async () => {
    const caller = newCaller();
    const run = await triggered(caller);
    await killRun(bench.engine, run);
    await bench.scheduling.remove(caller, run.scheduleId, null);
    expect(await codeOf(bench.runs.retry(caller, keyOf(run)))).toBe('CONFLICT');
  });
});

describe('cancelling', () => {
  test('a waiting run ends it, once', async () => {
    const caller = newCaller();
    const run = await triggered(caller);
    const cancelled = await bench.runs.cancel(caller, keyOf(run));
    expect(cancelled).toEqual({ ...run, state: 'CANCELLED', reason: 'BY_USER', endedAt: expect.any(Date) });
    expect(await runsOf(bench.engine, run.scheduleId)).toMatchObject([{ state: 'CANCELLED', lane: null }]);
    expect(await codeOf(bench.runs.cancel(caller, keyOf(run)))).toBe('CONFLICT');
  });

  test('a slot in flight without a row writes its final row', async () => {
    const caller = newCaller();
    const key = await slotInFlight(await created(caller));
    await bench.runs.cancel(caller, key);
    expect(await runsOf(bench.engine, key.scheduleId)).toMatchObject([
      { state: 'CANCELLED', reason: 'BY_USER', space: 0, cause: 'SCHEDULE' },
    ]);
    expect(await bench.runs.get(caller, key)).toMatchObject({ state: 'CANCELLED' });
  });

  test('a running row releases its claim', async () => {
    const caller = newCaller();
    const run = await triggered(caller);
    await bench.engine`delete from retries where schedule_id = ${run.scheduleId}`;
    await bench.engine`update runs set state = 'RUNNING', claim_id = gen_random_uuid(), started_at = now() where schedule_id = ${run.scheduleId}`;
    expect(await bench.runs.cancel(caller, keyOf(run))).toMatchObject({
      state: 'CANCELLED',
      startedAt: expect.any(Date),
    });
  });

  test('the run of a FIXED_DELAY chain lets the chain go on, and wakes the engines for it', async () => {
    const caller = newCaller();
    const schedule = await created(caller, { trigger: { type: 'FIXED_DELAY', delaySec: 60 } });
    const key = await slotInFlight(schedule);
    const cancelled = await bench.runs.cancel(caller, key);
    const { timer } = await bench.scheduling.get(caller, key.scheduleId);
    // The slot was claimed ahead of its time here, so the chain counts from the slot.
    expect(timer.due).toBe(Math.max(cancelled.endedAt?.getTime() ?? 0, key.slot) + 60_000);
    expect(bench.rung.at(-1)).toBe(timer.due);
  });

  test('the last run completes its schedule', async () => {
    const caller = newCaller();
    const schedule = await created(caller, { trigger: { type: 'ONE_SHOT', startAt: '2090-01-01T00:00:00Z' } });
    const key = await slotInFlight(schedule);
    await bench.runs.cancel(caller, key);
    const { state, timer } = await bench.scheduling.get(caller, key.scheduleId);
    expect([state.state, timer.fires]).toEqual(['COMPLETED', 1]);
  });

  test('an unknown run, or another organization’s, is not found', async () => {
    const caller = newCaller();
    const schedule = await created(caller, { scope: 'ORGANIZATION', organizationId: 'north' });
    const run = await bench.scheduling.trigger(caller, schedule.state.id, undefined);
    const south = within(caller, 'south');
    const asked = [
      bench.runs.cancel(south, keyOf(run)),
      bench.runs.retry(south, keyOf(run)),
      bench.runs.get(south, keyOf(run)),
      bench.runs.cancel(newCaller(), keyOf(run)),
      bench.runs.cancel(caller, { ...keyOf(run), space: 77 }),
    ];
    expect(await Promise.all(asked.map(codeOf))).toEqual(Array(5).fill('NOT_FOUND'));
    expect(await codeOf(bench.runs.cancel(within(caller, 'north'), keyOf(run)))).toBeNull();
  });
});

describe('the reason of a run', () => {
  const DAY_TO_COME = new Date(Date.UTC(2089, 5, 1, 12));

  test.each([
    ['RETRYING', null, true],
    ['RETRYING', 'BREAKER', true],
    ['RETRYING', 'MAX_AGE', false],
    ['DEAD', 'MAX_AGE', true],
    ['DEAD', null, false],
    ['PENDING', 'BREAKER', false],
    ['SUCCEEDED', 'BREAKER', false],
    ['SUCCEEDED', null, true],
  ] as const)('of one that is %s may be %s: %s, whatever day it is of', async (state, reason, may) => {
    await bench.engine`select make_run_partition(${DAY_TO_COME}::date)`;
    const { tenantId } = newCaller();
    for (const slot of [new Date(), new Date(0), DAY_TO_COME]) {
      const writing = bench.engine`
        insert into runs (schedule_id, slot, space, tenant_id, version, state, reason, cause, due)
        values (gen_random_uuid(), ${slot}, 0, ${tenantId}, 1, ${state}, ${reason}, 'SCHEDULE', ${slot})`;
      expect(await codeOf(writing)).toBe(may ? null : '23514');
    }
  });
});

describe('the list of runs', () => {
  const HOUR = 3_600_000;
  const NOON = Date.UTC(2026, 2, 2, 12);

  async function history(caller: Caller): Promise<readonly RunKey[]> {
    const one = await created(caller, { scope: 'ORGANIZATION', organizationId: 'north' });
    const other = await created(caller);
    const keys = [one, other].flatMap(({ state }) =>
      [0, 1, 2, 3, 4].map((hour) => ({ scheduleId: state.id, slot: NOON + hour * HOUR, space: SLOT_SPACE })),
    );
    for (const { scheduleId, slot, space } of keys) {
      const at = new Date(slot).toISOString();
      const dead = slot === NOON + HOUR;
      await bench.engine`
        insert into runs (schedule_id, slot, space, tenant_id, version, state, reason, cause, due, ended_at)
        values (${scheduleId}, ${at}, ${space}, ${caller.tenantId}, 1, ${dead ? 'DEAD' : 'SUCCEEDED'}, ${dead ? 'REFUSED' : null}, 'SCHEDULE', ${at}, ${at})`;
    }
    return keys.toSorted((left, right) => right.slot - left.slot || (left.scheduleId < right.scheduleId ? -1 : 1));
  }

  test('is newest first and pages through runs of the same slot without gap or repetition', async () => {
    const caller = newCaller();
    const keys = await history(caller);
    for (const limit of [1, 3, 9, 10, 11]) {
      const read: RunKey[] = [];
      let after: RunKey | undefined;
      do {
        const page = await bench.runs.list(caller, { organizationId: null, limit, after });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        read.push(...page.items.map(keyOf));
        after = page.next ?? undefined;
      } while (after !== undefined);
      expect(read).toEqual(keys);
    }
  });

  test('is filtered by schedule, state, cause and slot, and by the caller’s organization', async () => {
    const caller = newCaller();
    const keys = await history(caller);
    const [first] = keys;
    const listed = async (query: object, who = caller) =>
      (await bench.runs.list(who, { organizationId: null, limit: 50, ...query })).items.map(keyOf);
    expect(await listed({ scheduleId: first?.scheduleId })).toEqual(
      keys.filter(({ scheduleId }) => scheduleId === first?.scheduleId),
    );
    expect(await listed({ state: 'DEAD' })).toEqual(keys.filter(({ slot }) => slot === NOON + HOUR));
    expect(await listed({ cause: 'MANUAL' })).toEqual([]);
    expect(await listed({ from: NOON + HOUR, to: NOON + 3 * HOUR })).toHaveLength(4);
    expect(await listed({}, within(caller, 'north'))).toHaveLength(5);
    expect(await listed({ organizationId: 'north' })).toHaveLength(5);
    expect(await listed({ organizationId: 'north' }, within(caller, 'south'))).toEqual([]);
    expect(await listed({}, newCaller())).toEqual([]);
  });
});
