/** A date of the Gregorian calendar in one small integer: year, month (1-12) and day, without an allocation. */
export type PackedDate = number;

const DAYS_BEFORE_MONTH: readonly number[] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const MONTH_LENGTHS: readonly number[] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAYS_0000_TO_1970 = 719_528;

/** Days since 1970-01-01. Years 0 to 9999. */
export function dayNumber(year: number, month: number, day: number): number {
  const leapDays = ((year + 3) >> 2) - (((year + 99) / 100) | 0) + (((year + 399) / 400) | 0);
  const thisLeapDay = month > 2 && isLeapYear(year) ? 1 : 0;
  return year * 365 + leapDays + (DAYS_BEFORE_MONTH[month] ?? 0) + thisLeapDay + day - 1 - DAYS_0000_TO_1970;
}

/** The date of a day number, from year 0 on. Algorithm: H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days. */
export function packedDate(dayNumber1970: number): PackedDate {
  const shifted = dayNumber1970 + 719_468;
  const era = (shifted / 146_097) | 0;
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0));
  const marchMonth = ((5 * dayOfYear + 2) / 153) | 0;
  const day = dayOfYear - (((153 * marchMonth + 2) / 5) | 0) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return (year << 9) | (month << 5) | day;
}

export function yearOf(date: PackedDate): number {
  return date >> 9;
}

export function monthOf(date: PackedDate): number {
  return (date >> 5) & 15;
}

export function dayOf(date: PackedDate): number {
  return date & 31;
}

export function unpackDate(dayNumber1970: number): {
  readonly year: number;
  readonly month: number;
  readonly day: number;
} {
  const date = packedDate(dayNumber1970);
  return { year: yearOf(date), month: monthOf(date), day: dayOf(date) };
}

/** 0 is Sunday. For days since year 1 of our era. */
export function weekdayOf(dayNumber1970: number): number {
  return (dayNumber1970 + 4 + 7_000_000) % 7;
}

export function monthLength(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : (MONTH_LENGTHS[month] ?? 0);
}

export function isLeapYear(year: number): boolean {
  return (year & 3) === 0 && (year % 100 !== 0 || year % 400 === 0);
}
