import { describe, expect, test } from 'vitest';
import {
  type Attempt,
  boundedAttempts,
  type EndedAttempt,
  type Outcome,
  settleAttempt,
} from '../../../src/domain/entities/run.ts';
import type { RetryPolicy } from '../../../src/domain/time/backoff.ts';
import { HOUR, SECOND, TEN } from './builders.ts';

const POLICY: RetryPolicy = {
  maxAttempts: 3,
  initialDelaySec: 10,
  backoffCoefficient: 2,
  maxDelaySec: 60,
  jitter: 1,
  maxAgeSec: 3600,
};
const FAILED: Outcome = { kind: 'unanswered', attempt: 'HTTP_STATUS', httpStatus: 503, reason: 'the answer was 503' };
const ABORTED: Outcome = { kind: 'aborted', attempt: 'ABORTED', possibleDuplicate: true };

function ended(outcome: Outcome, given: Partial<EndedAttempt> = {}): EndedAttempt {
  return { before: [], startedAt: TEN, endedAt: TEN + 40, firstDue: TEN, outcome, ...given };
}

function tried(...outcomes: Attempt['outcome'][]): readonly Attempt[] {
  const instant = new Date(TEN).toISOString();
  return outcomes.map((outcome, index) => ({ number: index + 1, startedAt: instant, endedAt: instant, outcome }));
}

describe('runs of a burst', () => {
  const accepted: Outcome = { kind: 'accepted', attempt: 'ACCEPTED' };
  const attemptsOf = (outcome: Outcome, given: Partial<EndedAttempt> = {}): readonly Attempt[] =>
    settleAttempt(POLICY, ended(outcome, given), 0).attempts;

  test('share their attempts where each had one, with the same end at the same time', () => {
    const attempts = attemptsOf(accepted);
    expect(attemptsOf(accepted)).toBe(attempts);
    expect(attempts).toMatchObject([{ number: 1, outcome: 'ACCEPTED' }]);
  });

  test.each([
    ['began at another time', accepted, { startedAt: TEN + 1 }, { number: 1, outcome: 'ACCEPTED' }],
    ['ended at another time', accepted, { endedAt: TEN + 41 }, { number: 1, outcome: 'ACCEPTED' }],
    ['ended otherwise', FAILED, {}, { number: 1, outcome: 'HTTP_STATUS' }],
    ['was tried before', accepted, { before: tried('TIMEOUT') }, { number: 2, outcome: 'ACCEPTED' }],
  ] as const)('and one that %s has its own', (_what, outcome, given, last) => {
    const shared = attemptsOf(accepted);
    const own = attemptsOf(outcome, given);
    expect(own).not.toBe(shared);
    const { startedAt, endedAt } = ended(outcome, given);
    const at = { startedAt: new Date(startedAt).toISOString(), endedAt: new Date(endedAt).toISOString() };
    expect(own.at(-1)).toMatchObject({ ...last, ...at });
    expect(attemptsOf(accepted)).toEqual(shared);
  });
});

