import { describe, expect, it } from 'vitest';
import { areUntold, attemptsOf } from '../../../src/infra/repo/untold-attempts.ts';

const STARTED = new Date('2026-03-01T10:00:00.000Z');
const ENDED = new Date('2026-03-01T10:00:00.250Z');
const ATTEMPT = {
  number: 1,
  startedAt: STARTED.toISOString(),
  endedAt: ENDED.toISOString(),
  outcome: 'ACCEPTED',
} as const;
const ROW = { state: 'SUCCEEDED', attempts: [], startedAt: STARTED, endedAt: ENDED, httpStatus: null } as const;

describe('attempts that a row tells without a list', () => {
  it('are one that was accepted, with its status where there is one, and nothing more', () => {
    expect(areUntold([ATTEMPT])).toBe(true);
    expect(areUntold([{ ...ATTEMPT, httpStatus: 200 }])).toBe(true);
    const more = [{ error: 'late' }, { responseSnippet: 'ok' }, { final: true }, { possibleDuplicate: true }] as const;
    for (const told of more) expect(areUntold([{ ...ATTEMPT, ...told }]), JSON.stringify(told)).toBe(false);
    for (const httpStatus of [204.5, 40_000, -1, Number.NaN])
      expect(areUntold([{ ...ATTEMPT, httpStatus }]), String(httpStatus)).toBe(false);
    expect(areUntold([ATTEMPT, { ...ATTEMPT, number: 2 }])).toBe(false);
    expect(areUntold([])).toBe(false);
  });

  it('are read back as they were', () => {
    expect(attemptsOf(ROW)).toEqual([ATTEMPT]);
    expect(attemptsOf({ ...ROW, httpStatus: 201 })).toEqual([{ ...ATTEMPT, httpStatus: 201 }]);
  });

  it('are none where the run has not succeeded, and the list where there is one, as in rows of older builds', () => {
    expect(attemptsOf({ ...ROW, state: 'CANCELLED' })).toEqual([]);
    const listed = [{ ...ATTEMPT, httpStatus: 204 }];
    expect(attemptsOf({ ...ROW, attempts: listed })).toBe(listed);
  });
});
