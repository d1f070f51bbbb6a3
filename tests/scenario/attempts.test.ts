import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/entities/run.ts';
import type { ScheduleInput } from '../../src/domain/entities/schedule.ts';
import type { Senders } from '../../src/domain/ports/sender.ts';
import { CommandSender } from '../../src/infra/messaging/command-sender.ts';
import { EngineBench, type MadeSchedule, type TestEngine } from '../support/engine-bench.ts';
import { ACCEPTED, FAILED, ScriptedSenders } from '../support/scripted-senders.ts';
import { until } from '../support/until.ts';

/* What becomes of a run from its first attempt to its end. */

const MINUTE = 60_000;
const RETRY = {
  maxAttempts: 3,
  initialDelaySec: 10,
  backoffCoefficient: 2,
  maxDelaySec: 60,
  jitter: 1,
  maxAgeSec: 3600,
};
const GONE: Outcome = { kind: 'refused', attempt: 'HTTP_STATUS', httpStatus: 410, why: 'GONE' };
const REFUSED: Outcome = { kind: 'refused', attempt: 'HTTP_STATUS', httpStatus: 404, why: 'REFUSED' };

let bench: EngineBench;
beforeAll(async () => {
  bench = await EngineBench.open();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

async function due(given: Partial<ScheduleInput> = {}): Promise<MadeSchedule> {
  const schedule = await bench.schedule({ retry: RETRY, ...given });
  await bench.rewind(schedule, MINUTE);
  return schedule;
}

/** An engine whose sender gives these answers in turn, the last of them for ever. */
function answering(...answers: readonly Outcome[]): { readonly engine: TestEngine; readonly senders: ScriptedSenders } {
  const senders = new ScriptedSenders(() => answers[senders.sent.length - 1] ?? answers.at(-1) ?? ACCEPTED);
  return { engine: bench.engine({ senders }), senders };
}

/** The next attempt of whatever waits, whenever it would be due. */
async function tryAgain(engine: TestEngine): Promise<void> {
  await bench.hasten();
  await engine.firing.fireWaiting();
  await engine.settle();
}

describe('a failed attempt', () => {
  it('is followed by another after the backoff: the same run, the same body, the next number', async () => {
    const schedule = await due({ payload: { hello: 'world' } });
    const { engine, senders } = answering(FAILED, ACCEPTED);
    await engine.firing.fireDue();
    await engine.settle();
    const [retrying] = await bench.runsOf(schedule);
    const endedAt = Date.parse(retrying?.attempts[0]?.endedAt ?? '');
    expect(retrying).toMatchObject({ state: 'RETRYING', reason: null, endedAt: null, nextAttemptAt: endedAt + 10_000 });
    await engine.firing.fireWaiting();
    expect(senders.sent).toHaveLength(1);
    await tryAgain(engine);
    expect(await bench.runsOf(schedule)).toMatchObject([
      {
        state: 'SUCCEEDED',
        nextAttemptAt: null,
        startedAt: retrying?.startedAt,
        attempts: [
          { number: 1, outcome: 'HTTP_STATUS', httpStatus: 503 },
          { number: 2, outcome: 'ACCEPTED', httpStatus: 200 },
        ],
      },
    ]);
    const [first, second] = senders.sent;
    expect(second).toEqual({ ...first, attempt: 2 });
    expect(await bench.claims()).toEqual([]);
  });

  it('waits as long as the receiver asks', async () => {
    const schedule = await due();
    const { engine } = answering({ ...FAILED, retryAfterMs: 45_000 });
    await engine.firing.fireDue();
    await engine.settle();
    const [run] = await bench.runsOf(schedule);
    expect(run?.nextAttemptAt).toBe(Date.parse(run?.attempts[0]?.endedAt ?? '') + 45_000);
  });

  it('that used up the last one leaves the run DEAD, EXHAUSTED', async () => {
    const schedule = await due();
    const { engine, senders } = answering(FAILED);
    await engine.firing.fireDue();
    await engine.settle();
    await tryAgain(engine);
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'RETRYING' }]);
    await tryAgain(engine);
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'DEAD', reason: 'EXHAUSTED' }]);
    await tryAgain(engine);
    expect(senders.sent).toHaveLength(3);
  });

  it('whose successor would come too late leaves the run DEAD, MAX_AGE', async () => {
    const schedule = await due({ retry: { ...RETRY, maxAgeSec: 5 } });
    const { engine } = answering(FAILED);
    await engine.firing.fireDue();
    await engine.settle();
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'DEAD', reason: 'MAX_AGE' }]);
  });

  it('keeps its version: neither it nor the next one sees a target patched in between', async () => {
    const schedule = await due({ payload: { version: 'old' } });
    const { engine, senders } = answering(FAILED, FAILED, ACCEPTED);
    await engine.firing.fireDue();
    await engine.settle();
    await bench.schedules.patch(
      schedule.caller,
      schedule.id,
      (current) => ({ ...current, payload: { version: 'new' }, target: { kind: 'EVENT', eventTopic: 'elsewhere' } }),
      null,
    );
    await tryAgain(engine);
    await bench.schedules.trigger(schedule.caller, schedule.id, undefined);
    await tryAgain(engine);
    const old = { version: 1, payload: { version: 'old' }, target: { eventTopic: 'tests' } };
    const fresh = { version: 2, payload: { version: 'new' }, target: { eventTopic: 'elsewhere' } };
    const [first, second, ...rest] = senders.sent;
    expect([first, second]).toMatchObject([old, old]);
    expect(rest.find((sent) => sent.slot === first?.slot)).toMatchObject(old);
    expect(rest.find((sent) => sent.slot !== first?.slot)).toMatchObject(fresh);
  });
});

