import { describe, expect, it } from 'vitest';
import { backoffMs, type RetryPolicy } from '../../../src/domain/time/backoff.ts';

const POLICY: RetryPolicy = {
  maxAttempts: 8,
  initialDelaySec: 5,
  backoffCoefficient: 3,
  maxDelaySec: 3600,
  jitter: 1,
  maxAgeSec: 86_400,
};
const steady = (policy: Partial<RetryPolicy>, attempt: number, retryAfterMs?: number): number =>
  backoffMs({ ...POLICY, jitter: 0, ...policy }, attempt, 0.5, retryAfterMs);

describe('the delay before the next attempt', () => {
  it('grows by the coefficient up to the maximum', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8].map((attempt) => steady({}, attempt) / 1000)).toEqual([
      5, 15, 45, 135, 405, 1215, 3600, 3600,
    ]);
  });

  it('does not overflow, whatever the attempt', () => {
    expect(steady({}, 1e9)).toBe(3_600_000);
    expect(steady({ backoffCoefficient: 1 }, 1e9)).toBe(5000);
    expect(steady({ initialDelaySec: 0 }, 1e9)).toBe(0);
    expect(steady({ initialDelaySec: 7200 }, 1)).toBe(3_600_000);
    expect(steady({ maxDelaySec: 0 }, 3)).toBe(0);
  });

  it('is taken down by chance as far as the jitter allows', () => {
    expect(backoffMs(POLICY, 3, 0)).toBe(45_000);
    expect(backoffMs(POLICY, 3, 0.5)).toBe(22_500);
    expect(backoffMs(POLICY, 3, 0.999999)).toBeLessThan(50);
    expect(backoffMs({ ...POLICY, jitter: 0.2 }, 3, 0.5)).toBe(40_500);
  });

  it('is at least what the receiver asked for, and that at most the maximum', () => {
    expect(steady({}, 1, 60_000)).toBe(60_000);
    expect(backoffMs(POLICY, 1, 0.9, 60_000)).toBe(60_000);
    expect(steady({}, 5, 60_000)).toBe(405_000);
    expect(steady({}, 1, 86_400_000)).toBe(3_600_000);
    expect(steady({}, 1, -5)).toBe(5000);
  });
});
