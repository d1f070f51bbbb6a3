import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Outcome } from '../../../src/domain/entities/run.ts';
import type { ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import type {
  ClaimedRun,
  EngineStore,
  Lease,
  RecoveredClaim,
  SettledRun,
} from '../../../src/domain/ports/engine-store.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import type { Delivery } from '../../../src/domain/ports/sender.ts';
import { DeliveryService } from '../../../src/domain/services/delivery-service.ts';
import { FiringService } from '../../../src/domain/services/firing-service.ts';
import { HeldClaim } from '../../../src/domain/services/held-claim.ts';
import { SettlingService } from '../../../src/domain/services/settling-service.ts';
import { silentJournal } from '../../support/scheduling.ts';
import { ACCEPTED, ScriptedSenders } from '../../support/scripted-senders.ts';
import { SECOND, TEN, versionOf } from '../entities/builders.ts';

const clock = { now: () => TEN + performance.now(), monotonic: () => performance.now(), observe: () => undefined };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A store that keeps what is settled, and refuses whole groups with a slot of `refused` in them. */
class MemoryStore implements EngineStore {
  readonly settled: SettledRun[] = [];
  readonly closed: Lease[] = [];
  readonly groups: number[] = [];
  readonly refused = new Set<number>();
  isDown = false;
  /** Claims that expired, for {@link FiringService.recover}. */
  orphans: readonly RecoveredClaim[] = [];
  /** Until the next lease of another ends. */
  nextInMs = Number.POSITIVE_INFINITY;
  /** While set, a settlement is written once it resolves. */
  gate: Promise<void> | null = null;
  /** Claims whose row is there and whose fence is ours. */
  kept: (lease: Lease) => boolean = () => true;

  async settle(settled: readonly SettledRun[], closed: readonly Lease[]) {
    this.groups.push(settled.length);
    await this.gate;
    if (this.isDown || settled.some((run) => this.refused.has(run.key.slot))) throw new Error('refused');
    this.settled.push(...settled);
    this.closed.push(...closed);
    return { stale: [], nextDue: Number.POSITIVE_INFINITY, over: [] };
  }
  async renew(leases: readonly Lease[]) {
    return new Set(leases.filter(this.kept).map((lease) => lease.claimId));
  }
  async showRunning() {}
  async endedElsewhere() {
    return [];
  }
  fireDue(): never {
    throw new Error('nothing is claimed here');
  }
  claimWaiting(): never {
    throw new Error('nothing is claimed here');
  }
  async recover() {
    const claims = this.orphans;
    this.orphans = [];
    return { claims, poisoned: 0, isMoreLeft: false, nextInMs: this.nextInMs, over: [] };
  }
}

function open(answer: (delivery: Delivery) => Outcome | null, concurrency = 10_000, heard: Partial<Journal> = {}) {
  const store = new MemoryStore();
  const senders = new ScriptedSenders(answer);
  const events: string[] = [];
  const settledAfterMs: (number | null)[] = [];
  const journal: Journal = {
    ...silentJournal(),
    leaseLost: () => void events.push('lease.lost'),
    outcomeStale: () => void events.push('outcome.stale'),
    runSettled: (_run, durationMs) => void settledAfterMs.push(durationMs),
    ...heard,
  };
  const delivery = new DeliveryService({ senders, clock, journal, random: () => 0, limits: { concurrency, ahead: 0 } });
  const identity = { owner: 'me', leaseMs: 60_000 };
  const firing = new FiringService({ store, delivery, clock, journal, newId: () => 'id', identity });
  const settling = new SettlingService({ store, delivery, firing, clock, journal });
  return { store, senders, delivery, firing, settling, events, settledAfterMs };
}

function claimOf(runs: number, given: { readonly id?: string; readonly actUntil?: number } = {}): HeldClaim {
  const lease = { claimId: given.id ?? 'claim', fence: 1, recoveries: 0 };
  return new HeldClaim(lease, runs, given.actUntil ?? Number.POSITIVE_INFINITY);
}

function runs(count: number, first = 0, given: Partial<ScheduleInput> = {}): readonly ClaimedRun[] {
  const version = versionOf(given);
  return Array.from({ length: count }, (_, index) => ({
    key: { scheduleId: version.scheduleId, slot: TEN + (first + index) * SECOND, space: 0 },
    version,
    cause: 'SCHEDULE' as const,
    attempts: [],
    payload: null,
    due: TEN,
    startedAt: null,
    freshAt: 0,
  }));
}

/** Turns of the settling loop until it has nothing more to do; answers how many of them failed. */
async function settleAll(settling: SettlingService, turns = 200): Promise<number> {
  let failures = 0;
  for (let turn = 0; turn < turns; turn += 1) {
    await vi.advanceTimersByTimeAsync(5);
    const sleepMs = await settling.settle().catch(() => {
      failures += 1;
      return 0;
    });
    if (sleepMs === Number.POSITIVE_INFINITY) return failures;
  }
  return failures;
}

describe('a mistake of ours', () => {
  it('at the start of an attempt is one of its failures, and no other run notices', async () => {
    const failures: string[] = [];
    let starts = 0;
    const { store, delivery, settling } = open(() => ACCEPTED, 10_000, {
      traceFire: () => {
        starts += 1;
        if (starts === 1) throw new Error('broken');
        return null;
      },
      loopFailed: (loop) => void failures.push(loop),
    });
    delivery.accept(claimOf(3), runs(3));
    await settleAll(settling);
    expect(outcomesOf(store)).toEqual(['RETRYING FAILED', 'SUCCEEDED ACCEPTED', 'SUCCEEDED ACCEPTED']);
    expect([delivery.open, failures]).toEqual([0, ['deliver']]);
  });

  it('at its end counts as one too, where what it made of its run cannot be told', async () => {
    const unknown = { kind: 'unknown', attempt: 'FAILED' } as never;
    const { store, delivery, settling } = open(({ key }) => (key.slot === TEN ? unknown : ACCEPTED));
    delivery.accept(claimOf(2), runs(2));
    await settleAll(settling);
    expect(outcomesOf(store)).toEqual(['RETRYING FAILED', 'SUCCEEDED ACCEPTED']);
    expect(delivery.open).toBe(0);
  });

  function outcomesOf({ settled }: MemoryStore): readonly string[] {
    const inOrder = settled.toSorted((left, right) => left.key.slot - right.key.slot);
    return inOrder.map(({ state, attempts }) => [state, ...attempts.map(({ outcome }) => outcome)].join(' '));
  }
});

describe('settlement', () => {
  it('writes outcomes in groups of at most a thousand, and closes the claim with its last', async () => {
    const { store, delivery, settling } = open(() => ACCEPTED);
    delivery.accept(claimOf(2500), runs(2500));
    await settleAll(settling);
    expect(store.groups.filter((size) => size > 0)).toEqual([1000, 1000, 500]);
    expect(store.closed).toEqual([{ claimId: 'claim', fence: 1, recoveries: 0 }]);
    expect([delivery.open, delivery.occupancy.free]).toEqual([0, 10_000]);
  });

  it('gathers outcomes for four milliseconds, for twenty-five while very many runs are open', async () => {
    const firstTen = ({ key }: Delivery) => (key.slot < TEN + 10 * SECOND ? ACCEPTED : null);
    const sleepWith = async (count: number): Promise<number> => {
      const { delivery, settling } = open(firstTen);
      delivery.accept(claimOf(count), runs(count));
      await vi.advanceTimersByTimeAsync(1);
      return settling.settle();
    };
    expect([await sleepWith(100), await sleepWith(2500)]).toEqual([3, 24]);
  });

  it('keeps every outcome while the store is down, and writes each once when it is back', async () => {
    const { store, delivery, settling } = open(() => ACCEPTED);
    store.isDown = true;
    delivery.accept(claimOf(1500), runs(1500));
    expect(await settleAll(settling, 20)).toBe(20);
    expect(delivery.open).toBe(1500);
    store.isDown = false;
    await settleAll(settling);
    expect(store.settled).toHaveLength(1500);
    expect(new Set(store.settled.map((run) => run.key.slot)).size).toBe(1500);
    expect(store.closed).toHaveLength(1);
  });

  it('lets one outcome that cannot be written hold up no other', async () => {
    const { store, delivery, settling } = open(() => ACCEPTED);
    store.refused.add(TEN + 700 * SECOND);
    delivery.accept(claimOf(1500), runs(1500));
    await settleAll(settling);
    expect(store.settled).toHaveLength(1499);
    expect(delivery.open).toBe(1);
    expect(store.closed).toEqual([]);
  });

  it('closes a claim whose outcomes two settlers wrote at the same time', async () => {
    const { store, delivery, settling } = open(() => ACCEPTED);
    delivery.accept(claimOf(1500), runs(1500));
    await vi.advanceTimersByTimeAsync(5);
    await Promise.all([settling.settle(), settling.settle()]);
    expect(store.closed).toEqual([]);
    await settleAll(settling);
    expect(store.closed).toHaveLength(1);
  });
});

describe('recovery', () => {
  it('looks again when the next lease of another ends, and after two seconds in any case', async () => {
    const { firing, store } = open(() => ACCEPTED);
    expect(await firing.recover()).toBe(2_000);
    store.nextInMs = 4_800;
    expect(await firing.recover()).toBe(2_000);
    store.nextInMs = 299.2;
    expect(await firing.recover()).toBe(301);
  });
});

describe('a renewal that crosses the last settlement of its claim', () => {
  const lease: Lease = { claimId: 'claim', fence: 2, recoveries: 0 };

  /** A claim of two runs whose last outcomes are being written while its row is gone for a renewal. */
  async function crossing() {
    const opened = open(() => ACCEPTED);
    const { store, firing, settling } = opened;
    store.orphans = [{ lease, runs: runs(2) }];
    await firing.recover();
    await vi.advanceTimersByTimeAsync(5);
    const written = Promise.withResolvers<void>();
    store.gate = written.promise;
    const lastWrite = settling.settle();
    store.kept = () => false;
    await firing.renew();
    store.gate = null;
    return { ...opened, settled: lastWrite, write: written.resolve, fail: written.reject };
  }

  it('neither loses the claim nor calls its outcomes stale', async () => {
    const { settled, write, store, events, delivery } = await crossing();
    write();
    await settled;
    expect(events).toEqual([]);
    expect([store.settled.length, store.closed, delivery.open]).toEqual([2, [lease], 0]);
  });

  it('loses it where that settlement failed and the claim was taken over indeed', async () => {
    const { settled, fail, firing, settling, store, events } = await crossing();
    fail(new Error('no answer'));
    await expect(settled).rejects.toThrow('no answer');
    await firing.renew();
    await settleAll(settling);
    expect(events).toEqual(['lease.lost', 'outcome.stale', 'outcome.stale']);
    expect(store.settled).toEqual([]);
  });

  it('keeps the lease of a claim whose last settlement takes long', async () => {
    const { settled, write, firing, store } = await crossing();
    const renewed: string[] = [];
    store.kept = ({ claimId }) => renewed.push(claimId) > 0;
    await firing.renew();
    expect(renewed).toEqual(['claim']);
    write();
    await settled;
  });
});

describe('the duration that is told of a settled run', () => {
  it('counts from the start of this attempt, not from the first one', async () => {
    const { delivery, settling, senders, settledAfterMs } = open(() => null);
    const [run] = runs(1);
    delivery.accept(claimOf(1), run === undefined ? [] : [{ ...run, startedAt: clock.now() - 3_600_000 }]);
    await vi.advanceTimersByTimeAsync(250);
    senders.release(ACCEPTED);
    await settleAll(settling);
    expect(settledAfterMs).toEqual([250]);
  });

  it('is none where no attempt was made', async () => {
    const { delivery, settling, settledAfterMs } = open(() => null, 1);
    delivery.accept(claimOf(2), runs(2));
    delivery.beginDrain();
    await settleAll(settling, 5);
    expect(settledAfterMs).toEqual([null]);
  });
});

describe('a destination that does not answer', () => {
  const toHost = (url: string): Partial<ScheduleInput> => ({
    target: { kind: 'HTTP', http: { url, method: 'POST', headers: {} } },
  });
  const DOWN: Outcome = { kind: 'unanswered', attempt: 'NETWORK', reason: 'connection refused' };
  const dead = toHost('https://dead.example/hook');

  it('gets nothing more after five failures: what waits is put off without an attempt, and no other is', async () => {
    const { senders, store, delivery, settling } = open((to) => (to.key.slot < TEN + 5 * SECOND ? DOWN : null));
    delivery.accept(claimOf(5), runs(5, 0, dead));
    await settleAll(settling);
    delivery.accept(claimOf(3), [...runs(2, 5, dead), ...runs(1, 7, toHost('https://well.example/'))]);
    await settleAll(settling, 10);
    expect([senders.sent.length, senders.held.length]).toEqual([6, 1]);
    expect(store.settled.slice(5)).toMatchObject([
      { state: 'RETRYING', attempts: [] },
      { state: 'RETRYING', attempts: [] },
    ]);
  });

  it('is tried again by one attempt when half a minute is over, and by all once that is answered', async () => {
    let answer: Outcome | null = DOWN;
    const { senders, delivery, settling } = open(() => answer);
    delivery.accept(claimOf(5), runs(5, 0, dead));
    await settleAll(settling);
    answer = null;
    await vi.advanceTimersByTimeAsync(30_000);
    delivery.accept(claimOf(3), runs(3, 5, dead));
    expect(senders.held).toHaveLength(1);
    senders.release(ACCEPTED);
    await vi.advanceTimersByTimeAsync(0);
    delivery.accept(claimOf(3), runs(3, 8, dead));
    expect(senders.held).toHaveLength(3);
  });

  it('has no more than its share of the places while it hangs, and holds up no other of its tenant', () => {
    const { senders, delivery } = open(() => null, 80);
    delivery.accept(claimOf(60), runs(60, 0, dead));
    delivery.accept(claimOf(5), runs(5, 60, toHost('https://well.example/')));
    expect(senders.sent.map(({ slot }) => slot >= TEN + 60 * SECOND).filter((isWell) => isWell)).toHaveLength(5);
    expect(senders.held).toHaveLength(10 + 5);
  });
});

describe('delivery', () => {
  it('has no more in flight than it may, and room only for what was settled', async () => {
    const { senders, delivery, settling } = open(() => null, 3);
    delivery.accept(claimOf(5), runs(5));
    expect([senders.held.length, delivery.occupancy.free]).toEqual([3, 0]);
    senders.release(ACCEPTED);
    await vi.advanceTimersByTimeAsync(5);
    expect([senders.held.length, delivery.occupancy.free]).toEqual([2, 0]);
    await settling.settle();
    expect([delivery.open, delivery.occupancy.free]).toEqual([2, 1]);
  });

  it('ends attempts that answer at once one after the other, in their order, however many there are', () => {
    const seen: number[] = [];
    const { senders, delivery } = open(({ key }) => {
      seen.push(key.slot);
      return ACCEPTED;
    }, 1);
    senders.isPrompt = true;
    const many = runs(20_000);
    delivery.accept(claimOf(many.length), many);
    expect(seen).toEqual(many.map(({ key }) => key.slot));
    const ended = delivery.takeEnded(many.length);
    expect(ended.map(({ settled }) => settled.key.slot)).toEqual(many.map(({ key }) => key.slot));
    expect(new Set(ended.map(({ settled }) => settled.state))).toEqual(new Set(['SUCCEEDED']));
  });

  it('takes a sender that throws at once for a failed attempt, and goes on', () => {
    const failures: string[] = [];
    const { senders, delivery } = open(
      ({ key }) => {
        if (key.slot === TEN) throw new Error('broken');
        return ACCEPTED;
      },
      1,
      { loopFailed: (loop) => void failures.push(loop) },
    );
    senders.isPrompt = true;
    delivery.accept(claimOf(2), runs(2));
    expect(delivery.takeEnded(2).map(({ settled }) => settled.state)).toEqual(['RETRYING', 'SUCCEEDED']);
    expect([delivery.flying, failures]).toEqual([0, ['deliver']]);
  });

  it('stops every attempt whose time is over, although the sender of another throws when it is told', async () => {
    const failures: string[] = [];
    const { senders, delivery } = open(() => null, 10, { loopFailed: (loop) => void failures.push(loop) });
    senders.of = () => ({
      send: ({ key }, signal) =>
        new Promise((resolve) => {
          const stopped = (): void => {
            if (key.slot === TEN) throw new Error('broken');
            resolve(ACCEPTED);
          };
          signal.addEventListener('abort', stopped, { once: true });
        }),
    });
    delivery.accept(claimOf(3), runs(3));
    delivery.abortAll();
    await vi.advanceTimersByTimeAsync(0);
    expect([delivery.flying, delivery.takeEnded(3).length, failures]).toEqual([1, 2, ['deliver']]);
    await vi.advanceTimersByTimeAsync(2_001);
    delivery.watch(Number.POSITIVE_INFINITY);
    expect([delivery.flying, delivery.takeEnded(3).length]).toEqual([0, 1]);
  });

  it('keeps nothing of an attempt that nobody follows', () => {
    const trace = { traceparent: '', attemptEnded: () => undefined, settled: () => undefined };
    const { senders, delivery } = open(() => ACCEPTED, 10, {
      traceFire: ({ key }) => (key.slot === TEN ? trace : null),
    });
    senders.isPrompt = true;
    delivery.accept(claimOf(2), runs(2));
    expect(delivery.takeEnded(2).map(({ flight }) => flight === null)).toEqual([false, true]);
  });

  it('hands back what had not begun when the lease ran out', async () => {
    const { senders, store, delivery, settling } = open(() => null, 1);
    delivery.accept(claimOf(3, { actUntil: clock.monotonic() + 1000 }), runs(3));
    await vi.advanceTimersByTimeAsync(1000);
    delivery.watch(60_000);
    await settleAll(settling);
    expect(senders.sent).toHaveLength(1);
    expect(store.settled.map((run) => [run.state, run.attempts.length])).toEqual([
      ['RETRYING', 1],
      ['RETRYING', 0],
      ['RETRYING', 0],
    ]);
    expect(store.closed).toHaveLength(1);
  });

  it('drops what waits for a claim that was taken over, and makes room for others', async () => {
    const { senders, store, delivery, settling } = open(() => null, 1);
    const lost = claimOf(3, { id: 'lost' });
    delivery.accept(lost, runs(3));
    lost.isLost = true;
    delivery.watch(60_000);
    await settleAll(settling);
    expect([senders.sent.length, delivery.open, delivery.occupancy.free]).toEqual([1, 0, 1]);
    expect(store.settled).toEqual([]);
  });

  it('hands back at a shutdown what waits, and breaks off what flies, without using an attempt', async () => {
    const { store, delivery, settling } = open(() => null, 1);
    delivery.accept(claimOf(2), runs(2));
    delivery.beginDrain();
    delivery.abortAll();
    await settleAll(settling);
    expect(
      store.settled
        .map((run) => run.attempts.map((attempt) => attempt.outcome))
        .toSorted((left, right) => left.length - right.length),
    ).toEqual([[], ['ABORTED']]);
    expect([delivery.open, delivery.occupancy.free]).toEqual([0, 0]);
  });
});
