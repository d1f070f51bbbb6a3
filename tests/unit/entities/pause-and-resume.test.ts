import { describe, expect, test } from 'vitest';
import type { MissedChoice, ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import { ScheduleEntity } from '../../../src/domain/entities/schedule.ts';
import { actAt, at, codeOf, createdAt, DAY, HOUR, MINUTE, SECOND, TEN } from './builders.ts';

const CREATED = TEN - MINUTE;
const WITHOUT_NOTE = { note: null, resumeAt: null };
const SECONDLY = { type: 'CRON', cron: '* * * * * *' } as const;

function paused(given: Partial<ScheduleInput> = {}): ScheduleEntity {
  return createdAt(CREATED, given).pause(WITHOUT_NOTE, actAt(CREATED));
}

function resumed(schedule: ScheduleEntity, missed: MissedChoice, now: number): unknown {
  const { state, timer, passed } = schedule.resume(missed, actAt(now));
  const skipped = passed?.skipped;
  return {
    state: state.state,
    fired: passed?.fired.map(at) ?? [],
    skipped:
      skipped === null || skipped === undefined
        ? null
        : `${at(skipped.from)}..${at(skipped.to)} ${skipped.count} ${skipped.reason}`,
    due: at(timer.due),
  };
}

describe('pausing', () => {
  test('says who, when, why and until when, in UTC', () => {
    const { state, timer } = createdAt(CREATED).pause(
      { note: 'freeze', resumeAt: '2026-03-03T01:00:00+01:00' },
      actAt(TEN),
    );
    expect(state.pause).toEqual({
      note: 'freeze',
      by: 'ada',
      at: '2026-03-02T10:00:00.000Z',
      resumeAt: '2026-03-03T00:00:00.000Z',
    });
    expect([state.state, state.version, at(timer.slot)]).toEqual(['PAUSED', 2, '2026-03-02T10:00:00Z']);
  });

  test.each(['2026-03-02T10:00:00Z', 'tomorrow'])('until %s is refused: not in the future', (resumeAt) => {
    expect(codeOf(() => createdAt(CREATED).pause({ note: null, resumeAt }, actAt(TEN)))).toBe('VALIDATION_FAILED');
  });

  test('twice is a conflict', () => {
    expect(codeOf(() => paused().pause(WITHOUT_NOTE, actAt(TEN)))).toBe('CONFLICT');
  });
});

describe('resuming', () => {
  const THREE_LATER = TEN + 2 * HOUR + MINUTE;

  test('before a slot came due is as if nothing had been', () => {
    expect(resumed(paused(), 'FIRE_ALL', TEN - SECOND)).toEqual({
      state: 'ACTIVE',
      fired: [],
      skipped: null,
      due: '2026-03-02T10:00:00Z',
    });
  });

  test('with SKIP records what passed as one stretch', () => {
    expect(resumed(paused(), 'SKIP', THREE_LATER)).toEqual({
      state: 'ACTIVE',
      fired: [],
      skipped: '2026-03-02T10:00:00Z..2026-03-02T12:00:00Z 3 PAUSED',
      due: '2026-03-02T13:00:00Z',
    });
  });

  test('with FIRE_ONCE fires the latest', () => {
    expect(resumed(paused(), 'FIRE_ONCE', THREE_LATER)).toEqual({
      state: 'ACTIVE',
      fired: ['2026-03-02T12:00:00Z'],
      skipped: '2026-03-02T10:00:00Z..2026-03-02T11:00:00Z 2 PAUSED',
      due: '2026-03-02T13:00:00Z',
    });
  });

  test('with FIRE_ALL fires each', () => {
    expect(resumed(paused(), 'FIRE_ALL', THREE_LATER)).toEqual({
      state: 'ACTIVE',
      fired: ['2026-03-02T10:00:00Z', '2026-03-02T11:00:00Z', '2026-03-02T12:00:00Z'],
      skipped: null,
      due: '2026-03-02T13:00:00Z',
    });
  });

  test('counts the fired slots and moves the cursor past all of them', () => {
    const { timer } = paused().resume('FIRE_ALL', actAt(THREE_LATER));
    expect(timer).toMatchObject({ fires: 3, lastFired: TEN + 2 * HOUR, cursor: TEN + 2 * HOUR });
    expect(paused().resume('SKIP', actAt(THREE_LATER)).timer).toMatchObject({
      fires: 0,
      lastFired: null,
      cursor: TEN + 2 * HOUR,
    });
  });

  test('with FIRE_ALL after years of seconds fires the last thousand, in no time', () => {
    const { passed, timer } = paused({ trigger: SECONDLY }).resume('FIRE_ALL', actAt(TEN + 3 * 365 * DAY));
    expect([passed?.fired.length, at(passed?.fired[0]), at(passed?.fired.at(-1))]).toEqual([
      1000,
      '2029-03-01T09:43:21Z',
      '2029-03-01T10:00:00Z',
    ]);
    expect(passed?.skipped).toEqual({
      from: CREATED + SECOND,
      to: (passed?.fired[0] ?? 0) - SECOND,
      count: null,
      reason: 'PAUSED',
    });
    expect(at(timer.slot)).toBe('2029-03-01T10:00:01Z');
  });

  test('leaves a slot that jitter holds back to its time', () => {
    const jittered = paused({ jitter: 'PT59M' });
    const { slot, due } = jittered.timer;
    expect(resumed(jittered, 'FIRE_ONCE', due - 1)).toMatchObject({ fired: [], skipped: null, due: at(due) });
    const second = jittered.currentVersion.dueOf(slot + HOUR);
    expect(resumed(jittered, 'FIRE_ONCE', second - 1)).toMatchObject({
      fired: [at(slot)],
      skipped: null,
      due: at(second),
    });
  });

  test('fires no more than maxFires allows', () => {
    expect(resumed(paused({ maxFires: 2 }), 'FIRE_ALL', THREE_LATER)).toEqual({
      state: 'ACTIVE',
      fired: ['2026-03-02T11:00:00Z', '2026-03-02T12:00:00Z'],
      skipped: '2026-03-02T10:00:00Z..2026-03-02T10:00:00Z 1 PAUSED',
      due: 'never',
    });
  });

  test('stops at endAt, and completes when nothing is left to wait for', () => {
    const ending = paused({ endAt: new Date(TEN + 90 * MINUTE) });
    expect(resumed(ending, 'SKIP', TEN + DAY)).toEqual({
      state: 'COMPLETED',
      fired: [],
      skipped: '2026-03-02T10:00:00Z..2026-03-02T11:00:00Z 2 PAUSED',
      due: expect.anything(),
    });
    expect(resumed(ending, 'FIRE_ONCE', TEN + DAY)).toMatchObject({
      state: 'ACTIVE',
      fired: ['2026-03-02T11:00:00Z'],
      due: 'never',
    });
  });

  test('a ONE_SHOT that passed fires or is skipped, as chosen', () => {
    const once = paused({ trigger: { type: 'ONE_SHOT', startAt: '2026-03-02T10:00:00Z' } });
    expect(resumed(once, 'FIRE_ONCE', TEN + HOUR)).toEqual({
      state: 'ACTIVE',
      fired: ['2026-03-02T10:00:00Z'],
      skipped: null,
      due: 'never',
    });
    expect(resumed(once, 'SKIP', TEN + HOUR)).toMatchObject({
      state: 'COMPLETED',
      fired: [],
      skipped: '2026-03-02T10:00:00Z..2026-03-02T10:00:00Z 1 PAUSED',
    });
  });

  describe('a FIXED_DELAY chain', () => {
    const chain = paused({ trigger: { type: 'FIXED_DELAY', delaySec: 60 } });

    test('goes on from the run that FIRE_ONCE makes, and from now with SKIP', () => {
      expect(resumed(chain, 'FIRE_ONCE', TEN + HOUR)).toEqual({
        state: 'ACTIVE',
        fired: ['2026-03-02T10:00:00Z'],
        skipped: null,
        due: 'never',
      });
      expect(resumed(chain, 'SKIP', TEN + HOUR)).toMatchObject({
        skipped: '2026-03-02T10:00:00Z..2026-03-02T10:00:00Z 1 PAUSED',
        due: '2026-03-02T11:01:00Z',
      });
    });

    test('whose run may have ended meanwhile begins again from now', () => {
      const waiting = new ScheduleEntity(chain.state, {
        ...chain.timer,
        due: Number.POSITIVE_INFINITY,
        cursor: TEN,
        lastFired: TEN,
        fires: 1,
      });
      expect(resumed(waiting, 'FIRE_ALL', TEN + HOUR)).toEqual({
        state: 'ACTIVE',
        fired: [],
        skipped: null,
        due: '2026-03-02T11:01:00Z',
      });
    });
  });

  test('a DISABLED schedule forgets why', () => {
    const { state, timer } = createdAt(CREATED);
    const disabled = new ScheduleEntity(
      { ...state, state: 'DISABLED', stateReason: 'the target answered 410 Gone' },
      timer,
    );
    expect(disabled.resume('SKIP', actAt(CREATED)).state).toMatchObject({ state: 'ACTIVE', stateReason: null });
  });

  test('an active schedule is a conflict', () => {
    expect(codeOf(() => createdAt(CREATED).resume('SKIP', actAt(TEN)))).toBe('CONFLICT');
  });
});
