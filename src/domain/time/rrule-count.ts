import { type DayRule, nextInDays } from './day-rule.ts';
import { countDays, type Grid, nextDay, periodEnd, periodStart } from './day-set.ts';
import { DAY_SEC, NONE } from './instant.ts';
import { countBefore, indexesOf, nextInSets, type SetRule, wallAtIndex } from './set-rule.ts';
import { countTimes } from './times-of-day.ts';

/** A stretch of wall time, its end exclusive. */
export interface WallStretch {
  readonly from: number;
  readonly to: number;
}

/** Where every day counts, a month at a time is as good as any. */
const MONTHS: Grid = { unit: 'MONTH', interval: 1, originDay: 0, weekStart: 1 };

/**
 * The wall time of the last instance of a rule that may have `count` of them, Infinity when it ends earlier. Instances in the `skipped` stretches,
 * wall times that never come, do not count. So COUNT becomes an UNTIL once, and no search counts from DTSTART.
 */
export function untilOfCount(rule: DayRule | SetRule, count: number, skipped: readonly WallStretch[]): number {
  for (let total = count; ; ) {
    const until = instance(rule, total);
    if (until === Infinity) return until;
    let lost = 0;
    for (const stretch of skipped) if (stretch.from <= until) lost += instancesIn(rule, stretch, until);
    if (count + lost === total) return until;
    total = count + lost;
  }
}

/** How many wall times of the rule lie from `from` to `to`, both included: whole periods are counted, not walked. */
export function countWalls(rule: DayRule | SetRule, from: number, to: number): number {
  const first = Math.max(from, rule.fromWall);
  const last = Math.min(to, rule.untilWall);
  if (first > last) return 0;
  const [firstDay, lastDay] = [Math.floor(first / DAY_SEC), Math.floor(last / DAY_SEC)];
  if (rule.kind === 'DAYS' && rule.days.grid === null)
    return countBefore(rule, firstDay, last + 1) - countBefore(rule, firstDay, first);
  const grid = rule.days.grid ?? MONTHS;
  const perDay = countTimes(rule.times);
  const sizes = new Map<number, readonly number[]>();
  let count = 0;
  for (let day = nextDay(rule.days, periodStart(grid, firstDay)); day !== NONE && day <= lastDay; ) {
    const start = periodStart(grid, day);
    const end = periodEnd(grid, start);
    const size = (grid.unit === 'DAY' ? 1 : countDays(rule.days, start, end)) * perDay;
    const low = start <= firstDay ? countBefore(rule, start, first) : 0;
    const high = end < lastDay ? size : countBefore(rule, start, Math.min(last, (end + 1) * DAY_SEC - 1) + 1);
    if (rule.kind === 'DAYS') count += high - low;
    else {
      const indexes = sizes.get(size) ?? indexesOf(rule.positions, size);
      sizes.set(size, indexes);
      count +=
        low === 0 && high === size ? indexes.length : indexes.filter((index) => index >= low && index < high).length;
    }
    day = nextDay(rule.days, end + 1);
  }
  return count;
}

/** The wall time of the n-th instance, from 1: whole periods are counted, not walked. */
function instance(rule: DayRule | SetRule, n: number): number {
  const { days } = rule;
  const grid = days.grid ?? MONTHS;
  const perDay = countTimes(rule.times);
  const sizes = new Map<number, readonly number[]>();
  let left = n;
  for (let day = nextDay(days, periodStart(grid, Math.floor(rule.fromWall / DAY_SEC))); day !== NONE; ) {
    const start = periodStart(grid, day);
    const end = periodEnd(grid, start);
    const size = countDays(days, start, end) * perDay;
    const before = countBefore(rule, start, rule.fromWall);
    if (rule.kind === 'DAYS') {
      if (left <= size - before) return wallAtIndex(rule, start, end, before + left - 1);
      left -= size - before;
    } else {
      const indexes = sizes.get(size) ?? indexesOf(rule.positions, size);
      sizes.set(size, indexes);
      const missed = before === 0 ? 0 : indexes.filter((index) => index < before).length;
      const index = indexes[missed + left - 1];
      if (index !== undefined) return wallAtIndex(rule, start, end, index);
      left -= indexes.length - missed;
    }
    day = nextDay(days, end + 1);
  }
  return Infinity;
}

function instancesIn(rule: DayRule | SetRule, stretch: WallStretch, until: number): number {
  const next = (from: number): number => (rule.kind === 'DAYS' ? nextInDays(rule, from) : nextInSets(rule, from));
  let count = 0;
  for (let wall = next(stretch.from - 1); wall !== NONE && wall < stretch.to && wall <= until; wall = next(wall))
    count += 1;
  return count;
}
