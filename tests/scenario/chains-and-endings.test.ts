import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/entities/run.ts';
import type { ScheduleInput } from '../../src/domain/entities/schedule.ts';
import { EngineBench, type MadeSchedule, type TestEngine } from '../support/engine-bench.ts';
import { ACCEPTED, FAILED, ScriptedSenders } from '../support/scripted-senders.ts';
import { until } from '../support/until.ts';

/* What the end of a run does to its schedule: the next link of a chain, completion, deletion. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DELAY = { trigger: { type: 'FIXED_DELAY', delaySec: 30 } } as const;
const REFUSED: Outcome = { kind: 'refused', attempt: 'REFUSED', why: 'REFUSED' };

let bench: EngineBench;
beforeAll(async () => {
  bench = await EngineBench.open();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

async function due(given: Partial<ScheduleInput>): Promise<MadeSchedule> {
  const schedule = await bench.schedule(given);
  await bench.rewind(schedule, MINUTE);
  return schedule;
}

async function lastRun(schedule: MadeSchedule) {
  return (await bench.runsOf(schedule)).at(-1);
}

/** The chain waits until `delaySec` after the run that has just ended. */
async function expectNextLink(schedule: MadeSchedule): Promise<void> {
  const next = ((await lastRun(schedule))?.endedAt ?? Number.NaN) + 30 * SECOND;
  expect(await bench.timerOf(schedule)).toMatchObject({ slot: next, due: next });
}

describe('a FIXED_DELAY chain', () => {
  it('waits while its run is open, and goes on so long after it has ended', async () => {
    const schedule = await due(DELAY);
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    expect(await bench.timerOf(schedule)).toMatchObject({ due: Number.POSITIVE_INFINITY, fires: 1 });
    await engine.firing.fireDue();
    senders.release(ACCEPTED);
    await engine.settle();
    await expectNextLink(schedule);
    await bench.rewind(schedule, MINUTE);
    await engine.firing.fireDue();
    senders.release(ACCEPTED);
    await engine.settle();
    expect((await bench.runsOf(schedule)).map((run) => run.state)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    await expectNextLink(schedule);
  });

  it('goes on after a run that is dead, and only once its retries are over', async () => {
    const schedule = await due({
      ...DELAY,
      retry: { maxAttempts: 2, initialDelaySec: 1, backoffCoefficient: 1, maxDelaySec: 1, jitter: 0, maxAgeSec: 60 },
    });
    const engine = bench.engine({ senders: new ScriptedSenders(() => FAILED) });
    await engine.firing.fireDue();
    await engine.settle();
    expect(await bench.timerOf(schedule)).toMatchObject({ due: Number.POSITIVE_INFINITY });
    await bench.hasten();
    await engine.firing.fireWaiting();
    await engine.settle();
    expect(await lastRun(schedule)).toMatchObject({ state: 'DEAD', reason: 'EXHAUSTED' });
    await expectNextLink(schedule);
  });

  it.each(['in flight', 'waiting for its next attempt'])('goes on after its run was cancelled %s', async (where) => {
    const schedule = await due(DELAY);
    const senders = new ScriptedSenders(() => (where === 'in flight' ? null : FAILED));
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    if (where !== 'in flight') await engine.settle();
    await bench.runs.cancel(schedule.caller, { scheduleId: schedule.id, slot: senders.sent[0]?.slot ?? 0, space: 0 });
    await expectNextLink(schedule);
    const before = await bench.timerOf(schedule);
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await lastRun(schedule)).toMatchObject({ state: 'CANCELLED', reason: 'BY_USER' });
    expect(await bench.timerOf(schedule)).toEqual(before);
  });

  it('goes on after its process died, from the end that its heir saw', async () => {
    const schedule = await due(DELAY);
    await bench.engine({ senders: new ScriptedSenders(() => null) }).firing.fireDue();
    await bench.expireLeases();
    const heir = bench.engine();
    await heir.firing.recover();
    await heir.settle();
    await expectNextLink(schedule);
  });

  it('goes on after a run that was quarantined', async () => {
    const schedule = await due(DELAY);
    await bench.engine({ senders: new ScriptedSenders(() => null) }).firing.fireDue();
    // A recovery passes over a claim whose holder is just writing under it.
    await until('the run is quarantined', async () => {
      await bench.expireLeases();
      await bench.engine({ senders: new ScriptedSenders(() => null) }).firing.recover();
      return (await lastRun(schedule))?.state === 'DEAD';
    });
    expect(await lastRun(schedule)).toMatchObject({ state: 'DEAD', reason: 'POISON' });
    await expectNextLink(schedule);
  });

  it('is not moved by runs that a person asks for', async () => {
    const schedule = await due(DELAY);
    const senders = new ScriptedSenders((delivery) => (delivery.cause === 'MANUAL' ? ACCEPTED : null));
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    await bench.schedules.trigger(schedule.caller, schedule.id, undefined);
    await bench.hasten();
    await engine.firing.fireWaiting();
    await engine.settle(1);
    expect(await bench.timerOf(schedule)).toMatchObject({ due: Number.POSITIVE_INFINITY });
  });

  it('ends at maxFires', async () => {
    const schedule = await due({ ...DELAY, maxFires: 1 });
    const engine = bench.engine();
    await engine.firing.fireDue();
    await engine.settle();
    expect(await bench.scheduleState(schedule)).toMatchObject({ state: 'COMPLETED' });
  });
});

