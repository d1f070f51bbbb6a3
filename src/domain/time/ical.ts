import { DomainError } from '../errors.ts';
import { LAST_DAY, mergedSpans } from './business-days.ts';
import { dayNumber, unpackDate } from './calendar.ts';
import { type CompiledTrigger, compileTrigger, nextSlot } from './compile.ts';
import { type IcalEvent, type IcalLine, icalEvents, refuseIcal, shown } from './ical-lines.ts';
import { type IcalTime, icalDurationSec, icalTime, icalTimes, icalZone, wallOf } from './ical-time.ts';
import { DAY_SEC, HORIZON_SEC, wallText } from './instant.ts';

/*
 * The dates of an iCalendar object (RFC 5545): each day that an event touches, by its local date as written. All is
 * reckoned in wall time. What says nothing about dates (alarms, time zones, texts, TRANSP) is passed over.
 */

/** Different days that come of it at most. */
const MAX_DAYS = 40_000;
/** Occurrences that are looked at for them, and rules. */
const MAX_OCCURRENCES = 100_000;
const MAX_RULES = 1_000;
const UNTIL = /UNTIL=(\d{8})(?:T(\d{6})(Z)?)?(?=;|$)/i;

interface Reading {
  readonly days: Set<number>;
  occurrences: number;
  rules: number;
}

/** Where an event begins, how long it lasts, and which lines say more. */
interface Event {
  readonly start: IcalTime;
  readonly zone: string | null;
  readonly lengthSec: number;
  readonly line: IcalLine;
  readonly lines: readonly IcalLine[];
}

/** Pairs of first and last day number, sorted and apart, from 1970 to 2099. Throws VALIDATION_FAILED with the line and the reason. */
export function readIcal(text: string): readonly number[] {
  const reading: Reading = { days: new Set(), occurrences: 0, rules: 0 };
  const events = icalEvents(text);
  const replaced = replacedOccurrences(events);
  for (const event of events) {
    if (textOf(event, 'STATUS')?.trim().toUpperCase() === 'CANCELLED') continue;
    const uid = propertyOf(event, 'RECURRENCE-ID') === undefined ? (textOf(event, 'UID') ?? '') : '';
    addEvent(reading, eventOf(event), replaced.get(uid) ?? []);
  }
  return mergedSpans([...reading.days].map((day) => [day, day]));
}

function eventOf(event: IcalEvent): Event {
  const line = propertyOf(event, 'DTSTART') ?? refuseIcal(event.number, 'the event has no DTSTART');
  const start = icalTime(line);
  return { start, zone: icalZone(line), lengthSec: lengthOf(event, start), line, lines: event.lines };
}

function lengthOf(event: IcalEvent, start: IcalTime): number {
  const end = propertyOf(event, 'DTEND');
  const duration = propertyOf(event, 'DURATION');
  if (end === undefined && duration === undefined) return start.isDate ? DAY_SEC : 0;
  const lengthSec = end === undefined ? 0 : icalTime(end).wallSec - start.wallSec;
  if (end !== undefined && icalTime(end).isDate !== start.isDate)
    refuseIcal(end.number, 'DTSTART and DTEND are both dates or both times');
  const length = end === undefined && duration !== undefined ? icalDurationSec(duration) : lengthSec;
  if (length < 0 && !start.isDate && end !== undefined && icalTime(end).isUtc !== start.isUtc) return 0;
  if (length < 0) refuseIcal(end?.number ?? event.number, 'DTEND lies before DTSTART');
  // Some programs write the same day twice for an event of one day.
  return start.isDate ? Math.max(length, DAY_SEC) : length;
}

/** The occurrences of each event that an event of its own stands in for (RECURRENCE-ID), by UID. */
function replacedOccurrences(events: readonly IcalEvent[]): ReadonlyMap<string, readonly IcalLine[]> {
  const replaced = new Map<string, IcalLine[]>();
  for (const event of events) {
    const line = propertyOf(event, 'RECURRENCE-ID');
    if (line === undefined) continue;
    const uid = textOf(event, 'UID') ?? '';
    replaced.set(uid, [...(replaced.get(uid) ?? []), line]);
  }
  return replaced;
}

