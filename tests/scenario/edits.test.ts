import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ScheduleInput } from '../../src/domain/entities/schedule.ts';
import type { RunKey } from '../../src/domain/ids.ts';
import { EngineBench, type MadeSchedule, type TestEngine } from '../support/engine-bench.ts';
import { ACCEPTED, FAILED, ScriptedSenders } from '../support/scripted-senders.ts';

/* A caller changes a schedule or a run while the engine is at work on it. */

const MINUTE = 60_000;
const NO_REASON = { note: null, resumeAt: null } as const;

let bench: EngineBench;
beforeAll(async () => {
  bench = await EngineBench.open();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

interface InFlight {
  readonly schedule: MadeSchedule;
  readonly senders: ScriptedSenders;
  readonly engine: TestEngine;
  readonly key: RunKey;
}

/** A schedule whose slot has just been claimed and is being delivered. */
async function inFlight(given: Partial<ScheduleInput> = {}): Promise<InFlight> {
  const schedule = await bench.schedule(given);
  const slot = await bench.rewind(schedule, MINUTE);
  const senders = new ScriptedSenders(() => null);
  const engine = bench.engine({ senders });
  await engine.firing.fireDue();
  return { schedule, senders, engine, key: { scheduleId: schedule.id, slot, space: 0 } };
}

async function fates(schedule: MadeSchedule): Promise<readonly string[]> {
  const runs = await bench.runsOf(schedule);
  return runs.map((run) => [run.state, run.reason].filter((part) => part !== null).join(' '));
}

describe('a pause', () => {
  it('leaves the run in flight alone, and a resume goes on where the timer was', async () => {
    const { schedule, senders, engine, key } = await inFlight();
    await bench.schedules.pause(schedule.caller, schedule.id, NO_REASON, null);
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await fates(schedule)).toEqual(['SUCCEEDED']);
    await bench.schedules.resume(schedule.caller, schedule.id, 'SKIP', null);
    expect(await bench.timerOf(schedule)).toMatchObject({ slot: key.slot + MINUTE, lastFired: key.slot, fires: 1 });
  });

  it('leaves a run that waits for its next attempt alone', async () => {
    const { schedule, senders, engine } = await inFlight();
    senders.release(FAILED);
    await engine.settle();
    await bench.schedules.pause(schedule.caller, schedule.id, NO_REASON, null);
    await bench.hasten();
    await engine.firing.fireWaiting();
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await fates(schedule)).toEqual(['SUCCEEDED']);
  });

  it('holds back the slots to come, and a resume decides on those missed', async () => {
    const schedule = await bench.schedule({ overlapPolicy: 'ALLOW_ALL' });
    await bench.schedules.pause(schedule.caller, schedule.id, NO_REASON, null);
    const engine = bench.engine();
    await bench.sql`update schedules set slot = slot - interval '3 min', due = due - interval '3 min' where id = ${schedule.id}`;
    await engine.firing.fireDue();
    expect(await bench.runsOf(schedule)).toEqual([]);
    await bench.schedules.resume(schedule.caller, schedule.id, 'FIRE_ONCE', null);
    await bench.hasten();
    await engine.firing.fireWaiting();
    await engine.settle();
    expect(await bench.runsOf(schedule)).toMatchObject([
      { state: 'SKIPPED', reason: 'PAUSED', range: { count: 2 } },
      { state: 'SUCCEEDED', cause: 'CATCH_UP' },
    ]);
  });

  it('of a chain whose run is in flight does not lose the chain', async () => {
    const { schedule, senders, engine } = await inFlight({ trigger: { type: 'FIXED_DELAY', delaySec: 30 } });
    await bench.schedules.pause(schedule.caller, schedule.id, NO_REASON, null);
    senders.release(ACCEPTED);
    await engine.settle();
    await bench.schedules.resume(schedule.caller, schedule.id, 'SKIP', null);
    await engine.upkeep.repairWaiting(100);
    expect((await bench.timerOf(schedule))?.due).toBeLessThan((await bench.now()) + 31_000);
  });

  it.each(['one by one', 'in bulk'])(
    'of a chain whose run is still open when it is resumed %s begins no second run beside it',
    async (how) => {
      const { schedule, senders, engine } = await inFlight({ trigger: { type: 'FIXED_DELAY', delaySec: 30 } });
      const { caller, id } = schedule;
      await bench.schedules.pause(caller, id, NO_REASON, null);
      if (how === 'in bulk') {
        const items = [{ kind: 'RESUME', of: { id }, ifMatch: null, missed: 'SKIP' }] as const;
        await bench.bulk.apply(caller, { items, atomic: true });
      } else await bench.schedules.resume(caller, id, 'SKIP', null);
      expect(await bench.timerOf(schedule)).toMatchObject({ due: Number.POSITIVE_INFINITY, fires: 1 });
      senders.release(ACCEPTED);
      await engine.settle();
      const endedAt = (await bench.runsOf(schedule))[0]?.endedAt ?? Number.NaN;
      expect(await bench.timerOf(schedule)).toMatchObject({ due: endedAt + 30_000, fires: 1 });
    },
  );

  it('and a claim at the same time make neither a lost slot nor two', async () => {
    const schedules = await Promise.all(
      Array.from({ length: 20 }, () => bench.schedule({ overlapPolicy: 'ALLOW_ALL' })),
    );
    for (const schedule of schedules) await bench.rewind(schedule, MINUTE);
    const engine = bench.engine();
    await Promise.all([
      engine.firing.fireDue(),
      ...schedules.map((schedule) => bench.schedules.pause(schedule.caller, schedule.id, NO_REASON, null)),
    ]);
    await engine.settle();
    await Promise.all(
      schedules.map((schedule) => bench.schedules.resume(schedule.caller, schedule.id, 'FIRE_ALL', null)),
    );
    await bench.hasten();
    await engine.firing.fireWaiting();
    await engine.settle();
    for (const schedule of schedules) expect(await fates(schedule)).toEqual(['SUCCEEDED']);
  });
});

