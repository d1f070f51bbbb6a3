/** So many a second on average, and `burst` at once. */
export interface RateLimit {
  readonly perSec: number;
  readonly burst: number;
}

export interface RateDecision {
  readonly isAllowed: boolean;
  /** How many more would be allowed now. */
  readonly remaining: number;
  /** Until one more is allowed; 0 where this one is. */
  readonly retryAfterMs: number;
  /** Until a whole burst is allowed again. */
  readonly resetMs: number;
}

/** Counts what comes by key. Never throws: a limiter that cannot ask others limits by itself. */
export interface RateLimiter {
  take(key: string, limit: RateLimit): Promise<RateDecision>;
}
