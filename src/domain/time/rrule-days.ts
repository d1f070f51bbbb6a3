import { dayOf, monthOf, packedDate, weekdayOf } from './calendar.ts';
import { type DaySet, EVERY_MONTH, type Grid } from './day-set.ts';
import { EVERY_DAY, type MonthDays, type NthWeekday } from './month-days.ts';
import type { RruleParts } from './rrule-parse.ts';
import { bits64 } from './times-of-day.ts';
import { emptyMemo } from './year-days.ts';

/** The days of a rule that steps in days or more. What the rule leaves open comes from DTSTART's day. */
export function daysOf(parts: RruleParts, startDay: number): DaySet & { readonly grid: Grid } {
  const full = withDefaults(parts, startDay);
  const grid: Grid = { unit: unitOf(parts), interval: parts.interval, originDay: startDay, weekStart: parts.weekStart };
  return { ...filterOf(full), grid };
}

/** The days on which a rule that steps in hours or less may fall, null when it may on all. */
export function dayFilterOf(parts: RruleParts): DaySet | null {
  const { byMonth, byMonthDay, byYearDay, byDay } = parts;
  return byMonth === null && byMonthDay === null && byYearDay === null && byDay === null ? null : filterOf(parts);
}

function filterOf(parts: RruleParts): DaySet {
  const months = parts.byMonth === null ? EVERY_MONTH : bits64(parts.byMonth).low;
  const nthOfYear = parts.freq === 'YEARLY' && parts.byMonth === null && (parts.byDay ?? []).some(({ n }) => n !== 0);
  const inMonth = monthDaysOf(parts.byMonthDay, nthOfYear ? null : parts.byDay);
  if (!nthOfYear && parts.byYearDay === null && parts.byWeekNo === null) return { months, days: inMonth, grid: null };
  const weekdays = nthOfYear ? parts.byDay : null;
  const year = {
    inMonth,
    yearDays: parts.byYearDay,
    weeks: parts.byWeekNo,
    weekStart: parts.weekStart,
    weekdays,
    memo: emptyMemo(),
  };
  return { months, days: year, grid: null };
}

/** The rule with the days that DTSTART lends it. */
export function withDefaults(parts: RruleParts, startDay: number): RruleParts {
  const { freq, byMonth, byMonthDay, byYearDay, byWeekNo, byDay } = parts;
  if (freq === 'DAILY' || byMonthDay !== null || byYearDay !== null || byDay !== null) return parts;
  const date = packedDate(startDay);
  if (freq === 'WEEKLY' || byWeekNo !== null) return { ...parts, byDay: [{ weekday: weekdayOf(startDay), n: 0 }] };
  if (freq === 'MONTHLY' || byMonth !== null) return { ...parts, byMonthDay: [dayOf(date)] };
  return { ...parts, byMonth: [monthOf(date)], byMonthDay: [dayOf(date)] };
}

function monthDaysOf(byMonthDay: readonly number[] | null, byDay: readonly NthWeekday[] | null): MonthDays {
  return {
    ...EVERY_DAY,
    monthDays: byMonthDay === null ? 0 : bits64(byMonthDay.filter((day) => day > 0)).low,
    fromEnd: (byMonthDay ?? []).filter((day) => day < 0).map((day) => -1 - day),
    weekdays: byDay === null ? 0 : bits64(byDay.filter(({ n }) => n === 0).map(({ weekday }) => weekday)).low,
    nth: (byDay ?? []).filter(({ n }) => n !== 0),
    namesMonthDay: byMonthDay !== null,
    namesWeekday: byDay !== null,
  };
}

function unitOf(parts: RruleParts): Grid['unit'] {
  switch (parts.freq) {
    case 'YEARLY':
      return 'YEAR';
    case 'MONTHLY':
      return 'MONTH';
    case 'WEEKLY':
      return 'WEEK';
    default:
      return 'DAY';
  }
}