describe('a destination that does not answer', () => {
  it('gets no further attempt for a while: its runs wait without one, in their lane', async () => {
    const target = { kind: 'HTTP', http: { url: 'https://dead.example/', method: 'POST', headers: {} } } as const;
    const schedule = await bench.schedule({ retry: RETRY, target, overlapPolicy: 'ALLOW_ALL' });
    const { engine, senders } = answering(FAILED, FAILED, FAILED, FAILED, FAILED, ACCEPTED);
    for (let slot = 0; slot < 5; slot += 1) {
      await bench.rewind(schedule, MINUTE);
      await engine.firing.fireDue();
      await engine.settle();
      await bench.sql`delete from retries`;
    }
    await bench.schedules.trigger(schedule.caller, schedule.id, undefined);
    const before = await bench.now();
    await tryAgain(engine);
    expect(senders.sent).toHaveLength(5);
    const manual = async () => (await bench.runsOf(schedule)).find((run) => run.cause === 'MANUAL');
    const postponed = await manual();
    expect(postponed).toMatchObject({ state: 'RETRYING', reason: 'BREAKER', attempts: [] });
    expect(postponed?.nextAttemptAt).toBeGreaterThan(before + 25_000);
    expect(await bench.sql`select lane from retries`).toMatchObject([{ lane: 0 }]);
    await tryAgain(answering(FAILED).engine);
    expect(await manual()).toMatchObject({ state: 'RETRYING', reason: null, attempts: [{ number: 1 }] });
  });
});

describe('a refusal', () => {
  it('is final', async () => {
    const schedule = await due();
    const { engine } = answering(REFUSED);
    await engine.firing.fireDue();
    await engine.settle();
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'DEAD', reason: 'REFUSED', nextAttemptAt: null }]);
    expect(await bench.scheduleState(schedule)).toMatchObject({ state: 'ACTIVE' });
  });

  it('with 410 disables the schedule: no further slot comes', async () => {
    const schedule = await due();
    const { engine } = answering(GONE);
    await engine.firing.fireDue();
    await engine.settle();
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'DEAD', reason: 'GONE' }]);
    expect(await bench.scheduleState(schedule)).toMatchObject({
      state: 'DISABLED',
      stateReason: expect.stringContaining('410'),
    });
    expect(await bench.timerOf(schedule)).toBeUndefined();
    expect(bench.toldOf(schedule)).toEqual(['disabled v2 by scheduler']);
  });

  it('with 410 disables the schedule also where a person asked for the run', async () => {
    const schedule = await bench.schedule();
    await bench.schedules.trigger(schedule.caller, schedule.id, undefined);
    const { engine } = answering(GONE);
    await tryAgain(engine);
    expect(await bench.scheduleState(schedule)).toMatchObject({ state: 'DISABLED' });
  });
});

