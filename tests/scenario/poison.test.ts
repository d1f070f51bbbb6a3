import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cpuMsOf } from '../support/cpu-time.ts';
import { EngineBench, type MadeSchedule } from '../support/engine-bench.ts';
import { FAILED, ScriptedSenders } from '../support/scripted-senders.ts';
import { until } from '../support/until.ts';

/* Runs whose process dies with them, time and again: quarantined in the end, and nobody else with them. */

const MINUTE = 60_000;

let bench: EngineBench;
beforeAll(async () => {
  bench = await EngineBench.open();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

async function dueSchedules(count: number): Promise<readonly MadeSchedule[]> {
  const made = await Promise.all(Array.from({ length: count }, () => bench.schedule({ overlapPolicy: 'ALLOW_ALL' })));
  for (const schedule of made) await bench.rewind(schedule, MINUTE);
  return made;
}

/** A node takes over what has expired, and dies with the killer in flight; what else it delivers succeeds. */
async function dieWith(killer: MadeSchedule | null): Promise<ScriptedSenders> {
  await bench.expireLeases();
  const senders = new ScriptedSenders((delivery) =>
    killer === null || delivery.key.scheduleId === killer.id ? null : { kind: 'accepted', attempt: 'ACCEPTED' },
  );
  const node = bench.engine({ senders });
  await node.firing.recover();
  const taken = node.delivery.open;
  await until('every attempt has begun', () => senders.sent.length === taken);
  await node.settle(senders.held.length);
  return senders;
}

describe('a batch whose holders die', () => {
  it('is taken over whole after the first death, and run by run after the second', async () => {
    await dueSchedules(3);
    await bench.engine({ senders: new ScriptedSenders(() => null) }).firing.fireDue();
    await dieWith(null);
    expect(await bench.claims()).toMatchObject([{ size: 3, fence: 2, recoveries: 1 }]);
    const third = await dieWith(null);
    expect(third.sent).toHaveLength(3);
    const alone = { size: 1, fence: 1, recoveries: 0 };
    expect(await bench.claims()).toMatchObject([alone, alone, alone]);
  });

  it('loses only the run that was alone for three deaths, and never its mates', async () => {
    const [killer, ...mates] = await dueSchedules(4);
    if (killer === undefined) throw new Error('no schedule was made');
    await bench.engine({ senders: new ScriptedSenders(() => null) }).firing.fireDue();
    await dieWith(null);
    for (const deaths of [1, 2, 3]) {
      const node = await dieWith(killer);
      expect(node.held, `alone for death ${deaths}`).toHaveLength(1);
    }
    const last = await dieWith(killer);
    expect(last.sent).toEqual([]);
    expect(await bench.runsOf(killer)).toMatchObject([{ state: 'DEAD', reason: 'POISON' }]);
    for (const mate of mates) expect(await bench.runsOf(mate)).toMatchObject([{ state: 'SUCCEEDED' }]);
    expect(await bench.claims()).toEqual([]);
  });

  it('of one run loses it at the third death', async () => {
    const [only] = await dueSchedules(1);
    if (only === undefined) throw new Error('no schedule was made');
    await bench.engine({ senders: new ScriptedSenders(() => null) }).firing.fireDue();
    await dieWith(only);
    await dieWith(only);
    expect(await bench.runsOf(only)).toMatchObject([{ state: 'RUNNING' }]);
    await dieWith(only);
    expect(await bench.runsOf(only)).toMatchObject([{ state: 'DEAD', reason: 'POISON' }]);
  });

  it('of one run never loses it to deaths of processes that had not begun its attempt', async () => {
    const [only] = await dueSchedules(1);
    if (only === undefined) throw new Error('no schedule was made');
    await bench.engine({ senders: new ScriptedSenders(() => null) }).firing.fireDue();
    for (const _ of [1, 2, 3, 4, 5]) {
      await bench.expireLeases();
      const { store, owner } = bench.engine();
      await store.recover({ owner, claimId: newId(), leaseMs: 60_000 }, { room: 100, held: [], newId });
    }
    await dieWith(only);
    const heir = await dieWith(null);
    expect(heir.held).toHaveLength(1);
    await dieWith(null);
    expect(await bench.runsOf(only)).toMatchObject([{ state: 'DEAD', reason: 'POISON' }]);
  });

  it('of one run that failed before loses it likewise only to deaths in the middle of its attempt', async () => {
    const [only] = await dueSchedules(1);
    if (only === undefined) throw new Error('no schedule was made');
    const first = bench.engine({ senders: new ScriptedSenders(() => FAILED) });
    await first.firing.fireDue();
    await first.settle();
    await bench.hasten();
    await bench.engine({ senders: new ScriptedSenders(() => null) }).firing.fireWaiting();
    for (const _ of [1, 2, 3, 4, 5]) {
      await bench.expireLeases();
      const { store, owner } = bench.engine();
      await store.recover({ owner, claimId: newId(), leaseMs: 60_000 }, { room: 100, held: [], newId });
    }
    await bench.expireLeases();
    const heir = bench.engine();
    await heir.firing.recover();
    await heir.settle();
    expect(await bench.runsOf(only)).toMatchObject([{ state: 'SUCCEEDED' }]);
  });

  it('is taken over with the rows that its long runs had, each under its new claim', async () => {
    const schedules = await dueSchedules(2);
    const senders = new ScriptedSenders(() => null);
    const first = bench.engine({ senders });
    await first.firing.fireDue();
    await first.store.showRunning(first.delivery.watch(0).map((flight) => flight.recordRunning()));
    await dieWith(null);
    await dieWith(null);
    const heir = new ScriptedSenders();
    await bench.expireLeases();
    const node = bench.engine({ senders: heir });
    await node.firing.recover();
    await node.settle();
    expect(heir.sent).toHaveLength(2);
    for (const schedule of schedules) expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'SUCCEEDED' }]);
  });

  it('is put apart a thousand at a time', async () => {
    const [schedule] = await dueSchedules(1);
    if (schedule === undefined) throw new Error('no schedule was made');
    await bench.sql`
      insert into claims (id, owner, fence, recoveries, lease_until, schedule_ids, slots, spaces, versions)
      select gen_random_uuid(), gen_random_uuid(), 2, 1, now() - interval '1 s', array_agg(${schedule.id}::uuid), array_agg(date_trunc('hour', now()) + n * interval '1 s'), array_agg(0), array_agg(1)
      from generate_series(1, 1000) as n`;
    const node = bench.engine({ senders: new ScriptedSenders(() => null) });
    expect(await cpuMsOf(() => node.firing.recover())).toBeLessThan(1000);
    expect(await bench.claims()).toHaveLength(1000);
    expect(node.delivery.open).toBe(1000);
  });
});

