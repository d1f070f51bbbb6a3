import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/entities/run.ts';
import type { ScheduleInput } from '../../src/domain/entities/schedule.ts';
import type { ScheduleId } from '../../src/domain/ids.ts';
import type { Delivery, Sender, Senders } from '../../src/domain/ports/sender.ts';
import { EngineBench, type MadeSchedule, type TestEngine } from '../support/engine-bench.ts';
import { seededRandom } from '../support/random.ts';
import type { RunSeen } from '../support/rows-seen.ts';
import { ACCEPTED, FAILED, ScriptedSenders } from '../support/scripted-senders.ts';
import { until } from '../support/until.ts';

/* A slot comes while the run before it is still open: what each overlap policy makes of it. */

const MINUTE = 60_000;
const DAY = 86_400_000;

let bench: EngineBench;
beforeAll(async () => {
  bench = await EngineBench.open();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

/** A schedule with so many slots due; each `fireDue` takes the next of them. */
async function backlog(slots: number, given: Partial<ScheduleInput>): Promise<MadeSchedule> {
  const misfire = { policy: 'FIRE_ALL', thresholdSec: 60, windowSec: 86_400 } as const;
  const schedule = await bench.schedule({ misfire, ...given });
  await bench.rewind(schedule, slots * MINUTE);
  return schedule;
}

async function fates(schedule: MadeSchedule): Promise<readonly string[]> {
  const runs = await bench.runsOf(schedule);
  return runs.map((run) => [run.state, run.reason].filter((part) => part !== null).join(' '));
}

/** A person cancels the earliest slot of the schedule that has a row: while the first is in flight, the first in the buffer. */
async function cancelFirstInBuffer(schedule: MadeSchedule): Promise<void> {
  const [buffered] = await bench.runsOf(schedule);
  await bench.runs.cancel(schedule.caller, { scheduleId: schedule.id, slot: buffered?.slot ?? 0, space: 0 });
}

/** Lets the run in flight succeed, and the next that waits for it begin: so many have begun then. */
async function expectNext(engine: TestEngine, senders: ScriptedSenders, begun: number): Promise<void> {
  senders.release(ACCEPTED);
  await engine.settle();
  await engine.firing.fireWaiting();
  expect(senders.sent).toHaveLength(begun);
}

function slots(senders: ScriptedSenders): readonly number[] {
  return senders.sent.map((sent) => sent.slot);
}

describe('while the run before it is open, a slot', () => {
  it('is skipped with the reason OVERLAP under SKIP, and the next one fires once that run has ended', async () => {
    const schedule = await backlog(3, { overlapPolicy: 'SKIP' });
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    await engine.firing.fireDue();
    senders.release(ACCEPTED);
    await engine.settle();
    await engine.firing.fireDue();
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await fates(schedule)).toEqual(['SUCCEEDED', 'SKIPPED OVERLAP', 'SUCCEEDED']);
  });

  it('is skipped under SKIP also while that run waits for its next attempt', async () => {
    const schedule = await backlog(2, { overlapPolicy: 'SKIP' });
    const engine = bench.engine({ senders: new ScriptedSenders(() => FAILED) });
    await engine.firing.fireDue();
    await engine.settle();
    await engine.firing.fireDue();
    expect(await fates(schedule)).toEqual(['RETRYING', 'SKIPPED OVERLAP']);
  });

  it('fires beside it under ALLOW_ALL', async () => {
    const schedule = await backlog(2, { overlapPolicy: 'ALLOW_ALL' });
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    await engine.firing.fireDue();
    expect(senders.held).toHaveLength(2);
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await fates(schedule)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  });

  it('waits for it under BUFFER_ONE, and one more is skipped', async () => {
    const schedule = await backlog(3, { overlapPolicy: 'BUFFER_ONE' });
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    for (const _ of [1, 2, 3]) await engine.firing.fireDue();
    await engine.firing.fireWaiting();
    expect(senders.sent).toHaveLength(1);
    expect(await fates(schedule)).toEqual(['PENDING', 'SKIPPED OVERLAP']);
    senders.release(ACCEPTED);
    await engine.settle();
    await engine.firing.fireWaiting();
    expect(senders.sent).toHaveLength(2);
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await fates(schedule)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SKIPPED OVERLAP']);
  });

  it('waits its turn under BUFFER_ALL: one at a time, in order', async () => {
    const schedule = await backlog(4, { overlapPolicy: 'BUFFER_ALL' });
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    for (const _ of [1, 2, 3, 4]) await engine.firing.fireDue();
    for (const done of [1, 2, 3, 4]) {
      await engine.firing.fireWaiting();
      expect(senders.sent).toHaveLength(done);
      senders.release(ACCEPTED);
      await engine.settle();
    }
    expect(await fates(schedule)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(slots(senders)).toEqual(slots(senders).toSorted((left, right) => left - right));
  });

  it('is released from the buffer when the run before it dies or is cancelled, and when its schedule was paused meanwhile', async () => {
    const schedule = await backlog(4, { overlapPolicy: 'BUFFER_ALL' });
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    for (const _ of [1, 2, 3, 4]) await engine.firing.fireDue();
    senders.release({ kind: 'refused', attempt: 'REFUSED', why: 'REFUSED' });
    await engine.settle();
    await engine.firing.fireWaiting();
    expect(senders.sent).toHaveLength(2);
    const second = { scheduleId: schedule.id, slot: slots(senders)[1] ?? 0, space: 0 };
    await bench.runs.cancel(schedule.caller, second);
    await engine.firing.fireWaiting();
    expect(senders.sent).toHaveLength(3);
    await bench.schedules.pause(schedule.caller, schedule.id, { note: null, resumeAt: null }, null);
    senders.release(ACCEPTED);
    await engine.settle();
    await engine.firing.fireWaiting();
    expect(senders.sent).toHaveLength(4);
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await fates(schedule)).toEqual(['DEAD REFUSED', 'CANCELLED BY_USER', 'SUCCEEDED', 'SUCCEEDED']);
  });

  it.each(['BUFFER_ALL', 'BUFFER_ONE'] as const)(
    'waits for the run in flight under %s although the slot before it was cancelled in the buffer',
    async (overlapPolicy) => {
      const schedule = await backlog(3, { overlapPolicy });
      const senders = new ScriptedSenders(() => null);
      const engine = bench.engine({ senders });
      for (const _ of [1, 2]) await engine.firing.fireDue();
      await cancelFirstInBuffer(schedule);
      await engine.firing.fireDue();
      await engine.firing.fireWaiting();
      expect(senders.sent).toHaveLength(1);
      await expectNext(engine, senders, 2);
      senders.release(ACCEPTED);
      await engine.settle();
      expect(await fates(schedule)).toEqual(['SUCCEEDED', 'CANCELLED BY_USER', 'SUCCEEDED']);
    },
  );

  it('waits under BUFFER_ONE for an older dead run that a person tries again', async () => {
    const schedule = await backlog(3, { overlapPolicy: 'BUFFER_ONE' });
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    senders.release({ kind: 'refused', attempt: 'REFUSED', why: 'REFUSED' });
    await engine.settle();
    await engine.firing.fireDue();
    senders.release(ACCEPTED);
    await engine.settle();
    await bench.runs.retry(schedule.caller, { scheduleId: schedule.id, slot: slots(senders)[0] ?? 0, space: 0 });
    await engine.firing.fireWaiting();
    await engine.firing.fireDue();
    await engine.firing.fireWaiting();
    expect(senders.sent).toHaveLength(3);
    await expectNext(engine, senders, 4);
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await fates(schedule)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
  });

  it('that is skipped as the last of all lets its schedule complete, although the slot before it was cancelled in the buffer', async () => {
    const schedule = await backlog(3, { overlapPolicy: 'BUFFER_ONE' });
    await bench.sql`update schedule_versions set end_at = now() where schedule_id = ${schedule.id}`;
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    for (const _ of [1, 2]) await engine.firing.fireDue();
    await cancelFirstInBuffer(schedule);
    await bench.sql`update timers set skip_next = true where schedule_id = ${schedule.id}`;
    await engine.firing.fireDue();
    senders.release(ACCEPTED);
    await engine.settle();
    await engine.upkeep.repairWaiting(100);
    expect(await bench.scheduleState(schedule)).toMatchObject({ state: 'COMPLETED' });
    expect(await fates(schedule)).toEqual(['SUCCEEDED', 'CANCELLED BY_USER', 'SKIPPED BY_USER']);
  });

  it('stays in the buffer when another one there is cancelled', async () => {
    const schedule = await backlog(3, { overlapPolicy: 'BUFFER_ALL' });
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    for (const _ of [1, 2, 3]) await engine.firing.fireDue();
    await cancelFirstInBuffer(schedule);
    await engine.firing.fireWaiting();
    expect(senders.sent).toHaveLength(1);
    await expectNext(engine, senders, 2);
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await fates(schedule)).toEqual(['SUCCEEDED', 'CANCELLED BY_USER', 'SUCCEEDED']);
  });

  it.each([
    { row: 'without', shownAfterMs: null },
    { row: 'with', shownAfterMs: 0 },
  ])('replaces it under CANCEL_OTHER, $row a row of its own, and ends its attempt', async ({ shownAfterMs }) => {
    const schedule = await backlog(2, { overlapPolicy: 'CANCEL_OTHER' });
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    if (shownAfterMs !== null)
      await engine.store.showRunning(engine.delivery.watch(shownAfterMs).map((flight) => flight.recordRunning()));
    await engine.firing.fireDue();
    expect((await fates(schedule))[0]).toBe('CANCELLED OVERLAP');
    engine.delivery.cancel(await engine.store.endedElsewhere(engine.delivery.inFlightLongerThan(-1)));
    await engine.settle(1);
    expect(engine.stale).toMatchObject([{ slot: slots(senders)[0] }]);
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await fates(schedule)).toEqual(['CANCELLED OVERLAP', 'SUCCEEDED']);
  });

  it('replaces it under CANCEL_OTHER, and its record names the version that was sent', async () => {
    const schedule = await backlog(2, { overlapPolicy: 'CANCEL_OTHER', payload: 'first' });
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    await bench.schedules.patch(schedule.caller, schedule.id, (now) => ({ ...now, payload: 'second' }), null);
    await engine.firing.fireDue();
    expect(senders.sent).toMatchObject([{ version: 1 }, { version: 2 }]);
    expect((await bench.runsOf(schedule))[0]).toMatchObject({ state: 'CANCELLED', version: 1 });
  });

  it('replaces it under CANCEL_OTHER also while it waits for its next attempt', async () => {
    const schedule = await backlog(2, { overlapPolicy: 'CANCEL_OTHER' });
    const senders = new ScriptedSenders(() => (senders.sent.length === 1 ? FAILED : ACCEPTED));
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    await engine.settle();
    await engine.firing.fireDue();
    await engine.settle();
    await bench.hasten();
    await engine.firing.fireWaiting();
    expect(senders.sent).toHaveLength(2);
    expect(await fates(schedule)).toEqual(['CANCELLED OVERLAP', 'SUCCEEDED']);
  });

  it('knows nothing of runs that a person asked for', async () => {
    const schedule = await backlog(1, { overlapPolicy: 'SKIP' });
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await bench.schedules.trigger(schedule.caller, schedule.id, { by: 'hand' });
    await engine.firing.fireWaiting();
    await engine.firing.fireDue();
    expect(senders.sent.map((sent) => sent.payload)).toEqual([{ by: 'hand' }, null]);
  });
});