describe('pauseOnFailures', () => {
  it('disables a schedule after so many dead runs in a row', async () => {
    const misfire = { policy: 'FIRE_ALL', thresholdSec: 60, windowSec: 86_400 } as const;
    const schedule = await bench.schedule({ pauseOnFailures: 2, misfire });
    await bench.rewind(schedule, 5 * MINUTE);
    const { engine } = answering(REFUSED, ACCEPTED, REFUSED, REFUSED);
    for (const state of ['ACTIVE', 'ACTIVE', 'ACTIVE', 'DISABLED']) {
      await engine.firing.fireDue();
      await engine.settle();
      expect(await bench.scheduleState(schedule)).toMatchObject({ state });
    }
    await engine.firing.fireDue();
    expect(await bench.runsOf(schedule)).toHaveLength(4);
  });
});

describe('an attempt that takes long', () => {
  it('shows as RUNNING after a second', async () => {
    const schedule = await due();
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    await engine.settling.watch();
    expect(await bench.runsOf(schedule)).toEqual([]);
    await until('the run shows', async () => {
      await engine.settling.watch();
      return (await bench.runsOf(schedule)).length > 0;
    });
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'RUNNING', attempts: [], endedAt: null }]);
    senders.release(ACCEPTED);
    await engine.settle();
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'SUCCEEDED' }]);
  });

  it('ends at its deadline as a timeout that may have been received', async () => {
    const schedule = await due({ timeoutSec: 1 });
    const engine = bench.engine({ senders: new ScriptedSenders(() => null) });
    await engine.firing.fireDue();
    await until('the attempt has ended', async () => {
      await engine.settling.watch();
      return engine.delivery.flying === 0;
    });
    await engine.settle();
    const [run] = await bench.runsOf(schedule);
    expect(run).toMatchObject({ state: 'RETRYING', attempts: [{ outcome: 'TIMEOUT', possibleDuplicate: true }] });
    const [attempt] = run?.attempts ?? [];
    const tookMs = Date.parse(attempt?.endedAt ?? '') - Date.parse(attempt?.startedAt ?? '');
    expect(tookMs).toBeGreaterThanOrEqual(999);
    // By far less than the thirty seconds of a schedule that names none.
    expect(tookMs).toBeLessThan(15_000);
  });

  it('ends even when its sender is deaf to the deadline', async () => {
    const schedule = await due({ timeoutSec: 1 });
    const deaf: Senders = { of: () => ({ send: () => new Promise(() => undefined) }), check: () => undefined };
    const engine = bench.engine({ senders: deaf });
    await engine.firing.fireDue();
    await until('the attempt has ended', async () => {
      await engine.settling.watch();
      return engine.delivery.flying === 0;
    });
    await engine.settle();
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'RETRYING', attempts: [{ outcome: 'TIMEOUT' }] }]);
  });
});

describe('a sender that throws', () => {
  it('counts as a failed attempt', async () => {
    const schedule = await due();
    const broken: Senders = { of: () => ({ send: () => Promise.reject(new Error('a bug')) }), check: () => undefined };
    const engine = bench.engine({ senders: broken });
    await engine.firing.fireDue();
    await engine.settle();
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'RETRYING', attempts: [{ outcome: 'FAILED' }] }]);
  });
});

describe('a run of a command', () => {
  it('that this node lacks is handed back without using an attempt, and without going round at once', async () => {
    const target = { kind: 'COMMAND', command: { name: 'report' } } as const;
    const done: number[] = [];
    const commands = (names: ReadonlyMap<string, (context: { readonly attempt: number }) => void>): Senders => {
      const sender = new CommandSender(names);
      return { of: () => sender, check: () => undefined };
    };
    const without = bench.engine({ senders: commands(new Map()) });
    const withIt = bench.engine({ senders: commands(new Map([['report', ({ attempt }) => void done.push(attempt)]])) });
    await withIt.upkeep.heartbeat({
      id: withIt.owner,
      build: 'test',
      tzdata: 'test',
      roles: ['engine'],
      commands: ['report'],
    });
    const schedule = await bench.schedule({ target, retry: { ...RETRY, maxAttempts: 1 } });
    await bench.schedules.trigger(schedule.caller, schedule.id, undefined);
    for (const round of [1, 2, 3]) {
      await tryAgain(without);
      const [run] = await bench.runsOf(schedule);
      expect(run?.state, `round ${round}`).toBe('RETRYING');
      expect(run?.nextAttemptAt).toBeGreaterThanOrEqual(Date.parse(run?.attempts.at(-1)?.endedAt ?? '') + 900);
    }
    await tryAgain(withIt);
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'SUCCEEDED' }]);
    expect(done).toEqual([1]);
  });
});
