import { bitsFrom, lowestBit } from './bits.ts';
import { monthLength } from './calendar.ts';

/** Which days of a month are meant. Bit masks hold day `d` at bit `d` and weekday `w` (0 is Sunday) at bit `w`. */
export interface MonthDays {
  readonly monthDays: number;
  /** Days before the last one: 0 is the last. */
  readonly fromEnd: readonly number[];
  /** The weekday (Monday to Friday) nearest to this day, within the month. */
  readonly nearest: readonly number[];
  readonly lastWorkday: boolean;
  readonly weekdays: number;
  readonly nth: readonly NthWeekday[];
  readonly namesMonthDay: boolean;
  readonly namesWeekday: boolean;
  /** Where both are named: either may match (cron), or both must (RRULE). */
  readonly join: 'EITHER' | 'BOTH';
}

/** The n-th of its weekday, counted from the end when negative. */
export interface NthWeekday {
  readonly weekday: number;
  readonly n: number;
}

const ALL_WEEKDAYS = 127;
const SATURDAY = 6;

export const EVERY_DAY: MonthDays = {
  monthDays: -2,
  fromEnd: [],
  nearest: [],
  lastWorkday: false,
  weekdays: ALL_WEEKDAYS,
  nth: [],
  namesMonthDay: false,
  namesWeekday: false,
  join: 'BOTH',
};

/** The days of one month that are meant, day `d` at bit `d`. `firstWeekday` is that of the 1st. */
export function monthMask(days: MonthDays, year: number, month: number, firstWeekday: number): number {
  const length = monthLength(year, month);
  const inMonth = length === 31 ? -2 : (2 << length) - 2;
  if (!days.namesWeekday) return days.namesMonthDay ? monthDayMask(days, length, firstWeekday) & inMonth : inMonth;
  const byWeekday = weekdayMask(days, length, firstWeekday) & inMonth;
  if (!days.namesMonthDay) return byWeekday;
  const byMonthDay = monthDayMask(days, length, firstWeekday) & inMonth;
  return days.join === 'EITHER' ? byMonthDay | byWeekday : byMonthDay & byWeekday;
}

/** A weekday mask over 31 days that begin with `firstWeekday`, the first day at bit 1. */
export function repeatWeekdays(weekdays: number, firstWeekday: number): number {
  const week = ((weekdays >> firstWeekday) | (weekdays << (7 - firstWeekday))) & ALL_WEEKDAYS;
  return (week | (week << 7) | (week << 14) | (week << 21) | (week << 28)) << 1;
}

function monthDayMask(days: MonthDays, length: number, firstWeekday: number): number {
  let mask = days.monthDays;
  for (const before of days.fromEnd) if (before < length) mask |= 1 << (length - before);
  for (const day of days.nearest) if (day <= length) mask |= 1 << nearestWorkday(day, length, firstWeekday);
  if (days.lastWorkday) mask |= 1 << nearestWorkday(length, length, firstWeekday);
  return mask;
}

function weekdayMask(days: MonthDays, length: number, firstWeekday: number): number {
  let mask = repeatWeekdays(days.weekdays, firstWeekday);
  for (const { weekday, n } of days.nth) {
    const first = 1 + ((weekday - firstWeekday + 7) % 7);
    const last = first + 7 * Math.trunc((length - first) / 7);
    const day = n > 0 ? first + 7 * (n - 1) : last + 7 * (n + 1);
    if (day >= 1 && day <= length) mask |= 1 << day;
  }
  return mask;
}

/** Saturday becomes Friday and Sunday Monday, unless that leaves the month: then the nearest on the other side. */
function nearestWorkday(day: number, length: number, firstWeekday: number): number {
  const weekday = (firstWeekday + day - 1) % 7;
  if (weekday === SATURDAY) return day === 1 ? 3 : day - 1;
  if (weekday === 0) return day === length ? day - 2 : day + 1;
  return day;
}

/** The first set day at or after `day`, 0 when there is none: no month has a day 0. */
export function dayFrom(mask: number, day: number): number {
  const rest = bitsFrom(mask, day);
  return rest === 0 ? 0 : lowestBit(rest);
}