describe('a schedule', () => {
  it.each([
    { how: 'maxFires', window: { maxFires: 1 } },
    { how: 'endAt', window: { endAt: true } },
  ])('is COMPLETED by $how, once its last run has ended', async ({ window }) => {
    const endAt = 'endAt' in window ? new Date((await bench.now()) + 59 * SECOND + 999) : null;
    const schedule = await bench.schedule({
      endAt: endAt === null ? null : new Date(endAt.getTime() + SECOND),
      maxFires: window.maxFires ?? null,
    });
    await bench.rewind(schedule, MINUTE);
    if (endAt !== null) await bench.sql`update schedule_versions set end_at = now() where schedule_id = ${schedule.id}`;
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    expect(await bench.scheduleState(schedule)).toMatchObject({ state: 'ACTIVE' });
    expect(await bench.timerOf(schedule)).toMatchObject({ due: Number.POSITIVE_INFINITY, fires: 1 });
    senders.release(REFUSED);
    await engine.settle();
    expect(await bench.scheduleState(schedule)).toEqual({ state: 'COMPLETED', stateReason: null, isDeleted: false });
    expect(await bench.timerOf(schedule)).toBeUndefined();
    expect(bench.toldOf(schedule)).toEqual(['completed v2 by scheduler']);
  });

  it('whose last slot is skipped is COMPLETED by the end of the run before it', async () => {
    const misfire = { policy: 'FIRE_ALL', thresholdSec: 60, windowSec: 86_400 } as const;
    const schedule = await bench.schedule({ misfire, endAt: new Date((await bench.now()) + 90 * SECOND) });
    await bench.rewind(schedule, 2 * MINUTE);
    await bench.sql`update schedule_versions set end_at = now() where schedule_id = ${schedule.id}`;
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    await engine.firing.fireDue();
    expect((await bench.runsOf(schedule)).map((run) => run.reason)).toEqual(['OVERLAP']);
    expect(await bench.scheduleState(schedule)).toMatchObject({ state: 'ACTIVE' });
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await bench.scheduleState(schedule)).toMatchObject({ state: 'COMPLETED' });
  });

  it('whose last slot is skipped after the run before it has ended is COMPLETED at once', async () => {
    const schedule = await bench.schedule({
      misfire: { policy: 'SKIP', thresholdSec: 60, windowSec: 86_400 },
      endAt: new Date((await bench.now()) + 90 * SECOND),
    });
    await bench.rewind(schedule, 10 * MINUTE);
    await bench.sql`update schedule_versions set end_at = now() - interval '5 min' where schedule_id = ${schedule.id}`;
    await bench.engine().firing.fireDue();
    expect(await bench.scheduleState(schedule)).toMatchObject({ state: 'COMPLETED' });
    expect(bench.toldOf(schedule)).toEqual(['completed v2 by scheduler']);
  });

  it('whose last run a person cancels is COMPLETED by that person', async () => {
    const schedule = await due({ maxFires: 1 });
    const senders = new ScriptedSenders(() => null);
    await bench.engine({ senders }).firing.fireDue();
    await bench.runs.cancel(schedule.caller, { scheduleId: schedule.id, slot: senders.sent[0]?.slot ?? 0, space: 0 });
    expect(await bench.scheduleState(schedule)).toMatchObject({ state: 'COMPLETED' });
    expect(bench.toldOf(schedule)).toEqual(['completed v2 by test']);
  });

  it('is deleted with its last run where onCompletion says so, and keeps its records', async () => {
    const schedule = await due({ maxFires: 1, onCompletion: 'DELETE' });
    const engine = bench.engine();
    await engine.firing.fireDue();
    await engine.settle();
    expect(await bench.scheduleState(schedule)).toMatchObject({ state: 'COMPLETED', isDeleted: true });
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'SUCCEEDED' }]);
  });

  it('that deleted itself still tries the runs before the last one again', async () => {
    const misfire = { policy: 'FIRE_ALL', thresholdSec: 60, windowSec: 86_400 } as const;
    const schedule = await bench.schedule({ misfire, maxFires: 2, onCompletion: 'DELETE', overlapPolicy: 'ALLOW_ALL' });
    await bench.rewind(schedule, 2 * MINUTE);
    const senders = new ScriptedSenders(() => (senders.sent.length === 1 ? FAILED : ACCEPTED));
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    await engine.settle();
    await engine.firing.fireDue();
    await engine.settle();
    expect(await bench.scheduleState(schedule)).toMatchObject({ state: 'COMPLETED', isDeleted: true });
    await bench.hasten();
    await engine.firing.fireWaiting();
    await engine.settle();
    expect((await bench.runsOf(schedule)).map((run) => run.state)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  });

  it('of one shot fires once and is COMPLETED', async () => {
    const startAt = new Date((await bench.now()) - 5 * SECOND).toISOString();
    const schedule = await bench.schedule({ trigger: { type: 'ONE_SHOT', startAt } });
    const engine = bench.engine();
    await engine.firing.fireDue();
    await engine.settle();
    expect(await bench.scheduleState(schedule)).toMatchObject({ state: 'COMPLETED' });
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'SUCCEEDED', slot: Date.parse(startAt) }]);
  });
});

