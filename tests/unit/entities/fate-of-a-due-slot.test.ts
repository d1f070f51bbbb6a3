import { describe, expect, test } from 'vitest';
import type { OverlapPolicy } from '../../../src/domain/entities/definition.ts';
import type { ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import type { FireDecision, PreviousRun, TimerState } from '../../../src/domain/entities/timer.ts';
import { at, DAY, HOUR, MINUTE, SECOND, TEN, versionOf } from './builders.ts';

const TIMER: TimerState = { slot: TEN, due: TEN, cursor: TEN - HOUR, lastFired: TEN - HOUR, fires: 3 };

function fate(
  given: Partial<ScheduleInput>,
  now: number,
  previous: PreviousRun = 'ENDED',
  timer: Partial<TimerState> = {},
): unknown {
  return shown(versionOf(given).fire({ ...TIMER, ...timer }, now, previous));
}

function misfire(policy: 'SKIP' | 'FIRE_ONCE' | 'FIRE_ALL', windowSec = 86_400): Partial<ScheduleInput> {
  return { misfire: { policy, thresholdSec: 60, windowSec } };
}

/** A decision in few words. */
function shown({ fired, skipped, next }: FireDecision): unknown {
  const timer =
    next === 'COMPLETED' || 'disabled' in next
      ? next
      : { slot: at(next.slot), due: at(next.due), cursor: at(next.cursor), fires: next.fires };
  return {
    fired: fired === null ? null : `${at(fired.slot)} ${fired.cause} ${fired.start}`,
    skipped: skipped === null ? null : `${at(skipped.from)}..${at(skipped.to)} ${skipped.count} ${skipped.reason}`,
    next: timer,
  };
}

const ELEVEN = { slot: '2026-03-02T11:00:00Z', due: '2026-03-02T11:00:00Z', cursor: '2026-03-02T10:00:00Z', fires: 4 };

describe('a slot on time', () => {
  test('fires, and the next slot comes', () => {
    expect(fate({}, TEN + 5)).toEqual({ fired: '2026-03-02T10:00:00Z SCHEDULE NOW', skipped: null, next: ELEVEN });
  });

  test('is on time up to the threshold, to the millisecond', () => {
    const skip = misfire('SKIP');
    expect(fate(skip, TEN + MINUTE)).toMatchObject({ fired: '2026-03-02T10:00:00Z SCHEDULE NOW' });
    expect(fate(skip, TEN + MINUTE + 1)).toMatchObject({
      fired: null,
      skipped: '2026-03-02T10:00:00Z..2026-03-02T10:00:00Z 1 MISFIRE',
    });
  });

  test('is measured from its due time, which jitter moved', () => {
    const late = { due: TEN + 30 * MINUTE };
    expect(fate({ ...misfire('SKIP'), jitter: 'PT45M' }, TEN + 31 * MINUTE, 'ENDED', late)).toMatchObject({
      fired: '2026-03-02T10:00:00Z SCHEDULE NOW',
    });
  });
});

describe('beside a run that is still open', () => {
  const cases: [OverlapPolicy, PreviousRun, string | null, string | null][] = [
    ['SKIP', 'OPEN', null, '2026-03-02T10:00:00Z..2026-03-02T10:00:00Z 1 OVERLAP'],
    ['BUFFER_ONE', 'OPEN', '2026-03-02T10:00:00Z SCHEDULE BUFFER', null],
    ['BUFFER_ONE', 'BUFFERED', null, '2026-03-02T10:00:00Z..2026-03-02T10:00:00Z 1 OVERLAP'],
    ['BUFFER_ALL', 'OPEN', '2026-03-02T10:00:00Z SCHEDULE BUFFER', null],
    ['BUFFER_ALL', 'BUFFERED', '2026-03-02T10:00:00Z SCHEDULE BUFFER', null],
    ['CANCEL_OTHER', 'OPEN', '2026-03-02T10:00:00Z SCHEDULE CANCEL_OTHER', null],
    ['ALLOW_ALL', 'OPEN', '2026-03-02T10:00:00Z SCHEDULE NOW', null],
  ];

  test.each(cases)('%s with the run before %s', (overlapPolicy, previous, fired, skipped) => {
    const fires = fired === null ? 3 : 4;
    expect(fate({ overlapPolicy }, TEN, previous)).toEqual({ fired, skipped, next: { ...ELEVEN, fires } });
  });

  test.each(cases)('%s does not matter once that run has ended', (overlapPolicy) => {
    expect(fate({ overlapPolicy }, TEN, 'ENDED')).toMatchObject({
      fired: '2026-03-02T10:00:00Z SCHEDULE NOW',
      skipped: null,
    });
  });

  test('a skipped slot leaves the last fired one as it was, so that the open run goes on counting', () => {
    const { next } = versionOf({ overlapPolicy: 'SKIP' }).fire(TIMER, TEN, 'OPEN');
    expect(next).toMatchObject({ lastFired: TEN - HOUR });
  });
});

describe('a missed slot', () => {
  const THREE_LATE = TEN + 3 * HOUR + 10 * MINUTE;
  const FOURTEEN = { slot: '2026-03-02T14:00:00Z', due: '2026-03-02T14:00:00Z', cursor: '2026-03-02T13:00:00Z' };

  test('FIRE_ONCE fires the latest and records the rest as one stretch', () => {
    expect(fate(misfire('FIRE_ONCE'), THREE_LATE)).toEqual({
      fired: '2026-03-02T13:00:00Z CATCH_UP NOW',
      skipped: '2026-03-02T10:00:00Z..2026-03-02T12:00:00Z 3 MISFIRE',
      next: { ...FOURTEEN, fires: 4 },
    });
  });

  test('FIRE_ONCE of a single slot skips nothing', () => {
    expect(fate(misfire('FIRE_ONCE'), TEN + 10 * MINUTE)).toEqual({
      fired: '2026-03-02T10:00:00Z CATCH_UP NOW',
      skipped: null,
      next: ELEVEN,
    });
  });

  test('SKIP records all that are later than the threshold, and the next is still to come', () => {
    expect(fate(misfire('SKIP'), THREE_LATE)).toEqual({
      fired: null,
      skipped: '2026-03-02T10:00:00Z..2026-03-02T13:00:00Z 4 MISFIRE',
      next: { ...FOURTEEN, fires: 3 },
    });
  });

  test('SKIP leaves a slot within the threshold to its own claim', () => {
    expect(fate(misfire('SKIP'), TEN + 3 * HOUR + 30 * SECOND)).toMatchObject({
      skipped: '2026-03-02T10:00:00Z..2026-03-02T12:00:00Z 3 MISFIRE',
      next: { slot: '2026-03-02T13:00:00Z' },
    });
  });

  test('FIRE_ALL fires each, oldest first', () => {
    expect(fate(misfire('FIRE_ALL'), THREE_LATE)).toEqual({
      fired: '2026-03-02T10:00:00Z CATCH_UP NOW',
      skipped: null,
      next: ELEVEN,
    });
  });

  test('FIRE_ALL skips what lies beyond its window', () => {
    expect(fate(misfire('FIRE_ALL', 2 * 3600), THREE_LATE)).toMatchObject({
      fired: null,
      skipped: '2026-03-02T10:00:00Z..2026-03-02T11:00:00Z 2 MISFIRE',
      next: { slot: '2026-03-02T12:00:00Z' },
    });
  });

  test('that meets an open run is one stretch with the others, for the overlap', () => {
    expect(fate({ ...misfire('FIRE_ONCE'), overlapPolicy: 'SKIP' }, THREE_LATE, 'OPEN')).toMatchObject({
      fired: null,
      skipped: '2026-03-02T10:00:00Z..2026-03-02T13:00:00Z 4 OVERLAP',
      next: { slot: '2026-03-02T14:00:00Z' },
    });
  });

  test.each(['FIRE_ONCE', 'SKIP'] as const)('%s takes no slot that jitter has not made due yet', (policy) => {
    const version = versionOf({ ...misfire(policy), jitter: 'PT59M' });
    const due = version.dueOf(TEN + 3 * HOUR);
    const { fired, skipped, next } = version.fire({ ...TIMER, due: version.dueOf(TEN) }, due - 1, 'ENDED');
    expect(at(policy === 'SKIP' ? skipped?.to : fired?.slot)).toBe('2026-03-02T12:00:00Z');
    expect(next).toMatchObject({ slot: TEN + 3 * HOUR, due });
  });

  test('years of seconds are skipped in no time, without a count', () => {
    const everySecond = { trigger: { type: 'CRON', cron: '* * * * * *' } } as const;
    expect(fate({ ...everySecond, ...misfire('FIRE_ONCE') }, TEN + 4 * 365 * DAY)).toMatchObject({
      fired: '2030-03-01T10:00:00Z CATCH_UP NOW',
      skipped: '2026-03-02T10:00:00Z..2030-03-01T09:59:59Z null MISFIRE',
    });
  });
});

describe('a slot that is marked to be skipped', () => {
  const marked = { slot: TEN, due: TEN, cursor: TEN - HOUR, lastFired: TEN - HOUR, fires: 3, skipNext: true };

  test('becomes a record of its own, however late, and the mark is gone', () => {
    for (const now of [TEN, TEN + DAY]) {
      expect(versionOf().fire(marked, now, 'ENDED')).toEqual({
        fired: null,
        skipped: { from: TEN, to: TEN, count: 1, reason: 'BY_USER' },
        next: { slot: TEN + HOUR, due: TEN + HOUR, cursor: TEN, lastFired: TEN - HOUR, fires: 3 },
      });
    }
  });

  test('does not break a FIXED_DELAY chain', () => {
    const chain = versionOf({ trigger: { type: 'FIXED_DELAY', delaySec: 600 } });
    expect(chain.fire(marked, TEN, 'ENDED').next).toMatchObject({
      slot: TEN + 10 * MINUTE,
      due: TEN + 10 * MINUTE,
      cursor: TEN,
    });
  });

  test('was the last: the schedule is completed', () => {
    expect(versionOf({ endAt: new Date(TEN + 30 * MINUTE) }).fire(marked, TEN, 'ENDED').next).toBe('COMPLETED');
  });
});

describe('the last slot', () => {
  test('waits for its run to end', () => {
    expect(fate({ endAt: new Date(TEN + 30 * MINUTE) }, TEN)).toEqual({
      fired: '2026-03-02T10:00:00Z SCHEDULE NOW',
      skipped: null,
      next: { slot: '2026-03-02T10:00:00Z', due: 'never', cursor: '2026-03-02T10:00:00Z', fires: 4 },
    });
  });

  test('by maxFires counts fired slots only', () => {
    expect(fate({ maxFires: 4 }, TEN)).toMatchObject({ next: { due: 'never', fires: 4 } });
    expect(fate({ maxFires: 4, overlapPolicy: 'SKIP' }, TEN, 'OPEN')).toMatchObject({
      next: { slot: '2026-03-02T11:00:00Z', fires: 3 },
    });
  });

  test('that is skipped completes the schedule when no run is open, else waits for that run', () => {
    const ending = { ...misfire('SKIP'), endAt: new Date(TEN + 30 * MINUTE) };
    expect(fate(ending, TEN + HOUR)).toMatchObject({ fired: null, next: 'COMPLETED' });
    expect(fate(ending, TEN + HOUR, 'OPEN')).toMatchObject({ fired: null, next: { due: 'never' } });
  });
});

describe('a FIXED_DELAY slot', () => {
  const chain = { trigger: { type: 'FIXED_DELAY', delaySec: 600 } } as const;

  test('waits for its run to end, however late it was', () => {
    const waiting = { slot: '2026-03-02T10:00:00Z', due: 'never', cursor: '2026-03-02T10:00:00Z', fires: 4 };
    expect(fate(chain, TEN)).toEqual({ fired: '2026-03-02T10:00:00Z SCHEDULE NOW', skipped: null, next: waiting });
    expect(fate({ ...chain, ...misfire('SKIP') }, TEN + DAY)).toEqual({
      fired: '2026-03-02T10:00:00Z CATCH_UP NOW',
      skipped: null,
      next: waiting,
    });
  });

  test('says that the end of its run matters, as a CRON slot does not', () => {
    expect([versionOf(chain).endOfRunMatters, versionOf().endOfRunMatters]).toEqual([true, false]);
  });
});