describe('after an attempt', () => {
  test('that was accepted the run has succeeded', () => {
    expect(settleAttempt(POLICY, ended({ kind: 'accepted', attempt: 'ACCEPTED', httpStatus: 204 }), 0)).toEqual({
      state: 'SUCCEEDED',
      reason: null,
      attempts: [
        {
          number: 1,
          startedAt: '2026-03-02T10:00:00.000Z',
          endedAt: '2026-03-02T10:00:00.040Z',
          outcome: 'ACCEPTED',
          httpStatus: 204,
        },
      ],
      retryAt: null,
    });
  });

  test.each(['REFUSED', 'GONE', 'EGRESS'] as const)('that was refused for good (%s) the run is dead at once', (why) => {
    expect(settleAttempt(POLICY, ended({ kind: 'refused', attempt: 'REFUSED', why }), 0)).toMatchObject({
      state: 'DEAD',
      reason: why,
      retryAt: null,
    });
  });

  test('without an answer it is tried again after the backoff', () => {
    expect(settleAttempt(POLICY, ended(FAILED), 0)).toMatchObject({
      state: 'RETRYING',
      reason: null,
      retryAt: TEN + 40 + 10 * SECOND,
    });
    expect(settleAttempt(POLICY, ended(FAILED, { before: tried('TIMEOUT') }), 0)).toMatchObject({
      retryAt: TEN + 40 + 20 * SECOND,
    });
  });

  test('chance takes its share of the delay', () => {
    expect(settleAttempt(POLICY, ended(FAILED), 0.75)).toMatchObject({ retryAt: TEN + 40 + 2.5 * SECOND });
  });

  test('a longer wait that the receiver asks for is granted, up to the longest delay', () => {
    expect(settleAttempt(POLICY, ended({ ...FAILED, retryAfterMs: 30 * SECOND }), 0)).toMatchObject({
      retryAt: TEN + 40 + 30 * SECOND,
    });
    expect(settleAttempt(POLICY, ended({ ...FAILED, retryAfterMs: HOUR }), 0)).toMatchObject({
      retryAt: TEN + 40 + 60 * SECOND,
    });
  });

  test('that was the last one the run is exhausted', () => {
    expect(settleAttempt(POLICY, ended(FAILED, { before: tried('TIMEOUT', 'NETWORK') }), 0)).toMatchObject({
      state: 'DEAD',
      reason: 'EXHAUSTED',
    });
  });

  test('whose successor would come past the horizon the run is dead', () => {
    expect(settleAttempt(POLICY, ended(FAILED, { endedAt: TEN + HOUR - 5 * SECOND }), 0)).toMatchObject({
      state: 'DEAD',
      reason: 'MAX_AGE',
    });
    expect(settleAttempt(POLICY, ended(FAILED, { endedAt: TEN + HOUR - 10 * SECOND }), 0)).toMatchObject({
      state: 'RETRYING',
    });
  });

  test('that we broke off it is due at once, and no attempt is used', () => {
    expect(settleAttempt(POLICY, ended(ABORTED), 0)).toMatchObject({
      state: 'RETRYING',
      retryAt: TEN + 40,
      attempts: [{ outcome: 'ABORTED', possibleDuplicate: true }],
    });
    const [aborted, timedOut] = [...tried('ABORTED'), ...tried('TIMEOUT')];
    if (aborted === undefined || timedOut === undefined) throw new Error('nothing was tried');
    const after = settleAttempt(POLICY, ended(FAILED, { before: [aborted, timedOut] }), 0);
    expect(after).toMatchObject({ state: 'RETRYING', retryAt: TEN + 40 + 20 * SECOND });
    expect(after.attempts.map((attempt) => attempt.number)).toEqual([1, 1, 2]);
  });

  test('of a run that nobody here can start it waits as long as the sender says', () => {
    const handedBack: Outcome = { ...ABORTED, kind: 'aborted', retryAfterMs: SECOND };
    expect(settleAttempt(POLICY, ended(handedBack), 0)).toMatchObject({
      state: 'RETRYING',
      retryAt: TEN + 40 + SECOND,
    });
  });

  test('of a redriven run the budget is new: attempts and age count from the redrive', () => {
    const first = settleAttempt(POLICY, ended(FAILED, { before: tried('TIMEOUT', 'TIMEOUT') }), 0);
    expect(first).toMatchObject({ state: 'DEAD', reason: 'EXHAUSTED' });
    expect(first.attempts.at(-1)).toMatchObject({ number: 3, final: true });
    const day = 24 * HOUR;
    const again = settleAttempt(
      POLICY,
      ended(FAILED, { before: first.attempts, startedAt: TEN + day, endedAt: TEN + day + 40 }),
      0,
    );
    expect(again).toMatchObject({ state: 'RETRYING', retryAt: TEN + day + 40 + 10 * SECOND });
    expect(again.attempts.at(-1)).toMatchObject({ number: 4 });
  });

  test('an allowance beyond what is kept of the list ends all the same', () => {
    const policy = { ...POLICY, maxAttempts: 100, maxAgeSec: 1e9 };
    const kept = boundedAttempts(
      Array.from({ length: 99 }, (_, index) => ({ ...tried('TIMEOUT')[0], number: index + 1 }) as Attempt),
    );
    expect(settleAttempt(policy, ended(FAILED, { before: kept }), 0)).toMatchObject({
      state: 'DEAD',
      reason: 'EXHAUSTED',
    });
  });

  test('the attempts are numbered on, also where the middle of the list is gone', () => {
    const before = [...tried('TIMEOUT'), { ...tried('TIMEOUT')[0], number: 77 } as Attempt];
    expect(settleAttempt({ ...POLICY, maxAttempts: 100 }, ended(FAILED, { before }), 0).attempts.at(-1)).toMatchObject({
      number: 78,
    });
  });
});

test('a run keeps its first and its latest attempts, fifty in all', () => {
  const many = Array.from({ length: 120 }, (_, index) => ({ ...tried('TIMEOUT')[0], number: index + 1 }) as Attempt);
  const kept = boundedAttempts(many).map((attempt) => attempt.number);
  expect([kept.length, kept[0], kept[1], kept.at(-1)]).toEqual([50, 1, 72, 120]);
  expect(boundedAttempts(many.slice(0, 50))).toHaveLength(50);
});

test('of the latest three attempts a run keeps what was answered', () => {
  const answered = tried('TIMEOUT', 'TIMEOUT', 'TIMEOUT', 'TIMEOUT').map((attempt, index) => ({
    ...attempt,
    responseSnippet: `sorry ${index + 1}`,
  }));
  const kept = boundedAttempts(answered).map((attempt) => attempt.responseSnippet);
  expect(kept).toEqual([undefined, 'sorry 2', 'sorry 3', 'sorry 4']);
});
