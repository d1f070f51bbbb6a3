import { bitAtRank, bitsFrom, countBits, lowestBit } from './bits.ts';
import { dayNumber, dayOf, monthLength, monthOf, packedDate, weekdayOf, yearOf } from './calendar.ts';
import { DAY_SEC, HORIZON_SEC, NONE } from './instant.ts';
import { dayFrom, type MonthDays, monthMask } from './month-days.ts';
import { type YearDays, yearMask } from './year-days.ts';

/** The days, as days since 1970, on which a rule falls. */
export interface DaySet {
  /** Bit 1 is January. */
  readonly months: number;
  readonly days: MonthDays | YearDays;
  /** Null: every day, week, month and year counts. */
  readonly grid: Grid | null;
}

/** Every `interval`-th period, counted from the one that holds `originDay`. */
export interface Grid {
  readonly unit: 'DAY' | 'WEEK' | 'MONTH' | 'YEAR';
  readonly interval: number;
  readonly originDay: number;
  /** The weekday on which weeks begin, 0 is Sunday. */
  readonly weekStart: number;
}

export const EVERY_MONTH = 0b1_1111_1111_1110;

/** A local day can lie one past the horizon in UTC. */
const END_DAY = HORIZON_SEC / DAY_SEC + 2;

/** The first day of the set at or after `from`, NONE when there is none before the horizon. */
export function nextDay(set: DaySet, from: number): number {
  let day = from;
  while (day < END_DAY) {
    if (set.grid !== null) day = alignedDay(set.grid, day);
    const date = packedDate(day);
    const month = monthOf(date);
    const ahead = bitsFrom(set.months, month);
    if (((ahead >> month) & 1) === 0) {
      day =
        ahead === 0
          ? dayNumber(yearOf(date) + 1, lowestBit(set.months), 1)
          : dayNumber(yearOf(date), lowestBit(ahead), 1);
      continue;
    }
    const first = day - dayOf(date) + 1;
    const inMonth = dayFrom(maskOf(set.days, yearOf(date), month, first), dayOf(date));
    if (inMonth === 0) {
      day = first + monthLength(yearOf(date), month);
      continue;
    }
    day = first + inMonth - 1;
    if (set.grid === null || alignedDay(set.grid, day) === day) return day < END_DAY ? day : NONE;
  }
  return NONE;
}

/** How many days of the set lie in [first, last], which lie in one period of its grid. */
export function countDays(set: DaySet, first: number, last: number): number {
  let count = 0;
  for (let day = first; day <= last; day = nextMonth(day)) count += countBits(maskWithin(set, day, last));
  return count;
}

/** The day in [first, last] that has `rank` days of the set before it there. */
export function dayAtRank(set: DaySet, first: number, last: number, rank: number): number {
  let skip = rank;
  for (let day = first; day <= last; day = nextMonth(day)) {
    const mask = maskWithin(set, day, last);
    const count = countBits(mask);
    if (skip < count) return day - dayOf(packedDate(day)) + bitAtRank(mask, skip);
    skip -= count;
  }
  return NONE;
}

/** The first day of the grid period that holds `day`. */
export function periodStart(grid: Grid, day: number): number {
  const date = packedDate(day);
  switch (grid.unit) {
    case 'DAY':
      return day;
    case 'WEEK':
      return day - ((weekdayOf(day) - grid.weekStart + 7) % 7);
    case 'MONTH':
      return day - dayOf(date) + 1;
    case 'YEAR':
      return dayNumber(yearOf(date), 1, 1);
  }
}

/** The last day of the grid period that begins at `start`. */
export function periodEnd(grid: Grid, start: number): number {
  switch (grid.unit) {
    case 'DAY':
      return start;
    case 'WEEK':
      return start + 6;
    case 'MONTH':
      return nextMonth(start) - 1;
    case 'YEAR':
      return dayNumber(yearOf(packedDate(start)) + 1, 1, 1) - 1;
  }
}

/** `day` itself when its period is on the grid, else the first day of the next period that is. */
function alignedDay(grid: Grid, day: number): number {
  if (grid.interval === 1) return day;
  const origin = packedDate(grid.originDay);
  const date = packedDate(day);
  switch (grid.unit) {
    case 'DAY':
      return day + missing(day - grid.originDay, grid.interval);
    case 'WEEK': {
      const start = periodStart(grid, day);
      const weeks = missing((start - periodStart(grid, grid.originDay)) / 7, grid.interval);
      return weeks === 0 ? day : start + 7 * weeks;
    }
    case 'MONTH': {
      const month = yearOf(date) * 12 + monthOf(date) - 1;
      const months = missing(month - (yearOf(origin) * 12 + monthOf(origin) - 1), grid.interval);
      return months === 0 ? day : firstOfMonth(month + months);
    }
    case 'YEAR': {
      const years = missing(yearOf(date) - yearOf(origin), grid.interval);
      return years === 0 ? day : firstOfMonth((yearOf(date) + years) * 12);
    }
  }
}

/** How far `distance` lies below the next multiple of `interval`. */
function missing(distance: number, interval: number): number {
  const past = distance % interval;
  return past === 0 ? 0 : past < 0 ? -past : interval - past;
}

/** The first of a month counted from year 0; far past the end of time for a leap that leaves the calendar. */
function firstOfMonth(month: number): number {
  return month > 36_000 ? END_DAY : dayNumber(Math.trunc(month / 12), (month % 12) + 1, 1);
}

function nextMonth(day: number): number {
  const date = packedDate(day);
  return day - dayOf(date) + 1 + monthLength(yearOf(date), monthOf(date));
}

/** The days of the set from `day` to the end of its month or `last`. */
function maskWithin(set: DaySet, day: number, last: number): number {
  const date = packedDate(day);
  const month = monthOf(date);
  if (((set.months >> month) & 1) === 0) return 0;
  const first = day - dayOf(date) + 1;
  const mask = bitsFrom(maskOf(set.days, yearOf(date), month, first), dayOf(date));
  const end = last - first + 1;
  return end >= 31 ? mask : mask & ~(-2 << end);
}

function maskOf(days: MonthDays | YearDays, year: number, month: number, first: number): number {
  return 'memo' in days ? yearMask(days, year, month) : monthMask(days, year, month, weekdayOf(first));
}