function addEvent(reading: Reading, event: Event, replaced: readonly IcalLine[]): void {
  const { lines, zone } = event;
  const starts = new Set([event.start.wallSec]);
  for (const line of lines.filter(({ name }) => name === 'RDATE')) {
    if (line.parameters.get('VALUE') === 'PERIOD') refuseIcal(line.number, 'an RDATE of periods is not read');
    for (const time of icalTimes(line)) starts.add(wallOf(time, zone));
  }
  for (const line of lines.filter(({ name }) => name === 'RRULE')) addRule(reading, event, line, starts);
  const without = [...lines.filter(({ name }) => name === 'EXDATE'), ...replaced].flatMap(icalTimes);
  const dates = new Set(without.filter((time) => time.isDate).map((time) => time.wallSec));
  const times = new Set(without.filter((time) => !time.isDate).map((time) => wallOf(time, zone)));
  for (const wallSec of starts) {
    const isLeftOut = times.has(wallSec) || dates.has(Math.floor(wallSec / DAY_SEC) * DAY_SEC);
    if (!isLeftOut) addDays(reading, wallSec, event);
  }
}

function addDays({ days }: Reading, wallSec: number, { lengthSec, line }: Event): void {
  const first = Math.max(Math.floor(wallSec / DAY_SEC), 0);
  const last = Math.min(Math.floor((wallSec + Math.max(lengthSec, 1) - 1) / DAY_SEC), LAST_DAY);
  for (let day = first; day <= last; day++) {
    days.add(day);
    if (days.size > MAX_DAYS) refuseIcal(line.number, `more than ${MAX_DAYS} days in all`);
  }
}

function addRule(reading: Reading, event: Event, line: IcalLine, starts: Set<number>): void {
  reading.rules += 1;
  if (reading.rules > MAX_RULES) refuseIcal(line.number, `more than ${MAX_RULES} rules`);
  const start = ruleStart(event, line);
  if (start >= HORIZON_SEC) return;
  const compiled = compiledRule(event, line, start);
  for (let at = nextSlot(compiled, -1); at !== null; at = nextSlot(compiled, at)) {
    starts.add(at / 1000);
    reading.occurrences += 1;
    if (reading.occurrences > MAX_OCCURRENCES)
      refuseIcal(line.number, `more than ${MAX_OCCURRENCES} occurrences in all: give the rule an UNTIL`);
  }
}

/** DTSTART, in 1970 for a rule that has the same dates every year and began earlier. */
function ruleStart({ start }: Event, line: IcalLine): number {
  if (start.wallSec >= 0) return start.wallSec;
  const rule = line.value.toUpperCase();
  if (!/FREQ=YEARLY/.test(rule) || /COUNT=|INTERVAL=/.test(rule))
    refuseIcal(line.number, 'a rule that begins before 1970 is FREQ=YEARLY, without COUNT and INTERVAL');
  const { month, day } = unpackDate(Math.floor(start.wallSec / DAY_SEC));
  const year = month === 2 && day === 29 ? 1972 : 1970;
  return dayNumber(year, month, day) * DAY_SEC + (((start.wallSec % DAY_SEC) + DAY_SEC) % DAY_SEC);
}

function compiledRule(event: Event, line: IcalLine, startSec: number): CompiledTrigger {
  const rule = line.value.trim().toUpperCase();
  if (/FREQ=(?:SECONDLY|MINUTELY|HOURLY)/.test(rule))
    refuseIcal(line.number, 'FREQ is DAILY, WEEKLY, MONTHLY or YEARLY');
  const local = rule.replace(UNTIL, (_all, date: string, time: string | undefined, z: string | undefined) =>
    localUntil(event, { ...line, name: 'UNTIL', value: `${date}T${time ?? '235959'}${z ?? ''}` }),
  );
  try {
    return compileTrigger({ type: 'RRULE', rrule: local, dtstart: wallText(startSec) }, { tz: 'UTC' });
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return refuseIcal(line.number, `RRULE ${shown(line.value)}: ${error.problems[0]?.message ?? error.message}`);
  }
}

/** UNTIL as the wall clock of the event shows it. */
function localUntil({ zone }: Event, line: IcalLine): string {
  const at = wallOf(icalTime({ ...line, parameters: new Map() }), zone);
  return `UNTIL=${wallText(Math.max(at, 0)).replace(/[-:]/g, '')}`;
}

function propertyOf({ lines }: IcalEvent, name: string): IcalLine | undefined {
  return lines.find((line) => line.name === name);
}

function textOf(event: IcalEvent, name: string): string | undefined {
  return propertyOf(event, name)?.value;
}
