/** How often and how late a run is tried again. `maxAttempts` counts the first try; `jitter` is the share of a delay that chance may take away (0 to 1). */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly initialDelaySec: number;
  readonly backoffCoefficient: number;
  readonly maxDelaySec: number;
  readonly jitter: number;
  readonly maxAgeSec: number;
}

/**
 * Milliseconds between the end of attempt number `attempt` (from 1) and the next one: initial delay × coefficient^(attempt − 1), at most the
 * policy's maximum, × (1 − jitter × random) with `random` in [0, 1). What the receiver asked for (`retryAfterMs`) is a minimum, itself at most the maximum.
 */
export function backoffMs(policy: RetryPolicy, attempt: number, random: number, retryAfterMs = 0): number {
  const maxMs = policy.maxDelaySec * 1000;
  const spread = plainDelayMs(policy, attempt, maxMs) * (1 - policy.jitter * random);
  return Math.round(Math.max(spread, Math.min(retryAfterMs, maxMs), 0));
}

/** Clamped before the power is taken, so that no attempt number overflows. */
function plainDelayMs(policy: RetryPolicy, attempt: number, maxMs: number): number {
  const initialMs = policy.initialDelaySec * 1000;
  if (initialMs >= maxMs) return maxMs;
  if (initialMs <= 0) return 0;
  const powers = Math.max(attempt - 1, 0);
  const stepsToMax =
    policy.backoffCoefficient > 1 ? Math.log(maxMs / initialMs) / Math.log(policy.backoffCoefficient) : Infinity;
  return powers >= stepsToMax ? maxMs : Math.min(initialMs * policy.backoffCoefficient ** powers, maxMs);
}
