import type { RetryPolicy } from '../time/backoff.ts';
import { type Attempt, budgetOf, dead, endedAttempt, type Settlement } from './run.ts';

/** A run whose attempt is not made now. Instants are epoch ms by the database's clock. */
export interface Postponement {
  readonly before: readonly Attempt[];
  readonly now: number;
  readonly firstDue: number;
  /** When it is to be tried, were its policy without end. */
  readonly until: number;
}

/**
 * The run waits again, with the reason BREAKER, and no attempt is used. It waits no longer than to the end of its retry horizon, where it gets a last
 * chance; past it, it is DEAD. The horizon of a redriven run counts from the first try, so one is recorded, as aborted.
 */
export function postponeRun(policy: RetryPolicy, { before, now, firstDue, until }: Postponement): Settlement {
  const postponed = { kind: 'aborted', attempt: 'ABORTED', reason: 'its destination does not answer' } as const;
  const tried = { before, startedAt: now, endedAt: now, firstDue, outcome: postponed };
  const attempts = before.at(-1)?.final === true ? [...before, endedAttempt(tried)] : before;
  const horizon = budgetOf(tried).since + policy.maxAgeSec * 1000;
  if (now >= horizon) return dead('MAX_AGE', attempts);
  return { state: 'RETRYING', reason: 'BREAKER', attempts, retryAt: Math.round(Math.min(until, horizon)) };
}
