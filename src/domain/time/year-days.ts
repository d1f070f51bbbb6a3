import { dayNumber, dayOf, isLeapYear, monthOf, packedDate, weekdayOf, yearOf } from './calendar.ts';
import { type MonthDays, monthMask, type NthWeekday, repeatWeekdays } from './month-days.ts';

/** Days that take the whole year to find: all the conditions must hold. */
export interface YearDays {
  readonly inMonth: MonthDays;
  /** Numbers of days, from 1 or from −1 backwards. */
  readonly yearDays: readonly number[] | null;
  /** Numbers of ISO weeks that begin on `weekStart`, from 1 or from −1 backwards. */
  readonly weeks: readonly number[] | null;
  readonly weekStart: number;
  /** The n-th of the year; `n` 0 means every one. */
  readonly weekdays: readonly NthWeekday[] | null;
  readonly memo: YearMemo;
}

/** The twelve month masks of the year asked for last: a pure function's memory. */
export interface YearMemo {
  year: number;
  readonly masks: Int32Array;
}

export function emptyMemo(): YearMemo {
  return { year: -1, masks: new Int32Array(12) };
}

/** The days of one month that are meant, day `d` at bit `d`. */
export function yearMask(days: YearDays, year: number, month: number): number {
  const { memo } = days;
  if (memo.year !== year) {
    memo.year = year;
    fill(days, year, memo.masks);
  }
  return memo.masks[month - 1] ?? 0;
}

function fill(days: YearDays, year: number, masks: Int32Array): void {
  for (let month = 1; month <= 12; month++) {
    masks[month - 1] = monthMask(days.inMonth, year, month, weekdayOf(dayNumber(year, month, 1)));
  }
  if (days.yearDays !== null) intersect(masks, yearDayMasks(days.yearDays, year));
  if (days.weeks !== null) intersect(masks, weekMasks(days.weeks, days.weekStart, year));
  if (days.weekdays !== null) intersect(masks, weekdayMasks(days.weekdays, year));
}

function intersect(masks: Int32Array, others: Int32Array): void {
  for (let index = 0; index < 12; index++) masks[index] = (masks[index] ?? 0) & (others[index] ?? 0);
}

function yearDayMasks(yearDays: readonly number[], year: number): Int32Array {
  const masks = new Int32Array(12);
  const length = isLeapYear(year) ? 366 : 365;
  const first = dayNumber(year, 1, 1);
  for (const number of yearDays) mark(masks, year, first + (number > 0 ? number - 1 : length + number));
  return masks;
}

/** Days at either end of a year belong to weeks of the year beside it, under that year's numbers. */
function weekMasks(weeks: readonly number[], weekStart: number, year: number): Int32Array {
  const masks = new Int32Array(12);
  for (let weekYear = year - 1; weekYear <= year + 1; weekYear++) {
    const first = firstWeek(weekYear, weekStart);
    const count = (firstWeek(weekYear + 1, weekStart) - first) / 7;
    for (const number of weeks) {
      const index = number > 0 ? number - 1 : count + number;
      if (index < 0 || index >= count) continue;
      for (let day = 0; day < 7; day++) mark(masks, year, first + 7 * index + day);
    }
  }
  return masks;
}

/** The first day of week 1: the week with at least four days in the year. */
function firstWeek(year: number, weekStart: number): number {
  const fourth = dayNumber(year, 1, 4);
  return fourth - ((weekdayOf(fourth) - weekStart + 7) % 7);
}

function weekdayMasks(weekdays: readonly NthWeekday[], year: number): Int32Array {
  const masks = new Int32Array(12);
  const first = dayNumber(year, 1, 1);
  const last = dayNumber(year, 12, 31);
  let every = 0;
  for (const { weekday, n } of weekdays) {
    if (n === 0) every |= 1 << weekday;
    if (n > 0) mark(masks, year, first + ((weekday - weekdayOf(first) + 7) % 7) + 7 * (n - 1));
    if (n < 0) mark(masks, year, last - ((weekdayOf(last) - weekday + 7) % 7) + 7 * (n + 1));
  }
  for (let month = 1; month <= 12; month++) {
    masks[month - 1] = (masks[month - 1] ?? 0) | repeatWeekdays(every, weekdayOf(dayNumber(year, month, 1)));
  }
  return masks;
}

function mark(masks: Int32Array, year: number, day: number): void {
  const date = packedDate(day);
  if (yearOf(date) === year) masks[monthOf(date) - 1] = (masks[monthOf(date) - 1] ?? 0) | (1 << dayOf(date));
}