describe('upkeep', () => {
  /** A schedule that waits for a run which has ended unseen, as after a change of its definition while the run flew. */
  async function waitingForNothing(engine: TestEngine): Promise<MadeSchedule> {
    const schedule = await due(DELAY);
    await engine.firing.fireDue();
    await engine.settle();
    await bench.sql`update timers set next_due = 'infinity' where schedule_id = ${schedule.id}`;
    return schedule;
  }

  it('moves on a timer that waits for a run which has ended', async () => {
    const engine = bench.engine();
    const schedule = await waitingForNothing(engine);
    expect(await engine.upkeep.repairWaiting(100)).toMatchObject({ count: 1 });
    await expectNextLink(schedule);
    expect(await engine.upkeep.repairWaiting(100)).toMatchObject({ count: 0 });
  });

  it('releases a buffered run that nothing is in front of', async () => {
    const misfire = { policy: 'FIRE_ALL', thresholdSec: 60, windowSec: 86_400 } as const;
    const schedule = await bench.schedule({ misfire, overlapPolicy: 'BUFFER_ONE' });
    await bench.rewind(schedule, 2 * MINUTE);
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    await engine.firing.fireDue();
    expect(await engine.upkeep.repairWaiting(100)).toMatchObject({ count: 0 });
    await bench.schedules.patch(
      schedule.caller,
      schedule.id,
      (current) => ({ ...current, overlapPolicy: 'SKIP' }),
      null,
    );
    senders.release(ACCEPTED);
    await engine.settle();
    await engine.upkeep.repairWaiting(100);
    await bench.hasten();
    await engine.firing.fireWaiting();
    expect(senders.sent).toHaveLength(2);
  });
});
