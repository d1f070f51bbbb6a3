import { DomainError } from '../errors.ts';

/** A content line of RFC 5545 §3.1, unfolded: `DTSTART;VALUE=DATE:20261225`. Names are in upper case. */
export interface IcalLine {
  /** Where it begins in the text, from 1. */
  readonly number: number;
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly value: string;
}

/** The properties of one VEVENT, without those of the alarms in it. `number`: of its BEGIN. */
export interface IcalEvent {
  readonly number: number;
  readonly lines: readonly IcalLine[];
}

const MAX_BYTES = 512 * 1024;
const MAX_EVENTS = 10_000;
const NAME = /^[A-Za-z0-9-]+$/;

/** The events of an iCalendar object of at most 512 KiB and 10,000 events. Throws VALIDATION_FAILED with the line and the reason. */
export function icalEvents(text: string): readonly IcalEvent[] {
  if (text.length > MAX_BYTES || new TextEncoder().encode(text).length > MAX_BYTES)
    refuseIcal(1, `is longer than ${MAX_BYTES / 1024} KiB`);
  const events: IcalEvent[] = [];
  const open: string[] = [];
  let event: { number: number; lines: IcalLine[] } | null = null;
  let isEmpty = true;
  for (const line of contentLines(text)) {
    const { name, number } = line;
    const component = line.value.trim().toUpperCase();
    isEmpty = false;
    if (open.length === 0 && (name !== 'BEGIN' || component !== 'VCALENDAR'))
      refuseIcal(number, 'an iCalendar object begins with BEGIN:VCALENDAR');
    if (name === 'BEGIN') {
      if (component === 'VEVENT' && open.at(-1) === 'VCALENDAR') event = { number, lines: [] };
      open.push(component);
    } else if (name === 'END') {
      const begun = open.pop();
      if (begun !== component) refuseIcal(number, `END:${shown(component)} closes ${begun ?? 'nothing'}`);
      if (component === 'VEVENT' && event !== null) events.push(event);
      if (component === 'VEVENT') event = null;
      if (events.length > MAX_EVENTS) refuseIcal(number, `more than ${MAX_EVENTS} events`);
    } else if (open.at(-1) === 'VEVENT') event?.lines.push(line);
  }
  if (isEmpty) refuseIcal(1, 'an iCalendar object begins with BEGIN:VCALENDAR');
  if (open.length > 0) refuseIcal(text.split('\n').length, `END:${open.at(-1) ?? ''} is missing`);
  return events;
}

/** Ends the reading of an iCalendar object. */
export function refuseIcal(number: number, reason: string): never {
  const message = `line ${number}: ${reason}`;
  throw new DomainError('VALIDATION_FAILED', `ical ${message}`, [{ path: 'ical', message }]);
}

/** What was written, cut where it is long. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...`.toWellFormed() : text);
}

/** Lines end with CRLF, or LF alone as many programs write it; one that begins with a space or tab goes on the line before. */
function* contentLines(text: string): Generator<IcalLine> {
  let pending = '';
  let number = 0;
  let at = 0;
  for (const physical of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    at += 1;
    if (/^[ \t]/.test(physical) && number > 0) {
      pending += physical.slice(1);
      continue;
    }
    if (pending !== '') yield readLine(pending, number);
    pending = physical.trimEnd() === '' ? '' : physical;
    number = at;
  }
  if (pending !== '') yield readLine(pending, number);
}

function readLine(text: string, number: number): IcalLine {
  const parts = splitOutsideQuotes(text, ':', 2);
  const [head = '', value] = parts;
  const [name = '', ...written] = splitOutsideQuotes(head, ';');
  if (value === undefined || !NAME.test(name)) refuseIcal(number, `${shown(text)} is not NAME:value`);
  const parameters = new Map<string, string>();
  for (const parameter of written) {
    const equals = parameter.indexOf('=');
    if (equals < 1) refuseIcal(number, `${shown(parameter)} is not a parameter`);
    parameters.set(parameter.slice(0, equals).toUpperCase(), parameter.slice(equals + 1).replace(/^"(.*)"$/, '$1'));
  }
  return { number, name: name.toUpperCase(), parameters, value };
}

/** At most `limit` pieces; the last one is what is left. */
function splitOutsideQuotes(text: string, separator: string, limit = Number.POSITIVE_INFINITY): string[] {
  const pieces: string[] = [];
  let from = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length && pieces.length + 1 < limit; at++) {
    if (text[at] === '"') isQuoted = !isQuoted;
    else if (text[at] === separator && !isQuoted) {
      pieces.push(text.slice(from, at));
      from = at + 1;
    }
  }
  pieces.push(text.slice(from));
  return pieces;
}
