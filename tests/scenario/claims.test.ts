import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeRunId } from '../../src/domain/ids.ts';
import { EngineBench, type MadeSchedule, type TestEngine } from '../support/engine-bench.ts';
import { ACCEPTED, ScriptedSenders } from '../support/scripted-senders.ts';
import { until } from '../support/until.ts';

/*
 * Who may act for a slot: claims, leases, fences. Engines are stepped by hand on a real database; one that is stepped no
 * more is a process that has died or was stopped.
 */

const MINUTE = 60_000;

let bench: EngineBench;
beforeAll(async () => {
  bench = await EngineBench.open();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

/** As many schedules, each with a slot due now. */
async function dueSchedules(count: number): Promise<readonly MadeSchedule[]> {
  const made = await Promise.all(Array.from({ length: count }, () => bench.schedule({ overlapPolicy: 'ALLOW_ALL' })));
  for (const schedule of made) await bench.rewind(schedule, MINUTE);
  return made;
}

async function statesOf(schedules: readonly MadeSchedule[]): Promise<readonly string[]> {
  const runs = await Promise.all(schedules.map((schedule) => bench.runsOf(schedule)));
  return runs.flat().map((run) => [run.state, run.reason].filter((part) => part !== null).join(' '));
}

function holding(): ScriptedSenders {
  return new ScriptedSenders(() => null);
}

describe('two claimers', () => {
  it('fire each slot once between them', async () => {
    const schedules = await dueSchedules(60);
    const senders = [new ScriptedSenders(), new ScriptedSenders()] as const;
    const engines = senders.map((sender) => bench.engine({ senders: sender, concurrency: 20, ahead: 0 }));
    const isDone = async (): Promise<boolean> => (await statesOf(schedules)).length === 60;
    while (!(await isDone())) {
      await Promise.all(engines.map((engine) => engine.firing.fireDue()));
      await Promise.all(engines.map((engine) => engine.settle()));
    }
    const sent = senders.flatMap((sender) => sender.sent.map((delivery) => delivery.runId));
    expect(sent).toHaveLength(60);
    expect(new Set(sent).size).toBe(60);
    expect(new Set(await statesOf(schedules))).toEqual(new Set(['SUCCEEDED']));
    expect(await bench.claims()).toEqual([]);
  });

  it('do not both take a slot that is locked by one of them', async () => {
    await dueSchedules(1);
    const engines = [bench.engine(), bench.engine(), bench.engine()];
    await Promise.all(engines.map((engine) => engine.firing.fireDue()));
    expect((await bench.claims()).map((claim) => claim.size)).toEqual([1]);
  });
});

describe('after a claim', () => {
  it('the engine sleeps until the next slot, and does not look in vain before it', async () => {
    const [schedule] = await dueSchedules(1);
    const engine = bench.engine();
    const sleepMs = await engine.firing.fireDue();
    const timer = schedule === undefined ? undefined : await bench.timerOf(schedule);
    expect(sleepMs).toBeGreaterThan(5000);
    expect(sleepMs).toBeLessThanOrEqual((timer?.due ?? 0) - (await bench.now()) + 1000);
  });

  it('a slot that was written behind the last one is found within half a second', async () => {
    await dueSchedules(1);
    const engine = bench.engine();
    await engine.firing.fireDue();
    await engine.settle();
    const past = new Date((await bench.now()) - 10 * MINUTE).toISOString();
    const late = await bench.schedule({ trigger: { type: 'ONE_SHOT', startAt: past } });
    const sleepMs = await engine.firing.fireDue();
    if ((await bench.runsOf(late)).length === 0) {
      expect(sleepMs).toBeLessThanOrEqual(500);
      await engine.firing.fireDue();
    }
    await engine.settle();
    expect(await bench.runsOf(late)).toMatchObject([{ state: 'SUCCEEDED' }]);
  });
});

describe('a node that dies between its claim and the outcome', () => {
  it('is followed by another once the lease is over: the same run, the next fence', async () => {
    const schedules = await dueSchedules(3);
    const first = holding();
    const second = new ScriptedSenders();
    const dead = bench.engine({ senders: first });
    const heir = bench.engine({ senders: second });
    await dead.firing.fireDue();
    expect(await heir.firing.recover()).toBe(2_000);
    expect(second.sent).toEqual([]);
    // It looks again as soon as that lease ends.
    await bench.sql`update claims set lease_until = now() + interval '1 hour'`;
    const { nextInMs } = await heir.store.recover(
      { owner: heir.owner, claimId: heir.owner, leaseMs: 60_000 },
      { room: 1, held: [], newId: () => heir.owner },
    );
    expect(nextInMs).toBeGreaterThan(0);
    // By a second more where the machine's clock is set back meanwhile.
    expect(nextInMs).toBeLessThanOrEqual(3_601_000);
    await bench.expireLeases();
    await heir.firing.recover();
    expect(second.sent.map((sent) => sent.runId).sort()).toEqual(first.sent.map((sent) => sent.runId).sort());
    expect(await bench.claims()).toMatchObject([{ owner: heir.owner, fence: 2, recoveries: 1, size: 3 }]);
    await heir.settle();
    expect(await statesOf(schedules)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(await bench.claims()).toEqual([]);
  });

  it('and comes back finds its outcomes stale, and takes nothing from its heir', async () => {
    const schedules = await dueSchedules(2);
    const [first, second] = [holding(), holding()];
    const zombie = bench.engine({ senders: first });
    const heir = bench.engine({ senders: second });
    await zombie.firing.fireDue();
    await bench.expireLeases();
    await heir.firing.recover();
    first.release({ kind: 'refused', attempt: 'HTTP_STATUS', httpStatus: 400, why: 'REFUSED' });
    await zombie.settle();
    expect(zombie.stale.map(encodeRunId).sort()).toEqual(first.sent.map((sent) => sent.runId).sort());
    expect(await statesOf(schedules)).toEqual([]);
    expect(await bench.claims()).toMatchObject([{ owner: heir.owner, fence: 2 }]);
    second.release(ACCEPTED);
    await heir.settle();
    expect(await statesOf(schedules)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(heir.stale).toEqual([]);
  });

  it('leaves the runs that it had settled alone', async () => {
    const schedules = await dueSchedules(2);
    const senders = holding();
    senders.answer = () => (senders.sent.length === 1 ? ACCEPTED : null);
    const dead = bench.engine({ senders });
    await dead.firing.fireDue();
    await dead.settle(1);
    await bench.expireLeases();
    const second = new ScriptedSenders();
    const heir = bench.engine({ senders: second });
    await heir.firing.recover();
    await heir.settle();
    expect(second.sent).toHaveLength(1);
    expect(await statesOf(schedules)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  });

  it('is not its own heir for what it still holds: it renews the lease as soon as it can', async () => {
    const schedules = await dueSchedules(2);
    const senders = holding();
    const node = bench.engine({ senders });
    await node.firing.fireDue();
    await bench.expireLeases();
    await node.firing.recover();
    expect(senders.sent).toHaveLength(2);
    await node.firing.renew();
    senders.release(ACCEPTED);
    await node.settle();
    expect(await statesOf(schedules)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(node.stale).toEqual([]);
    expect(await bench.claims()).toEqual([]);
  });

  it('is its own heir for a claim of which it never learnt that it was committed', async () => {
    const schedules = await dueSchedules(1);
    const node = bench.engine();
    const unheard = { owner: node.owner, claimId: newId(), leaseMs: 1 };
    await node.store.fireDue({ live: 10, late: 10, excluded: [] }, unheard, (due, now) =>
      due.map(
        (slot) =>
          slot.version?.fire(slot.timer, now, slot.previous) ?? { fired: null, skipped: null, next: { disabled: '' } },
      ),
    );
    await bench.expireLeases();
    await node.firing.recover();
    await node.settle();
    expect(await statesOf(schedules)).toEqual(['SUCCEEDED']);
    expect(await bench.claims()).toEqual([]);
  });
});

describe('a lease', () => {
  it('is renewed while runs are open, and not once they were taken over', async () => {
    await dueSchedules(1);
    const senders = holding();
    const node = bench.engine({ senders });
    await node.firing.fireDue();
    await bench.expireLeases();
    await node.firing.renew();
    const heir = bench.engine({ senders: holding() });
    await heir.firing.recover();
    expect(await bench.claims()).toMatchObject([{ owner: node.owner, fence: 1 }]);
    await bench.expireLeases();
    await heir.firing.recover();
    await node.firing.renew();
    expect(await bench.claims()).toMatchObject([{ owner: heir.owner, fence: 2 }]);
  });

  it('that could not be renewed in time stops its attempts, and hands back those not begun', async () => {
    const schedules = await dueSchedules(3);
    const senders = holding();
    const node = bench.engine({ senders, leaseMs: 3000, concurrency: 1, ahead: 10 });
    await node.firing.fireDue();
    expect(senders.sent).toHaveLength(1);
    await untilMonotonic(node, 3000);
    node.delivery.watch(1000);
    await node.firing.renew();
    await node.settle();
    expect(senders.sent).toHaveLength(1);
    expect(await statesOf(schedules)).toEqual(['RETRYING', 'RETRYING', 'RETRYING']);
    expect(await bench.claims()).toEqual([]);
  });
});

async function untilMonotonic(engine: TestEngine, ms: number): Promise<void> {
  const end = engine.clock.monotonic() + ms;
  await until('time has passed', () => engine.clock.monotonic() >= end);
}
