import { DomainError, type FieldProblem } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import { type DaySpans, mergedSpans, pairsOf, readDay, type Weekday, weekdayBits } from '../time/business-days.ts';
import { readIcal } from '../time/ical.ts';
import { sameJson } from './json.ts';

/** A stretch of dates, both ends inclusive: `2026-12-24`. */
export interface DateRange {
  readonly from: string;
  readonly to: string;
}

/** What a caller says of a calendar, defaults filled in. */
export interface CalendarInput {
  readonly name: string;
  readonly description: string | null;
  readonly dates: readonly string[];
  readonly ranges: readonly DateRange[];
  readonly weekly: readonly Weekday[];
  /** An iCalendar object: each of its events is a date, or several. */
  readonly ical: string | null;
}

/** A calendar as its row holds it. */
export interface CalendarState extends CalendarInput {
  readonly tenantId: TenantId;
  /** The dates of `ical`: pairs of first and last day number, sorted and apart. */
  readonly icalDays: readonly number[];
  /** Bumped by every change; the ETag. */
  readonly version: number;
  /** Bumped by every change of the dates: schedules compare it with what they have taken over. */
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly createdBy: string;
}

/** What names of calendars look like. */
export const CALENDAR_NAME = /^[A-Za-z0-9._-]{1,100}$/;
export const MOST_DATES = 10_000;
export const MOST_RANGES = 1_000;
/** Of one tenant. */
export const MOST_CALENDARS = 1_000;
/** That one schedule names. */
export const MOST_NAMED = 10;

/** A tenant's named set of dates. Immutable: a change answers the calendar that results. */
export class CalendarEntity {
  readonly state: CalendarState;

  constructor(state: CalendarState) {
    this.state = state;
  }

  /** Throws VALIDATION_FAILED with every date that is none, and for an `ical` with the line and the reason. */
  static create(
    input: CalendarInput,
    tenantId: TenantId,
    act: { readonly by: string; readonly now: number },
  ): CalendarEntity {
    checkDates(input);
    const icalDays = input.ical === null ? [] : readIcal(input.ical);
    const at = new Date(act.now);
    const made = { tenantId, icalDays, version: 1, revision: 1, createdAt: at, updatedAt: at, createdBy: act.by };
    return new CalendarEntity({ ...input, ...made });
  }

  /** The calendar with other contents; itself when nothing changes. Throws as `create` does. */
  replace(input: CalendarInput, now: number): CalendarEntity {
    const { icalDays, version, revision } = this.state;
    checkDates(input);
    const isSameIcal = input.ical === this.state.ical;
    const days = isSameIcal ? icalDays : input.ical === null ? [] : readIcal(input.ical);
    const next = { ...this.state, ...input, icalDays: days };
    if (sameJson(next, this.state)) return this;
    const isRevised = !sameJson(spansOf(next), spansOf(this.state));
    const counted = { version: version + 1, revision: isRevised ? revision + 1 : revision, updatedAt: new Date(now) };
    return new CalendarEntity({ ...next, ...counted });
  }

  /** How many days came from `ical`. */
  get icalDayCount(): number {
    return pairsOf(this.state.icalDays).reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  get spans(): DaySpans {
    return spansOf(this.state);
  }
}

/** All dates of these calendars as one set. */
export function unionOf(calendars: readonly CalendarEntity[]): DaySpans {
  const spans = calendars.map((calendar) => calendar.spans);
  return {
    days: mergedSpans(spans.flatMap(({ days }) => pairsOf(days))),
    weekly: spans.reduce((bits, { weekly }) => bits | weekly, 0),
  };
}

function spansOf({ dates, ranges, weekly, icalDays }: CalendarState): DaySpans {
  const single = dates.map((date): [number, number] => [dayOf(date), dayOf(date)]);
  const longer = ranges.map(({ from, to }): [number, number] => [dayOf(from), dayOf(to)]);
  return { days: mergedSpans([...single, ...longer, ...pairsOf(icalDays)]), weekly: weekdayBits(weekly) };
}

function dayOf(date: string): number {
  const day = readDay(date);
  if (day === null) throw new Error(`${date} is no date`);
  return day;
}

const NO_DATE = 'must be a date from 1970-01-01 to 2099-12-31, such as 2026-12-25';

function checkDates({ dates, ranges }: CalendarInput): void {
  const problems: FieldProblem[] = [];
  for (const [index, date] of dates.entries())
    if (readDay(date) === null) problems.push({ path: `dates.${index}`, message: NO_DATE });
  for (const [index, { from, to }] of ranges.entries()) {
    const [first, last] = [readDay(from), readDay(to)];
    if (first === null) problems.push({ path: `ranges.${index}.from`, message: NO_DATE });
    if (last === null) problems.push({ path: `ranges.${index}.to`, message: NO_DATE });
    if (first !== null && last !== null && last < first)
      problems.push({ path: `ranges.${index}.to`, message: 'must not lie before from' });
  }
  if (problems.length > 0)
    throw new DomainError('VALIDATION_FAILED', 'the calendar holds what is no date', problems.slice(0, 50));
}
