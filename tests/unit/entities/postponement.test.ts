import { describe, expect, it } from 'vitest';
import { postponeRun } from '../../../src/domain/entities/postponement.ts';
import type { Attempt } from '../../../src/domain/entities/run.ts';
import { HOUR, MINUTE, SECOND, TEN } from './builders.ts';

const POLICY = {
  maxAttempts: 3,
  initialDelaySec: 10,
  backoffCoefficient: 2,
  maxDelaySec: 60,
  jitter: 1,
  maxAgeSec: 3600,
};
const RETRYING = { state: 'RETRYING', reason: 'BREAKER' } as const;

function attempt(number: number, at: number, final = false): Attempt {
  const instant = new Date(at).toISOString();
  return { number, startedAt: instant, endedAt: instant, outcome: 'TIMEOUT', ...(final && { final }) };
}

describe('a run that is put off', () => {
  it('waits as long as it should, and has used no attempt', () => {
    const before = [attempt(1, TEN)];
    const put = postponeRun(POLICY, { before, now: TEN + MINUTE, firstDue: TEN, until: TEN + 2 * MINUTE });
    expect(put).toEqual({ ...RETRYING, attempts: before, retryAt: TEN + 2 * MINUTE });
  });

  it('waits no longer than to the end of its retry horizon', () => {
    const put = postponeRun(POLICY, { before: [], now: TEN + HOUR - SECOND, firstDue: TEN, until: TEN + 2 * HOUR });
    expect(put).toEqual({ ...RETRYING, attempts: [], retryAt: TEN + HOUR });
  });

  it('is DEAD when it is put off again there', () => {
    const put = postponeRun(POLICY, { before: [], now: TEN + HOUR, firstDue: TEN, until: TEN + 2 * HOUR });
    expect(put).toEqual({ state: 'DEAD', reason: 'MAX_AGE', attempts: [], retryAt: null });
  });

  it('counts its age from its redrive, where it was dead before', () => {
    const before = [attempt(1, TEN, true)];
    const redriven = TEN + 10 * HOUR;
    const first = postponeRun(POLICY, { before, now: redriven, firstDue: TEN, until: redriven + MINUTE });
    expect(first).toMatchObject({ ...RETRYING, retryAt: redriven + MINUTE });
    expect(first.attempts.slice(1)).toMatchObject([{ number: 2, outcome: 'ABORTED' }]);
    const again = { before: first.attempts, firstDue: TEN };
    expect(postponeRun(POLICY, { ...again, now: redriven + MINUTE, until: redriven + 2 * HOUR })).toEqual({
      ...RETRYING,
      attempts: first.attempts,
      retryAt: redriven + HOUR,
    });
    expect(postponeRun(POLICY, { ...again, now: redriven + HOUR, until: redriven + 2 * HOUR })).toMatchObject({
      state: 'DEAD',
      reason: 'MAX_AGE',
    });
  });
});
