import { Redis } from 'ioredis';
import type { Journal } from '../../domain/ports/journal.ts';
import type { RateDecision, RateLimit, RateLimiter } from '../../domain/ports/rate-limiter.ts';

export interface RedisRateLimiterParts {
  readonly url: string;
  /** Decides while Redis does not. */
  readonly fallback: RateLimiter;
  readonly journal: Pick<Journal, 'note'>;
  readonly monotonic: () => number;
  /** No request waits longer for Redis. */
  readonly deadlineMs?: number | undefined;
}

const DEADLINE_MS = 100;
/** What belongs to connecting is nobody's wait. */
const CONNECTING_MS = 2_000;
/** After a failure requests are limited here for so long before one asks Redis again. */
const PAUSE_MS = 1_000;
const RECONNECT_MS = 500;

/**
 * The generic cell rate algorithm, as in `TokenBuckets`, by the clock of Redis. A key lives as long as it says something.
 * KEYS[1] the key, ARGV[1] milliseconds for each, ARGV[2] the burst. Answers allowed, remaining, retry after and reset in ms.
 */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local each = tonumber(ARGV[1])
local before = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local paid = before + each
local room = now + ARGV[2] * each - paid
if room < 0 then return {0, 0, math.ceil(-room), math.ceil(before - now)} end
redis.call('SET', KEYS[1], string.format('%.3f', paid), 'PX', math.ceil(paid - now) + 1)
return {1, math.floor(room / each), 0, math.ceil(paid - now)}`;

/** Rate limits that all processes share. While Redis is away or slow, each process limits by itself: bounded, neither open nor closed. */
export class RedisRateLimiter implements RateLimiter, AsyncDisposable {
  readonly #redis: Redis;
  readonly #fallback: RateLimiter;
  readonly #journal: Pick<Journal, 'note'>;
  readonly #monotonic: () => number;
  readonly #deadlineMs: number;
  /** Null before the first connection. */
  #isShared: boolean | null = null;
  #askAgainAt = Number.NEGATIVE_INFINITY;

  constructor({ url, fallback, journal, monotonic, deadlineMs = DEADLINE_MS }: RedisRateLimiterParts) {
    this.#fallback = fallback;
    this.#journal = journal;
    this.#monotonic = monotonic;
    this.#deadlineMs = deadlineMs;
    this.#redis = new Redis(url, {
      commandTimeout: CONNECTING_MS,
      connectTimeout: CONNECTING_MS,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      retryStrategy: () => RECONNECT_MS,
    });
    this.#redis.on('error', (error: Error) => this.#tell(false, error.message));
    this.#redis.on('close', () => this.#tell(false, 'the connection was closed'));
    this.#redis.on('ready', () => this.#tell(true, ''));
  }

  /** Whether Redis decides now. */
  get isShared(): boolean {
    return this.#isShared === true && this.#redis.status === 'ready';
  }

  async take(key: string, limit: RateLimit): Promise<RateDecision> {
    if (this.#redis.status !== 'ready' || this.#monotonic() < this.#askAgainAt) return this.#fallback.take(key, limit);
    try {
      const decision = decisionOf(await this.#ask(key, limit));
      this.#tell(true, '');
      return decision;
    } catch (error) {
      this.#askAgainAt = this.#monotonic() + PAUSE_MS;
      this.#tell(false, error instanceof Error ? error.message : String(error));
      // A connection that says nothing any more would never be given up by itself.
      if (this.#redis.status === 'ready') this.#redis.disconnect(true);
      return this.#fallback.take(key, limit);
    }
  }

  /** The answer of Redis. Rejects when the deadline has passed: what was asked may have been counted there. */
  async #ask(key: string, { perSec, burst }: RateLimit): Promise<unknown> {
    const { promise: expired, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error('no answer in time')), this.#deadlineMs);
    const asked = this.#redis.eval(TAKE, 1, `scheduler:rate:${key}`, 1000 / perSec, burst);
    asked.catch(() => undefined);
    try {
      return await Promise.race([asked, expired]);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.removeAllListeners();
    this.#redis.on('error', () => undefined);
    this.#redis.disconnect();
  }

  #tell(isShared: boolean, reason: string): void {
    const isFirst = this.#isShared === null && isShared;
    if (isShared === this.#isShared) return;
    this.#isShared = isShared;
    if (isFirst) return;
    this.#journal.note(isShared ? 'rate_limits_shared' : 'rate_limits_local', isShared ? {} : { reason });
  }
}

function decisionOf(answer: unknown): RateDecision {
  const [allowed, remaining, retryAfterMs, resetMs] = Array.isArray(answer) ? answer.map(Number) : [];
  if (allowed === undefined || remaining === undefined || retryAfterMs === undefined || resetMs === undefined)
    throw new Error('Redis answered something else than a decision');
  return { isAllowed: allowed === 1, remaining, retryAfterMs, resetMs };
}
