import type { RateDecision, RateLimit, RateLimiter } from '../ports/rate-limiter.ts';

const MOST_KEPT = 20_000;

/**
 * Rate limits of this process alone, by the generic cell rate algorithm (ITU-T I.371): each key has one number, the instant at which
 * all that was taken will have been paid for.
 */
export class TokenBuckets implements RateLimiter {
  readonly #monotonic: () => number;
  readonly #paidAt = new Map<string, number>();

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  async take(key: string, limit: RateLimit): Promise<RateDecision> {
    return this.takeNow(key, limit);
  }

  takeNow(key: string, limit: RateLimit): RateDecision {
    const { decision, paidAt } = this.#decide(key, limit);
    if (decision.isAllowed) this.#keep(key, paidAt);
    return decision;
  }

  /** What `takeNow` would answer; takes nothing. */
  look(key: string, limit: RateLimit): RateDecision {
    return this.#decide(key, limit).decision;
  }

  #decide(key: string, { perSec, burst }: RateLimit): { readonly decision: RateDecision; readonly paidAt: number } {
    const now = this.#monotonic();
    const each = 1000 / perSec;
    const before = Math.max(this.#paidAt.get(key) ?? now, now);
    const paidAt = before + each;
    const room = now + burst * each - paidAt;
    if (room < 0)
      return { decision: { isAllowed: false, remaining: 0, retryAfterMs: -room, resetMs: before - now }, paidAt };
    const remaining = Math.floor(room / each);
    return { decision: { isAllowed: true, remaining, retryAfterMs: 0, resetMs: paidAt - now }, paidAt };
  }

  /** The one that was used longest ago goes first when there are too many. */
  #keep(key: string, paidAt: number): void {
    this.#paidAt.delete(key);
    const [oldest] = this.#paidAt.keys();
    if (this.#paidAt.size >= MOST_KEPT && oldest !== undefined) this.#paidAt.delete(oldest);
    this.#paidAt.set(key, paidAt);
  }
}