describe('a deletion', () => {
  it('lets the run in flight finish, and its schedule fires no more', async () => {
    const { schedule, senders, engine } = await inFlight();
    await bench.schedules.remove(schedule.caller, schedule.id, null);
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await fates(schedule)).toEqual(['SUCCEEDED']);
    expect(await bench.timerOf(schedule)).toBeUndefined();
  });

  it('cancels a run that waits for its next attempt', async () => {
    const { schedule, senders, engine } = await inFlight();
    senders.release(FAILED);
    await engine.settle();
    await bench.schedules.remove(schedule.caller, schedule.id, null);
    expect(await fates(schedule)).toEqual(['CANCELLED DELETED']);
    await bench.hasten();
    await engine.firing.fireWaiting();
    expect(senders.sent).toHaveLength(1);
  });

  it('ends a run that was in flight and failed at its next attempt', async () => {
    const { schedule, senders, engine } = await inFlight();
    await bench.schedules.remove(schedule.caller, schedule.id, null);
    senders.release(FAILED);
    await engine.settle();
    await bench.hasten();
    await engine.firing.fireWaiting();
    expect(senders.sent).toHaveLength(1);
    expect(await fates(schedule)).toEqual(['CANCELLED DELETED']);
    expect(await bench.claims()).toEqual([]);
  });
});

describe('the cancel of a run in flight', () => {
  it.each(['before it has a row', 'once it has a row'])(
    '%s ends its attempt within a renewal, and its outcome is stale',
    async (when) => {
      const { schedule, engine, key } = await inFlight();
      if (when === 'once it has a row')
        await engine.store.showRunning(engine.delivery.watch(0).map((flight) => flight.recordRunning()));
      await bench.runs.cancel(schedule.caller, key);
      expect(await fates(schedule)).toEqual(['CANCELLED BY_USER']);
      expect(await engine.store.endedElsewhere(engine.delivery.inFlightLongerThan(-1))).toEqual([key]);
      engine.delivery.cancel([key]);
      await engine.settle();
      expect(engine.stale).toEqual([key]);
      expect(await fates(schedule)).toEqual(['CANCELLED BY_USER']);
      expect(await bench.claims()).toEqual([]);
    },
  );

  it('and its reading name the version it was fired with, whatever the schedule has become since', async () => {
    const { schedule, key } = await inFlight();
    const version = (await bench.schedules.get(schedule.caller, schedule.id)).origin.version;
    const edited = await bench.schedules.patch(
      schedule.caller,
      schedule.id,
      (now) => ({ ...now, payload: 'new' }),
      null,
    );
    expect(edited.origin.version).toBeGreaterThan(version);
    expect(await bench.runs.get(schedule.caller, key)).toMatchObject({ state: 'RUNNING', version });
    expect(await bench.runs.cancel(schedule.caller, key)).toMatchObject({ state: 'CANCELLED', version });
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'CANCELLED', version }]);
  });

  it('takes nothing from the runs that are settled together with it', async () => {
    const schedules = await Promise.all([bench.schedule(), bench.schedule(), bench.schedule()]);
    const slots = await Promise.all(schedules.map((schedule) => bench.rewind(schedule, MINUTE)));
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    const [, cancelled] = schedules;
    const key = { scheduleId: cancelled.id, slot: slots[1] ?? 0, space: 0 };
    await bench.runs.cancel(cancelled.caller, key);
    senders.release(ACCEPTED);
    await engine.settle();
    expect((await Promise.all(schedules.map(fates))).flat()).toEqual(['SUCCEEDED', 'CANCELLED BY_USER', 'SUCCEEDED']);
    expect(engine.stale).toEqual([key]);
    expect(await bench.claims()).toEqual([]);
  });

  it('keeps it from being delivered again after a crash', async () => {
    const { schedule, key } = await inFlight();
    await bench.runs.cancel(schedule.caller, key);
    await bench.expireLeases();
    const senders = new ScriptedSenders();
    await bench.engine({ senders }).firing.recover();
    expect(senders.sent).toEqual([]);
    expect(await bench.claims()).toEqual([]);
  });

  it('and its success at the same time leave one of the two', async () => {
    for (const _ of [1, 2, 3, 4, 5]) {
      const { schedule, senders, engine, key } = await inFlight({ maxFires: 1 });
      senders.release(ACCEPTED);
      const [cancelled] = await Promise.all([
        bench.runs.cancel(schedule.caller, key).then(
          () => true,
          () => false,
        ),
        engine.settle(),
      ]);
      expect(await fates(schedule)).toEqual([cancelled ? 'CANCELLED BY_USER' : 'SUCCEEDED']);
      expect(await bench.scheduleState(schedule)).toMatchObject({ state: 'COMPLETED' });
    }
  });
});
