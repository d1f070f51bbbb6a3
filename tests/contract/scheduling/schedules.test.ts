import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import type { Target } from '../../../src/domain/entities/target.ts';
import { openScheduling, scheduleInput } from '../../support/scheduling.ts';
import { codeOf, newCaller, openWorkbench, runsOf, type Workbench, within } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const HTTP: Target = {
  kind: 'HTTP',
  http: { url: 'https://example.com/hook', method: 'POST', headers: { 'x-key': 'k' } },
};
const DAILY = { type: 'CRON', cron: '0 0 * * *' } as const;

function input(given: Partial<ScheduleInput> = {}): ScheduleInput {
  return scheduleInput({ target: HTTP, trigger: DAILY, ...given });
}

describe('a created schedule', () => {
  test('is read back as it was made, whatever its payload is', async () => {
    const caller = newCaller();
    for (const payload of [null, 0, '', '12', '{"a":1}', 'null', false, [1, [2]], { deep: { ключ: ['✓', null] } }]) {
      const given = input({
        payload,
        labels: { team: 'billing' },
        startAt: new Date('2090-01-01T00:00:00.123Z'),
        jitter: 'PT30S',
        description: 'Ünïcode',
      });
      const { schedule } = await bench.scheduling.create(caller, given);
      const found = await bench.scheduling.get(caller, schedule.state.id);
      expect({ state: found.state, timer: found.timer }).toEqual({ state: schedule.state, timer: schedule.timer });
    }
  });

  test('wakes the engines for its first slot', async () => {
    const { schedule } = await bench.scheduling.create(newCaller(), input());
    expect(bench.rung.at(-1)).toBe(schedule.timer.due);
  });

  test('is not tried again for longer than its runs are kept, less a day', async () => {
    const caller = newCaller();
    const retry = (days: number) => ({ ...input().retry, maxAgeSec: days * 86_400 });
    const { schedule } = await bench.scheduling.create(caller, input({ retry: retry(29) }));
    expect(await codeOf(bench.scheduling.create(caller, input({ retry: retry(30) })))).toBe('VALIDATION_FAILED');
    const longer = bench.scheduling.patch(
      caller,
      schedule.state.id,
      (before) => ({ ...before, retry: retry(29.5) }),
      null,
    );
    expect(await codeOf(longer)).toBe('VALIDATION_FAILED');
  });

  test('has a timer only while it is active', async () => {
    const { schedule } = await bench.scheduling.create(newCaller(), input({ enabled: false }));
    expect(await bench.engine`select from timers where schedule_id = ${schedule.state.id}`).toHaveLength(0);
  });

  test('has its key alone among the living', async () => {
    const caller = newCaller();
    await bench.scheduling.create(caller, input({ key: 'daily' }));
    expect(await codeOf(bench.scheduling.create(caller, input({ key: 'daily' })))).toBe('ALREADY_EXISTS');
    expect(await codeOf(bench.scheduling.create(newCaller(), input({ key: 'daily' })))).toBeNull();
  });

  test('with a command that no live node knows is refused, and so is one whose node went silent', async () => {
    const command = (name: string) => input({ target: { kind: 'COMMAND', command: { name } } });
    await bench.engine`
      insert into nodes (id, build, tzdata, roles, commands, heartbeat)
      values (gen_random_uuid(), 'b', '2026a', '{}', '{report}', now()), (gen_random_uuid(), 'b', '2026a', '{}', '{old}', now() - interval '31 seconds')`;
    const tried = ['report', 'old', 'other'].map((name) => codeOf(bench.scheduling.create(newCaller(), command(name))));
    expect(await Promise.all(tried)).toEqual([null, 'UNKNOWN_COMMAND', 'UNKNOWN_COMMAND']);
  });
});

