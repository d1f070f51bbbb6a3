import { type Admission, BREAKER_RULE, type BreakerRule, CircuitBreaker } from '../entities/circuit-breaker.ts';
import { healthShownBy } from '../entities/destination.ts';
import type { Outcome } from '../entities/run.ts';
import type { TenantId } from '../ids.ts';
import type { Journal } from '../ports/journal.ts';

/** Whose deliveries, and to whom: one tenant's trouble with an origin is not another's. */
export interface Destination {
  readonly tenantId: TenantId;
  readonly origin: string;
}

const PASS: Admission = { kind: 'PASS' };
/** Destinations with failures that are remembered; beyond, the one that failed longest ago is forgotten. */
const MOST = 10_000;

/** The breakers of this process. Only destinations that failed lately have one. */
export class CircuitBreakers {
  readonly #journal: Pick<Journal, 'breakerChanged'>;
  readonly #rule: BreakerRule;
  readonly #most: number;
  /** In the order of their latest failure. */
  readonly #breakers = new Map<string, CircuitBreaker>();

  constructor(journal: Pick<Journal, 'breakerChanged'>, rule: BreakerRule = BREAKER_RULE, most = MOST) {
    this.#journal = journal;
    this.#rule = rule;
    this.#most = most;
  }

  get size(): number {
    return this.#breakers.size;
  }

  /** Whether an attempt at the destination may start at `now` (monotonic). */
  ask(to: Destination, now: number): Admission {
    if (this.#breakers.size === 0) return PASS;
    const breaker = this.#breakers.get(nameOf(to));
    if (breaker === undefined) return PASS;
    return this.#telling(to, breaker, () => breaker.ask(now));
  }

  /** An attempt ended, at `now` (monotonic). */
  ended(to: Destination, of: { readonly outcome: Outcome; readonly isProbe: boolean }, now: number): void {
    const health = healthShownBy(of.outcome);
    if (health !== 'DOWN' && this.#breakers.size === 0) return;
    const name = nameOf(to);
    const breaker = this.#breakers.get(name) ?? (health === 'DOWN' ? new CircuitBreaker(this.#rule) : undefined);
    if (breaker === undefined) return;
    this.#telling(to, breaker, () => {
      if (health === 'UP') breaker.succeeded(of.isProbe);
      else if (health === 'DOWN') breaker.failed(now, of.isProbe);
      else breaker.ended(now, of.isProbe);
    });
    if (health === 'DOWN') this.#remember(name, breaker);
    else if (health === 'UP' && breaker.state === 'CLOSED') this.#breakers.delete(name);
  }

  #remember(name: string, breaker: CircuitBreaker): void {
    this.#breakers.delete(name);
    this.#breakers.set(name, breaker);
    const [oldest] = this.#breakers.keys();
    if (this.#breakers.size > this.#most && oldest !== undefined) this.#breakers.delete(oldest);
  }

  #telling<Answer>({ tenantId, origin }: Destination, breaker: CircuitBreaker, act: () => Answer): Answer {
    const before = breaker.state;
    const answer = act();
    const { state, openMs } = breaker;
    if (state !== before)
      this.#journal.breakerChanged({ tenantId, origin, state, openMs: state === 'OPEN' ? openMs : null });
    return answer;
  }
}

function nameOf({ tenantId, origin }: Destination): string {
  return `${tenantId} ${origin}`;
}
