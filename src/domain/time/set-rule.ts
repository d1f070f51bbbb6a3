import { countDays, type DaySet, dayAtRank, type Grid, nextDay, periodEnd, periodStart } from './day-set.ts';
import { DAY_SEC, NONE } from './instant.ts';
import { countTimes, countTimesBefore, type TimesOfDay, timeAtRank } from './times-of-day.ts';

/**
 * An RRULE that steps in days or more, with BYSETPOS: of the times of each period, in order, the ones at these positions. The times of a period
 * are its days × the times of a day; positions are found by arithmetic, the product is never built.
 */
export interface SetRule {
  readonly kind: 'SETS';
  readonly days: DaySet & { readonly grid: Grid };
  readonly times: TimesOfDay;
  /** From 1, or from −1 backwards. */
  readonly positions: readonly number[];
  readonly fromWall: number;
  readonly untilWall: number;
}

/** What counting needs of a rule. */
type DaysAndTimes = { readonly days: DaySet; readonly times: TimesOfDay };

const LONGEST_PERIOD = { DAY: 1, WEEK: 7, MONTH: 31, YEAR: 366 } as const;

/** The first match after `fromWall`, NONE when there is none before the horizon. */
export function nextInSets(rule: SetRule, fromWall: number): number {
  const { days, times } = rule;
  const earliest = Math.max(fromWall + 1, rule.fromWall);
  const perDay = countTimes(times);
  for (let day = nextDay(days, periodStart(days.grid, Math.floor(earliest / DAY_SEC))); day !== NONE; ) {
    const start = periodStart(days.grid, day);
    const end = periodEnd(days.grid, start);
    const size = countDays(days, start, end) * perDay;
    const index = firstIndex(rule.positions, size, countBefore(rule, start, earliest));
    if (index !== NONE) {
      const wall = wallAtIndex(rule, start, end, index);
      return wall <= rule.untilWall ? wall : NONE;
    }
    day = nextDay(days, end + 1);
  }
  return NONE;
}

/** How many times of the period that begins on day `start` lie before `wall`. */
export function countBefore(rule: DaysAndTimes, start: number, wall: number): number {
  const today = Math.floor(wall / DAY_SEC);
  if (today < start) return 0;
  const before = countDays(rule.days, start, today - 1) * countTimes(rule.times);
  return countDays(rule.days, today, today) === 0
    ? before
    : before + countTimesBefore(rule.times, wall - today * DAY_SEC);
}

/** The indexes, from 0 and rising, that the positions have in a set of this size. */
export function indexesOf(positions: readonly number[], size: number): readonly number[] {
  const indexes = positions
    .map((position) => (position > 0 ? position - 1 : size + position))
    .filter((index) => index >= 0 && index < size);
  return [...new Set(indexes)].sort((a, b) => a - b);
}

export function wallAtIndex(rule: DaysAndTimes, start: number, end: number, index: number): number {
  const perDay = countTimes(rule.times);
  return (
    dayAtRank(rule.days, start, end, Math.trunc(index / perDay)) * DAY_SEC + timeAtRank(rule.times, index % perDay)
  );
}

/** Whether a set can be long enough for one of the positions. */
export function canMatch(rule: SetRule): boolean {
  const longest = LONGEST_PERIOD[rule.days.grid.unit] * countTimes(rule.times);
  return rule.positions.some((position) => Math.abs(position) <= longest);
}

/** The smallest of these indexes that is not below `least`, NONE when there is none. */
function firstIndex(positions: readonly number[], size: number, least: number): number {
  let first = Infinity;
  for (const position of positions) {
    const index = position > 0 ? position - 1 : size + position;
    if (index >= least && index >= 0 && index < size && index < first) first = index;
  }
  return first === Infinity ? NONE : first;
}
