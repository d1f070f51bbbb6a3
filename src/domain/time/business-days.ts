import { dayNumber, monthLength, monthOf, packedDate, unpackDate, weekdayOf, yearOf } from './calendar.ts';
import { DAY_SEC, HORIZON_SEC } from './instant.ts';

/** What becomes of a slot on an excluded date. */
export type OnExcluded = 'SKIP' | 'FOLLOWING' | 'PRECEDING' | 'MODIFIED_FOLLOWING';

/** A set of dates, as small as it gets: day numbers since 1970 as pairs of first and last, sorted and apart; a bit for each weekday, Sunday the lowest. */
export interface DaySpans {
  readonly days: readonly number[];
  readonly weekly: number;
}

/** The dates that one slot date gathers: those in [first, last] all go to `target`; null: nowhere, their slots are skipped. */
export interface Gathering {
  readonly first: number;
  readonly last: number;
  readonly target: number | null;
}

/** The last date a calendar can name: 2099-12-31. */
export const LAST_DAY = HORIZON_SEC / DAY_SEC - 1;

/** How far a slot is moved at most. */
export const MAX_MOVE_DAYS = 366;
const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'] as const;
const ALL_WEEK = 0b111_1111;
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;

export type Weekday = (typeof WEEKDAYS)[number];

/** The day number of `2026-12-25`; null for anything else, for dates that do not exist, and outside 1970 to 2099. */
export function readDay(text: string): number | null {
  const parts = DATE.exec(text);
  if (parts === null) return null;
  return dayIn(Number(parts[1]), Number(parts[2]), Number(parts[3]));
}

/** As `readDay`, from the parts of a date. */
export function dayIn(year: number, month: number, day: number): number | null {
  if (month < 1 || month > 12 || day < 1 || day > monthLength(year, month)) return null;
  const number = dayNumber(year, month, day);
  return number >= 0 && number <= LAST_DAY ? number : null;
}

/** `2026-12-25`. */
export function dayText(day: number): string {
  const date = unpackDate(day);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(date.year).padStart(4, '0')}-${two(date.month)}-${two(date.day)}`;
}

export function weekdayBits(weekly: readonly Weekday[]): number {
  return weekly.reduce((bits, name) => bits | (1 << WEEKDAYS.indexOf(name)), 0);
}

/** Pairs of first and last day, in any order and overlapping, as `DaySpans` has them. */
export function mergedSpans(pairs: readonly (readonly [number, number])[]): readonly number[] {
  const sorted = [...pairs].sort(([left], [right]) => left - right);
  const days: number[] = [];
  for (const [first, last] of sorted) {
    const end = days.at(-1);
    if (end !== undefined && first <= end + 1) days[days.length - 1] = Math.max(end, last);
    else days.push(first, last);
  }
  return days;
}

/** The pairs behind `DaySpans.days`. */
export function pairsOf(days: readonly number[]): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  for (let at = 0; at + 1 < days.length; at += 2) pairs.push([days[at] ?? 0, days[at + 1] ?? 0]);
  return pairs;
}

/** Excluded dates, ready to be asked. Immutable. */
export class BusinessDays {
  readonly #firsts: Int32Array;
  readonly #lasts: Int32Array;
  readonly #weekly: number;

  constructor({ days, weekly }: DaySpans) {
    const pairs = pairsOf(days);
    this.#firsts = Int32Array.from(pairs, ([first]) => first);
    this.#lasts = Int32Array.from(pairs, ([, last]) => last);
    this.#weekly = weekly & ALL_WEEK;
  }

  isExcluded(day: number): boolean {
    return ((this.#weekly >> weekdayOf(day)) & 1) === 1 || day <= (this.#lasts[this.#spanBefore(day)] ?? -1);
  }

  /** The first day from `day` on that is not excluded; null when there is none up to `limit`. */
  openFrom(day: number, limit: number): number | null {
    if (this.#weekly === ALL_WEEK) return null;
    let open = day;
    while (open <= limit) {
      const last = this.#lasts[this.#spanBefore(open)] ?? -1;
      if (open <= last) open = last + 1;
      else if (((this.#weekly >> weekdayOf(open)) & 1) === 1) open += 1;
      else return open;
    }
    return null;
  }

  /** The last day up to `day` that is not excluded; null when there is none down to `limit`. */
  openBefore(day: number, limit: number): number | null {
    if (this.#weekly === ALL_WEEK) return null;
    let open = day;
    while (open >= limit) {
      const span = this.#spanBefore(open);
      if (open <= (this.#lasts[span] ?? -1)) open = (this.#firsts[span] ?? 0) - 1;
      else if (((this.#weekly >> weekdayOf(open)) & 1) === 1) open -= 1;
      else return open;
    }
    return null;
  }

  /** Where a slot of `day` goes: `day` itself unless it is excluded; null where the policy or the bound of 366 days leaves no date. */
  targetOf(day: number, policy: OnExcluded): number | null {
    if (!this.isExcluded(day)) return day;
    switch (policy) {
      case 'SKIP':
        return null;
      case 'FOLLOWING':
        return this.openFrom(day, day + MAX_MOVE_DAYS);
      case 'PRECEDING':
        return this.openBefore(day, day - MAX_MOVE_DAYS);
      case 'MODIFIED_FOLLOWING':
        // ISDA: the following business day, unless it lies in another month; then the preceding one.
        return this.openFrom(day, endOfMonth(day)) ?? this.openBefore(day, day - MAX_MOVE_DAYS);
    }
  }

  /** All dates that go where `day` goes. They lie side by side: each policy keeps dates in order. */
  gatheringOf(day: number, policy: OnExcluded): Gathering {
    const target = this.targetOf(day, policy);
    if (target === null || policy === 'SKIP') return { first: day, last: day, target };
    let first = target;
    while (target - first < MAX_MOVE_DAYS && this.#goesTo(first - 1, target, policy)) first -= 1;
    let last = target;
    while (last - target < MAX_MOVE_DAYS && this.#goesTo(last + 1, target, policy)) last += 1;
    return { first, last, target };
  }

  #goesTo(day: number, target: number, policy: OnExcluded): boolean {
    return this.isExcluded(day) && this.targetOf(day, policy) === target;
  }

  /** The index of the last span that begins by `day`; -1 when there is none. */
  #spanBefore(day: number): number {
    let low = 0;
    let high = this.#firsts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#firsts[middle] ?? 0) <= day) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function endOfMonth(day: number): number {
  const date = packedDate(day);
  return day - (date & 31) + monthLength(yearOf(date), monthOf(date));
}