describe('an idempotency key', () => {
  test('makes one schedule of two requests, also when they come at once', async () => {
    const caller = newCaller();
    const requests = Array.from({ length: 6 }, () =>
      bench.scheduling.create(caller, input(), { key: 'k', requestHash: 'h' }),
    );
    const answers = await Promise.all(requests);
    expect(new Set(answers.map(({ schedule }) => schedule.state.id)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await bench.engine`select from schedules where tenant_id = ${caller.tenantId}`).toHaveLength(1);
  });

  test('of another request is a mismatch', async () => {
    const caller = newCaller();
    await bench.scheduling.create(caller, input(), { key: 'k', requestHash: 'h' });
    expect(await codeOf(bench.scheduling.create(caller, input(), { key: 'k', requestHash: 'other' }))).toBe(
      'IDEMPOTENCY_MISMATCH',
    );
  });

  test('is each tenant’s own', async () => {
    const [one, other] = [newCaller(), newCaller()];
    await bench.scheduling.create(one, input(), { key: 'k', requestHash: 'h' });
    expect(await bench.scheduling.create(other, input(), { key: 'k', requestHash: 'x' })).toMatchObject({
      replayed: false,
    });
  });

  test('is forgotten after a day', async () => {
    const caller = newCaller();
    await bench.scheduling.create(caller, input(), { key: 'k', requestHash: 'h' });
    await bench.engine`update idempotency_keys set created_at = now() - interval '24 hours 1 second' where tenant_id = ${caller.tenantId}`;
    expect(await bench.scheduling.create(caller, input(), { key: 'k', requestHash: 'other' })).toMatchObject({
      replayed: false,
    });
  });

  test('of a request that failed is free', async () => {
    const caller = newCaller();
    await bench.scheduling.create(caller, input({ key: 'taken' }));
    expect(await codeOf(bench.scheduling.create(caller, input({ key: 'taken' }), { key: 'k', requestHash: 'h' }))).toBe(
      'ALREADY_EXISTS',
    );
    expect(await bench.scheduling.create(caller, input(), { key: 'k', requestHash: 'h2' })).toMatchObject({
      replayed: false,
    });
  });
});

describe('an upsert by key', () => {
  test('by eight replicas at once makes one schedule with one timer', async () => {
    const caller = newCaller();
    const replicas = await Promise.all(Array.from({ length: 8 }, () => openScheduling(bench.url)));
    const answers = await Promise.all(
      replicas.map(({ service }) => service.upsertByKey(caller, 'boot', input(), null)),
    );
    await Promise.all(replicas.map((replica) => replica.close()));
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(answers.map(({ schedule }) => `${schedule.state.id} ${schedule.state.version}`)).size).toBe(1);
    expect(await bench.engine`select from timers where tenant_id = ${caller.tenantId}`).toHaveLength(1);
  });

  test('by eight callers who disagree ends as one of them said, one version after the other', async () => {
    const caller = newCaller();
    const wishes = Array.from({ length: 8 }, (_, index) =>
      bench.scheduling.upsertByKey(caller, 'wish', input({ payload: index }), null),
    );
    const answers = await Promise.all(wishes);
    expect(answers.map(({ schedule }) => schedule.state.version).toSorted((left, right) => left - right)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8,
    ]);
    const [last] = answers.filter(({ schedule }) => schedule.state.version === 8);
    const found = last === undefined ? null : await bench.scheduling.get(caller, last.schedule.state.id);
    expect(found?.state).toEqual(last?.schedule.state);
  });

  test.each([
    ['an RRULE without DTSTART', { type: 'RRULE', rrule: 'FREQ=DAILY;BYHOUR=9' }],
    ['an INTERVAL without anchor', { type: 'INTERVAL', every: '15m' }],
  ] as const)('of %s twice is no new version and asks no sender again', async (_name, trigger) => {
    const caller = newCaller();
    const first = await bench.scheduling.upsertByKey(caller, 'same', input({ trigger }), null);
    const asked = bench.checkedTargets.length;
    const second = await bench.scheduling.upsertByKey(caller, 'same', input({ trigger }), null);
    expect([second.created, second.schedule.state, bench.checkedTargets.length]).toEqual([
      false,
      first.schedule.state,
      asked,
    ]);
  });

  test('keeps an operator’s pause', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.upsertByKey(caller, 'k', input(), null);
    await bench.scheduling.pause(caller, schedule.state.id, { note: 'freeze', resumeAt: null }, null);
    const again = await bench.scheduling.upsertByKey(caller, 'k', input({ name: 'new name' }), null);
    expect(again.schedule.state).toMatchObject({ state: 'PAUSED', name: 'new name', pause: { note: 'freeze' } });
  });

  test('that expects a version of a schedule that is not there is refused', async () => {
    expect(await codeOf(bench.scheduling.upsertByKey(newCaller(), 'none', input(), 1))).toBe('PRECONDITION_FAILED');
  });
});