describe('two engines that step at the same time', () => {
  /** Answers after a moment; keeps how many runs of one schedule were ever in flight at once, and their order. */
  class Counting implements Senders {
    readonly order = new Map<ScheduleId, number[]>();
    most = 0;
    readonly #flying = new Map<ScheduleId, number>();
    readonly #random = seededRandom(11);

    of(): Sender {
      return { send: (delivery) => this.#send(delivery) };
    }

    check(): void {}

    async #send({ key: { scheduleId, slot } }: Delivery): Promise<Outcome> {
      const flying = (this.#flying.get(scheduleId) ?? 0) + 1;
      this.#flying.set(scheduleId, flying);
      this.most = Math.max(this.most, flying);
      this.order.set(scheduleId, [...(this.order.get(scheduleId) ?? []), slot]);
      for (let turn = 0; turn < this.#random() * 20; turn += 1) await new Promise(setImmediate);
      this.#flying.set(scheduleId, flying - 1);
      return ACCEPTED;
    }
  }

  it.each([
    { overlapPolicy: 'BUFFER_ALL', fired: 8 },
    { overlapPolicy: 'BUFFER_ONE', fired: 2 },
    { overlapPolicy: 'SKIP', fired: 1 },
  ] as const)(
    'never have two runs of a $overlapPolicy schedule in flight, and lose none of its slots',
    async ({ overlapPolicy, fired }) => {
      const schedules = await Promise.all(Array.from({ length: 12 }, () => backlog(8, { overlapPolicy })));
      const senders = new Counting();
      const engines = [bench.engine({ senders }), bench.engine({ senders })];
      const rows = async (): Promise<readonly RunSeen[]> =>
        (await Promise.all(schedules.map((schedule) => bench.runsOf(schedule)))).flat();
      await until('every slot has ended', async () => {
        await Promise.all(
          engines.flatMap(({ firing, settling }) => [
            firing.fireDue(),
            settling.settle(),
            firing.fireWaiting(),
            settling.settle(),
          ]),
        );
        const ended = (await rows()).filter((run) => run.state === 'SUCCEEDED' || run.state === 'SKIPPED');
        return ended.length === schedules.length * 8;
      });
      expect(senders.most).toBe(1);
      for (const schedule of schedules) {
        const order = senders.order.get(schedule.id) ?? [];
        expect(order).toEqual(order.toSorted((left, right) => left - right));
        expect(order.length).toBeGreaterThanOrEqual(fired);
      }
    },
  );
});

describe('a run so long ago that retention has removed its record', () => {
  it('counts as ended: a schedule that fires once a season does not skip for ever', async () => {
    const schedule = await backlog(1, { overlapPolicy: 'SKIP' });
    await bench.sql`update timers set last_fired = now() - interval '90 days' where schedule_id = ${schedule.id}`;
    const engine = bench.engine();
    await engine.firing.fireDue();
    await engine.settle();
    expect(await fates(schedule)).toEqual(['SUCCEEDED']);
  });

  it('is open all the same while a claim names it', async () => {
    const schedule = await backlog(1, { overlapPolicy: 'SKIP' });
    const longAgo = (await bench.now()) - 3 * DAY;
    await bench.sql`update timers set last_fired = to_timestamp(${longAgo}::float8 / 1000) where schedule_id = ${schedule.id}`;
    await bench.sql`
      insert into claims (id, owner, fence, lease_until, schedule_ids, slots, spaces, versions)
      values (gen_random_uuid(), gen_random_uuid(), 1, now() + interval '1 min', array[${schedule.id}::uuid], array[to_timestamp(${longAgo}::float8 / 1000)], '{0}', '{1}')`;
    await bench.engine().firing.fireDue();
    expect(await fates(schedule)).toEqual(['SKIPPED OVERLAP']);
  });
});