describe('recovery', () => {
  it('takes over no more than there is room for, and the rest in later rounds', async () => {
    for (let claim = 0; claim < 5; claim += 1) {
      await dueSchedules(2);
      await bench.engine({ senders: new ScriptedSenders(() => null) }).firing.fireDue();
    }
    await bench.expireLeases();
    const senders = new ScriptedSenders();
    const node = bench.engine({ senders, concurrency: 4, ahead: 0 });
    while (senders.sent.length < 10) {
      await node.firing.recover();
      expect(node.delivery.open).toBeLessThanOrEqual(5);
      await node.settle();
    }
    expect(await bench.claims()).toEqual([]);
  });
});

describe('recovery by a node without room', () => {
  it('takes over one claim at a time, so that what is overdue does not wait for ever', async () => {
    for (let claim = 0; claim < 2; claim += 1) {
      await dueSchedules(2);
      await bench.engine({ senders: new ScriptedSenders(() => null) }).firing.fireDue();
    }
    await bench.expireLeases();
    await dueSchedules(1);
    const senders = new ScriptedSenders(() => null);
    const node = bench.engine({ senders, concurrency: 3, ahead: 0 });
    await node.firing.fireDue();
    expect(node.delivery.open).toBe(1);
    await node.firing.recover();
    await node.firing.recover();
    expect(node.delivery.open).toBe(3);
    senders.release(FAILED);
    await node.settle();
    await node.firing.recover();
    expect(node.delivery.open).toBe(2);
  });
});

describe('a run whose definition can no longer be read', () => {
  it('dies with a reason instead of staying in flight, and its batch mates are delivered', async () => {
    const [broken, sound] = await dueSchedules(2);
    if (broken === undefined || sound === undefined) throw new Error('no schedule was made');
    const first = bench.engine({ senders: new ScriptedSenders(() => FAILED) });
    await first.firing.fireDue();
    await first.settle();
    await bench.hasten();
    await bench.sql`update schedule_versions set tz = 'Atlantis/Capital' where schedule_id = ${broken.id}`;
    const node = bench.engine();
    await node.firing.fireWaiting();
    await node.settle();
    expect(await bench.runsOf(sound)).toMatchObject([{ state: 'SUCCEEDED' }]);
    await node.firing.recover();
    expect(await bench.runsOf(broken)).toMatchObject([{ state: 'DEAD', reason: 'REFUSED' }]);
    expect(await bench.claims()).toEqual([]);
  });

  it('disables its schedule when its next slot comes', async () => {
    const [broken] = await dueSchedules(1);
    if (broken === undefined) throw new Error('no schedule was made');
    await bench.sql`update schedule_versions set tz = 'Atlantis/Capital' where schedule_id = ${broken.id}`;
    const node = bench.engine();
    await node.firing.fireDue();
    expect(await bench.scheduleState(broken)).toMatchObject({ state: 'DISABLED' });
    expect(await bench.timerOf(broken)).toBeUndefined();
  });
});