describe('a change', () => {
  test('of anything but the trigger keeps the slot', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.create(caller, input({ trigger: { type: 'INTERVAL', every: 'PT7M' } }));
    const changed = await bench.scheduling.patch(
      caller,
      schedule.state.id,
      (current) => ({ ...current, payload: { n: 1 }, timeoutSec: 5 }),
      null,
    );
    const found = await bench.scheduling.get(caller, schedule.state.id);
    expect([changed.timer, found.timer]).toEqual([schedule.timer, schedule.timer]);
    expect(await bench.engine`select version from timers where schedule_id = ${schedule.state.id}`).toEqual([
      { version: 2 },
    ]);
  });

  test('of the trigger starts from now', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.create(caller, input({ trigger: { type: 'INTERVAL', every: 'PT1H' } }));
    const changed = await bench.scheduling.patch(
      caller,
      schedule.state.id,
      (current) => ({ ...current, trigger: { type: 'INTERVAL', every: 'PT2M' } }),
      null,
    );
    const found = await bench.scheduling.get(caller, schedule.state.id);
    expect(found.timer).toEqual(changed.timer);
    expect(changed.timer.due).toBeLessThan(schedule.timer.due);
    expect(bench.rung.at(-1)).toBe(changed.timer.due);
  });

  test('adds a version to the history only where a run would differ', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.create(caller, input());
    const { id } = schedule.state;
    await bench.scheduling.patch(caller, id, (current) => ({ ...current, name: 'other' }), null);
    await bench.scheduling.patch(caller, id, (current) => ({ ...current, payload: '7' }), null);
    const versions =
      await bench.engine`select version, payload from schedule_versions where schedule_id = ${id} order by version`;
    expect(versions).toEqual([
      { version: 1, payload: null },
      { version: 3, payload: '7' },
    ]);
  });

  test('with a stale version is refused, with the current one it goes through', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.create(caller, input());
    const { id } = schedule.state;
    expect((await bench.scheduling.replace(caller, id, input({ name: 'two' }), 1)).state.version).toBe(2);
    const stale = [
      bench.scheduling.replace(caller, id, input(), 1),
      bench.scheduling.patch(caller, id, (current) => current, 1),
      bench.scheduling.pause(caller, id, { note: null, resumeAt: null }, 1),
      bench.scheduling.resume(caller, id, 'SKIP', 1),
      bench.scheduling.remove(caller, id, 1),
      bench.scheduling.upsertByKey(caller, 'none-of-it', input(), 1),
    ];
    expect(new Set(await Promise.all(stale.map(codeOf)))).toEqual(new Set(['PRECONDITION_FAILED']));
  });

  test('of the key to one in use is refused', async () => {
    const caller = newCaller();
    await bench.scheduling.create(caller, input({ key: 'a' }));
    const { schedule } = await bench.scheduling.create(caller, input({ key: 'b' }));
    expect(
      await codeOf(bench.scheduling.patch(caller, schedule.state.id, (current) => ({ ...current, key: 'a' }), null)),
    ).toBe('ALREADY_EXISTS');
  });

  test('asks the sender only about a new target', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.create(caller, input());
    const asked = bench.checkedTargets.length;
    await bench.scheduling.patch(caller, schedule.state.id, (current) => ({ ...current, name: 'other' }), null);
    expect(bench.checkedTargets).toHaveLength(asked);
    const target: Target = { kind: 'EVENT', eventTopic: 'orders.created' };
    await bench.scheduling.patch(caller, schedule.state.id, (current) => ({ ...current, target }), null);
    expect(bench.checkedTargets.slice(asked)).toEqual([target]);
  });

  test('of thirty callers at once loses none of them', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.create(caller, input({ payload: [] }));
    const marks = Array.from({ length: 30 }, (_, index) => `m${index}`);
    await Promise.all(
      marks.map((mark) =>
        bench.scheduling.patch(
          caller,
          schedule.state.id,
          (current) => ({ ...current, labels: { ...current.labels, [mark]: '1' } }),
          null,
        ),
      ),
    );
    const { state } = await bench.scheduling.get(caller, schedule.state.id);
    expect([Object.keys(state.labels).sort(), state.version]).toEqual([marks.toSorted(), 31]);
  });
});

