/** When a breaker opens and for how long. */
export interface BreakerRule {
  /** So many failures in a row … */
  readonly failures: number;
  /** … of which the first is at most so old. */
  readonly withinMs: number;
  /** How long it stays open the first time; each probe that fails adds as much. */
  readonly openMs: number;
  readonly longestOpenMs: number;
}

/** Envoy's defaults for outlier ejection: 5 consecutive failures, 30 s more each time, at most 300 s. */
export const BREAKER_RULE: BreakerRule = {
  failures: 5,
  withinMs: 60_000,
  openMs: 30_000,
  longestOpenMs: 300_000,
};

export type BreakerState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

/** Whether an attempt may start. WAIT: not before `waitMs`, and best spread over the `spreadMs` after it. */
export type Admission =
  | { readonly kind: 'PASS' }
  | { readonly kind: 'PROBE' }
  | { readonly kind: 'WAIT'; readonly waitMs: number; readonly spreadMs: number };

/**
 * Keeps attempts away from a destination that does not answer. CLOSED lets all pass; failures in a row open it; OPEN lets none
 * pass until its time is over, then one, the probe (HALF_OPEN), whose outcome closes it or opens it for longer. What
 * attempts from before the opening tell of is ignored. Instants are monotonic ms.
 */
export class CircuitBreaker {
  readonly #rule: BreakerRule;
  #state: BreakerState = 'CLOSED';
  /** Of the latest failures in a row, oldest first. */
  #failedAt: number[] = [];
  #openings = 0;
  #opensAgainAt = 0;

  constructor(rule: BreakerRule) {
    this.#rule = rule;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** How long it is open at a time now. */
  get openMs(): number {
    return Math.min(this.#rule.openMs * Math.max(1, this.#openings), this.#rule.longestOpenMs);
  }

  /** Asked before each attempt; PROBE is answered once, and its attempt must end in a call of the three below. */
  ask(now: number): Admission {
    if (this.#state === 'CLOSED') return { kind: 'PASS' };
    if (this.#state === 'HALF_OPEN') return { kind: 'WAIT', waitMs: 0, spreadMs: this.openMs };
    const waitMs = this.#opensAgainAt - now;
    if (waitMs > 0) return { kind: 'WAIT', waitMs, spreadMs: this.openMs };
    this.#state = 'HALF_OPEN';
    return { kind: 'PROBE' };
  }

  /** The destination answered. */
  succeeded(isProbe: boolean): void {
    if (isProbe) {
      this.#state = 'CLOSED';
      this.#openings = 0;
    }
    if (this.#state === 'CLOSED') this.#failedAt = [];
  }

  /** The destination did not answer. */
  failed(now: number, isProbe: boolean): void {
    if (isProbe) this.#open(now);
    if (this.#state !== 'CLOSED') return;
    this.#failedAt = [...this.#failedAt, now].slice(-this.#rule.failures);
    const [first = now] = this.#failedAt;
    if (this.#failedAt.length === this.#rule.failures && now - first <= this.#rule.withinMs) this.#open(now);
  }

  /** The attempt ended without telling anything; after a probe the next attempt is one. */
  ended(now: number, isProbe: boolean): void {
    if (!isProbe) return;
    this.#state = 'OPEN';
    this.#opensAgainAt = now;
  }

  #open(now: number): void {
    this.#state = 'OPEN';
    this.#openings += 1;
    this.#failedAt = [];
    this.#opensAgainAt = now + this.openMs;
  }
}
