import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RateDecision, RateLimiter } from '../../../src/domain/ports/rate-limiter.ts';
import { TokenBuckets } from '../../../src/domain/services/token-buckets.ts';
import { RedisRateLimiter } from '../../../src/infra/security/redis-rate-limiter.ts';
import { Door } from '../../support/door.ts';
import { redisUrl } from '../../support/services.ts';
import { until } from '../../support/until.ts';

const url = await redisUrl();
/** No busy machine is slower, and no test waits for it. */
const PATIENT_MS = 10_000;
/** Nothing comes back within a test. */
const SLOW = { perSec: 0.001, burst: 3 };

let keys = 0;

/** A key that nobody else uses, on a Redis that may be anybody's. */
function newKey(): string {
  keys += 1;
  return `test-${process.pid}-${Date.now()}-${keys}`;
}

async function taken(limiter: RateLimiter, key: string, times: number, limit = SLOW): Promise<readonly boolean[]> {
  const answers: boolean[] = [];
  for (let time = 0; time < times; time += 1) answers.push((await limiter.take(key, limit)).isAllowed);
  return answers;
}

describe('a rate limiter by itself', () => {
  let now = 0;
  const limiter = new TokenBuckets(() => now);

  it('allows a burst, then as many as come back', async () => {
    const limit = { perSec: 2, burst: 3 };
    expect(await taken(limiter, 'a', 4, limit)).toEqual([true, true, true, false]);
    now += 499;
    expect(await taken(limiter, 'a', 1, limit)).toEqual([false]);
    now += 1;
    expect(await taken(limiter, 'a', 2, limit)).toEqual([true, false]);
    now += 60_000;
    expect(await taken(limiter, 'a', 4, limit)).toEqual([true, true, true, false]);
  });

  it('says what is left, and when more and when all is', async () => {
    const limit = { perSec: 2, burst: 3 };
    const decisions: RateDecision[] = [];
    for (let time = 0; time < 4; time += 1) decisions.push(await limiter.take('b', limit));
    expect(decisions).toEqual([
      { isAllowed: true, remaining: 2, retryAfterMs: 0, resetMs: 500 },
      { isAllowed: true, remaining: 1, retryAfterMs: 0, resetMs: 1000 },
      { isAllowed: true, remaining: 0, retryAfterMs: 0, resetMs: 1500 },
      { isAllowed: false, remaining: 0, retryAfterMs: 500, resetMs: 1500 },
    ]);
    expect(limiter.look('b', limit)).toEqual(decisions[3]);
  });

  it('keeps keys apart, and a bounded number of them', () => {
    const few = new TokenBuckets(() => now);
    for (let key = 0; key < 30_000; key += 1) few.takeNow(`key-${key}`, SLOW);
    expect([few.look('key-29999', SLOW).remaining, few.look('key-0', SLOW).remaining]).toEqual([1, 2]);
  });
});

describe.skipIf(url === undefined)('a rate limiter on Redis', () => {
  let stack: AsyncDisposableStack;
  let door: Door;

  interface Process {
    readonly limiter: RedisRateLimiter;
    readonly told: string[];
  }

  /** One process's limiter, behind the door. */
  function newProcess(deadlineMs = PATIENT_MS): Process {
    const told: string[] = [];
    const journal = { note: (event: string) => void told.push(event) };
    const monotonic = () => performance.now();
    const fallback = new TokenBuckets(monotonic);
    const parts = { url: door.through(url ?? ''), fallback, journal, monotonic, deadlineMs };
    return { limiter: stack.use(new RedisRateLimiter(parts)), told };
  }

  /** Ready: what it takes is counted there. */
  async function connected(deadlineMs?: number): Promise<Process> {
    const process = newProcess(deadlineMs);
    await until('Redis decides', () => process.limiter.isShared);
    return process;
  }

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    door = stack.use(await Door.to(url ?? ''));
  });
  afterAll(() => stack.disposeAsync());
  beforeEach(() => {
    door.state = 'open';
  });

  it('counts what several processes take at once, exactly', async () => {
    const processes = [await connected(), await connected(), await connected()];
    const key = newKey();
    const limit = { perSec: 0.001, burst: 10 };
    const decisions = await Promise.all(
      processes.flatMap(({ limiter }) => Array.from({ length: 20 }, () => limiter.take(key, limit))),
    );
    expect(decisions.filter((decision) => decision.isAllowed)).toHaveLength(10);
    expect(processes.flatMap(({ told }) => told)).toEqual([]);
  });

  it('lets as many through as come back with time', async () => {
    const { limiter } = await connected();
    const key = newKey();
    const limit = { perSec: 50, burst: 1 };
    expect((await limiter.take(key, limit)).isAllowed).toBe(true);
    await until('one has come back', async () => (await limiter.take(key, limit)).isAllowed);
  });

  it('that goes away in the middle leaves each process to its own limit: bounded, not open, not closed', async () => {
    const { limiter, told } = await connected();
    const key = newKey();
    expect(await taken(limiter, key, 4)).toEqual([true, true, true, false]);
    door.state = 'shut';
    await until('the process is on its own', () => !limiter.isShared);
    expect(await taken(limiter, key, 5)).toEqual([true, true, true, false, false]);
    expect(told).toEqual(['rate_limits_local']);
    door.state = 'open';
    await until('Redis decides again', () => limiter.isShared);
    expect([told, await taken(limiter, key, 1)]).toEqual([['rate_limits_local', 'rate_limits_shared'], [false]]);
  });

  it('that falls silent costs a request no more than the deadline, and the next ones nothing', async () => {
    const { limiter, told } = await connected(300);
    door.state = 'silent';
    const startedAt = performance.now();
    await until('the process is on its own', async () => {
      await limiter.take(newKey(), SLOW);
      return told.includes('rate_limits_local');
    });
    const waited = performance.now() - startedAt;
    const pausedAt = performance.now();
    for (let request = 0; request < 200; request += 1) await limiter.take(newKey(), SLOW);
    // One deadline for each of them would be a minute.
    expect([waited >= 250, performance.now() - pausedAt < 10_000]).toEqual([true, true]);
    door.state = 'open';
    await until('Redis decides again', () => limiter.isShared);
  });

  it('that was never there is no reason not to start', async () => {
    door.state = 'shut';
    const { limiter } = newProcess();
    expect(await taken(limiter, newKey(), 4)).toEqual([true, true, true, false]);
    door.state = 'open';
    await until('Redis decides', () => limiter.isShared);
  });
});