describe('a pause', () => {
  test('takes the timer out and a resume puts it back, as it was', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.create(caller, input());
    const { id } = schedule.state;
    const paused = await bench.scheduling.pause(caller, id, { note: 'freeze', resumeAt: '2090-01-01T00:00:00Z' }, null);
    expect(await bench.engine`select from timers where schedule_id = ${id}`).toHaveLength(0);
    expect(await bench.scheduling.get(caller, id)).toEqual(paused);
    const resumed = await bench.scheduling.resume(caller, id, 'SKIP', null);
    expect([resumed.timer, resumed.state.pause, resumed.state.version]).toEqual([schedule.timer, null, 3]);
    expect(bench.rung.at(-1)).toBe(schedule.timer.due);
    expect(await codeOf(bench.scheduling.resume(caller, id, 'SKIP', null))).toBe('CONFLICT');
  });

  test.each([
    ['SKIP', [], { from: 3, to: 1, count: 3 }],
    ['FIRE_ONCE', [1], { from: 3, to: 2, count: 2 }],
    ['FIRE_ALL', [3, 2, 1], null],
  ] as const)(
    'that missed three slots, resumed with %s, leaves one record for each',
    async (missed, fired, skipped) => {
      const caller = newCaller();
      const { schedule } = await bench.scheduling.create(caller, input());
      const { id } = schedule.state;
      await bench.scheduling.pause(caller, id, { note: null, resumeAt: null }, null);
      const slot = (ago: number): number => schedule.timer.slot - ago * 86_400_000;
      await bench.engine`update schedules set slot = ${new Date(slot(3)).toISOString()}, due = ${new Date(slot(3)).toISOString()} where id = ${id}`;
      const { timer } = await bench.scheduling.resume(caller, id, missed, null);
      const [stretch, ...rest] =
        skipped === null ? [null, ...(await runsOf(bench.engine, id))] : await runsOf(bench.engine, id);
      if (skipped !== null) {
        const range = {
          from: new Date(slot(skipped.from)).toISOString(),
          to: new Date(slot(skipped.to)).toISOString(),
          count: skipped.count,
        };
        expect(stretch).toMatchObject({ state: 'SKIPPED', reason: 'PAUSED', space: 0, range, lane: null });
      }
      expect(rest).toMatchObject(
        fired.map((ago) => ({
          slot: new Date(slot(ago)),
          state: 'PENDING',
          cause: 'CATCH_UP',
          version: 1,
          lane: 2,
          waits: true,
        })),
      );
      expect(timer.slot).toBe(slot(0));
    },
  );
});

describe('a deleted schedule', () => {
  test('is gone for its tenant, and its key is free', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.create(caller, input({ key: 'k' }));
    const { id } = schedule.state;
    await bench.scheduling.remove(caller, id, null);
    expect(await codeOf(bench.scheduling.get(caller, id))).toBe('NOT_FOUND');
    expect(await codeOf(bench.scheduling.remove(caller, id, null))).toBe('NOT_FOUND');
    expect(await codeOf(bench.scheduling.trigger(caller, id, undefined))).toBe('NOT_FOUND');
    expect(await bench.engine`select from timers where schedule_id = ${id}`).toHaveLength(0);
    const again = await bench.scheduling.upsertByKey(caller, 'k', input({ key: 'k' }), null);
    expect([again.created, again.schedule.state.id === id]).toEqual([true, false]);
  });

  test('ends what waits, and keeps its history', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.create(caller, input());
    const { id } = schedule.state;
    const run = await bench.scheduling.trigger(caller, id, { manual: true });
    await bench.scheduling.remove(caller, id, null);
    expect(await runsOf(bench.engine, id)).toMatchObject([{ state: 'CANCELLED', reason: 'DELETED', lane: null }]);
    expect(await bench.runs.get(caller, run)).toMatchObject({ state: 'CANCELLED', payload: { manual: true } });
  });
});

describe('an organization', () => {
  const north = (given: Partial<ScheduleInput> = {}): ScheduleInput =>
    input({ scope: 'ORGANIZATION', organizationId: 'north', ...given });

  test('sees and changes its own schedules only', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.create(within(caller, 'north'), north({ key: 'k' }));
    const { id } = schedule.state;
    const south = within(caller, 'south');
    expect((await bench.scheduling.get(caller, id)).state.id).toBe(id);
    const foreign = [
      bench.scheduling.get(south, id),
      bench.scheduling.patch(south, id, (current) => current, null),
      bench.scheduling.replace(south, id, north({ organizationId: 'south' }), null),
      bench.scheduling.remove(south, id, null),
      bench.scheduling.pause(south, id, { note: null, resumeAt: null }, null),
      bench.scheduling.resume(south, id, 'SKIP', null),
      bench.scheduling.trigger(south, id, 1),
      bench.scheduling.upcoming(south, id, { count: 1 }),
    ];
    expect(new Set(await Promise.all(foreign.map(codeOf)))).toEqual(new Set(['NOT_FOUND']));
    const listed = await bench.scheduling.list(south, { filter: { organizationId: 'north' }, sort: 'name', limit: 10 });
    expect(listed.items).toEqual([]);
  });

  test('writes nothing that would belong to another, or to the whole tenant', async () => {
    const caller = within(newCaller(), 'south');
    const { schedule } = await bench.scheduling.create(caller, north({ organizationId: 'south' }));
    const denied = [
      bench.scheduling.create(caller, north()),
      bench.scheduling.create(caller, input()),
      bench.scheduling.upsertByKey(caller, 'k', north(), null),
      bench.scheduling.patch(caller, schedule.state.id, (current) => ({ ...current, organizationId: 'north' }), null),
    ];
    expect(await Promise.all(denied.map(codeOf))).toEqual(Array(4).fill('PERMISSION_DENIED'));
  });
});
