import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Engine } from '../../../src/app/workers/engine.ts';
import { Loops } from '../../../src/app/workers/loops.ts';
import { silentJournal } from '../../support/scheduling.ts';

/* The life of the loops, around services that only say what is asked of them. */

const NEVER = Number.POSITIVE_INFINITY;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Services that have nothing to do, unless told otherwise. */
function open(
  given: { readonly flying?: number; readonly fireDue?: () => Promise<number>; readonly lacksSlots?: boolean } = {},
) {
  const asked: string[] = [];
  const steps =
    (name: string, answer: () => Promise<number> = async () => NEVER) =>
    async () => {
      asked.push(name);
      return answer();
    };
  const delivery = {
    flying: given.flying ?? 0,
    open: given.flying ?? 0,
    onEnded: () => undefined,
    onRoom: () => undefined,
    onFlight: () => undefined,
    beginDrain: () => asked.push('beginDrain'),
    abortAll: () => asked.push('abortAll'),
  };
  const settling = { onDue: (_due: number): void => undefined, settle: steps('settle'), watch: steps('watch') };
  const rings: number[] = [];
  let heard: (due: number) => void = () => undefined;
  const clock = { now: () => performance.now(), monotonic: () => performance.now(), observe: () => undefined };
  const loops = new Loops(clock, silentJournal());
  const engine = new Engine({
    firing: {
      lacksSlots: given.lacksSlots ?? false,
      lacksWaiting: false,
      fireDue: steps('fireDue', given.fireDue ?? (async () => 15_000)),
      fireWaiting: steps('fireWaiting', async () => 15_000),
      recover: steps('recover'),
      renew: steps('renew', async () => 5_000),
    },
    delivery,
    settling,
    backfills: { emit: steps('backfill') },
    redrives: { emit: steps('redrive') },
    bell: {
      ring: (due: number) => void rings.push(due),
      listen: (hear: (due: number) => void) => {
        heard = hear;
      },
    },
    clock,
    loops,
  });
  const count = (name: string): number => asked.filter((other) => other === name).length;
  return { engine, loops, delivery, settling, asked, rings, count, hear: (due: number) => heard(due) };
}

/** Ends the engine; answers after how many ms it had ended. */
async function endedAfter(engine: Engine, withinMs: number): Promise<number> {
  const began = performance.now();
  let ended = Number.NaN;
  void engine[Symbol.asyncDispose]().then(() => {
    ended = performance.now() - began;
  });
  await vi.advanceTimersByTimeAsync(withinMs);
  return ended;
}

describe('a ring', () => {
  it('wakes the claimers when it tells of something earlier than what they sleep towards, and not otherwise', async () => {
    const { engine, count, hear } = open();
    engine.start();
    await vi.advanceTimersByTimeAsync(1000);
    expect([count('fireDue'), count('fireWaiting')]).toEqual([1, 1]);
    hear(performance.now() + 60_000);
    await vi.advanceTimersByTimeAsync(10);
    expect([count('fireDue'), count('fireWaiting')]).toEqual([1, 1]);
    hear(performance.now() + 300);
    await vi.advanceTimersByTimeAsync(10);
    expect([count('fireDue'), count('fireWaiting')]).toEqual([2, 2]);
    await endedAfter(engine, 100);
  });

  it('during a claim is answered by the next one', async () => {
    const claimed = Promise.withResolvers<number>();
    const { engine, count, hear } = open({ fireDue: () => claimed.promise });
    engine.start();
    await vi.advanceTimersByTimeAsync(10);
    hear(performance.now() + 60_000);
    claimed.resolve(15_000);
    await vi.advanceTimersByTimeAsync(10);
    expect(count('fireDue')).toBe(2);
    await endedAfter(engine, 100);
  });
});

it('room that comes back wakes the claimers that lacked it, and no others', async () => {
  const { engine, delivery, count } = open({ lacksSlots: true });
  engine.start();
  await vi.advanceTimersByTimeAsync(10);
  delivery.onRoom();
  await vi.advanceTimersByTimeAsync(10);
  expect([count('fireDue'), count('fireWaiting')]).toEqual([2, 1]);
  await endedAfter(engine, 100);
});

describe('the end of the engine', () => {
  it('comes at once where nothing is in flight', async () => {
    const { engine, asked } = open();
    engine.start();
    await vi.advanceTimersByTimeAsync(10);
    expect(await endedAfter(engine, 1000)).toBeLessThan(200);
    expect(asked).toContain('beginDrain');
  });

  it('tells the others of what it hands back while attempts still fly, not only once they have ended', async () => {
    const { engine, settling, rings } = open({ flying: 1 });
    engine.start();
    await vi.advanceTimersByTimeAsync(10);
    settling.onDue(1);
    expect(rings).toEqual([]);
    const ended = endedAfter(engine, 40_000);
    await vi.advanceTimersByTimeAsync(1_000);
    settling.onDue(2);
    expect(rings).toEqual([2]);
    await ended;
  });

  it('waits for attempts in flight, and keeps their leases meanwhile', async () => {
    const { engine, delivery, count } = open({ flying: 1 });
    engine.start();
    await vi.advanceTimersByTimeAsync(0);
    const claims = count('fireDue');
    setTimeout(() => {
      delivery.flying = 0;
      delivery.open = 0;
    }, 12_000);
    expect(await endedAfter(engine, 14_000)).toBeGreaterThanOrEqual(12_000);
    expect([count('renew'), count('fireDue'), count('abortAll')]).toEqual([3, claims, 1]);
  });

  it('breaks off what still flies after 25 seconds, and is over within 30 even when nothing can be settled', async () => {
    const { engine, count } = open({ flying: 1 });
    engine.start();
    const ended = await endedAfter(engine, 40_000);
    expect(count('abortAll')).toBe(1);
    expect(ended).toBeGreaterThan(25_000);
    expect(ended).toBeLessThan(30_000);
  });

  it('is over within 30 seconds even when a claim never comes back', async () => {
    const { engine } = open({ fireDue: () => new Promise(() => undefined) });
    engine.start();
    expect(await endedAfter(engine, 40_000)).toBeLessThan(30_000);
  });
});

describe('a loop without a good turn', () => {
  it('shows as stale once it is overdue by half a minute', async () => {
    const { engine, loops } = open({ fireDue: () => Promise.reject(new Error('the database is gone')) });
    engine.start();
    await vi.advanceTimersByTimeAsync(29_000);
    expect(loops.stale).toEqual([]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(loops.stale).toEqual(['fire']);
    await endedAfter(engine, 100);
  });
});
