import { readWrittenTime } from './instant.ts';
import type { NthWeekday } from './month-days.ts';
import { type Piece, refuse, refuseAt, splitPiece } from './refuse.ts';
import { remembered } from './remembered.ts';

export type Frequency = (typeof FREQUENCIES)[number];

/** The parts of an RRULE (RFC 5545 §3.3.10), each read and in range. Null: not there. Weekdays count from Sunday, 0. */
export interface RruleParts {
  readonly freq: Frequency;
  readonly interval: number;
  readonly count: number | null;
  readonly until: RruleUntil | null;
  readonly weekStart: number;
  readonly bySecond: readonly number[] | null;
  readonly byMinute: readonly number[] | null;
  readonly byHour: readonly number[] | null;
  /** `n` 0: every such weekday. */
  readonly byDay: readonly NthWeekday[] | null;
  readonly byMonthDay: readonly number[] | null;
  readonly byYearDay: readonly number[] | null;
  readonly byWeekNo: readonly number[] | null;
  readonly byMonth: readonly number[] | null;
  readonly bySetPos: readonly number[] | null;
}

/** `20261231`, `20261231T090000` or `20261231T090000Z`; `wallSec` is the wall clock in seconds since 1970 as if in UTC. */
export interface RruleUntil extends Piece {
  readonly wallSec: number;
  readonly utc: boolean;
  readonly dateOnly: boolean;
}

interface Range {
  readonly min: number;
  readonly max: number;
  /** Whether the same numbers below zero count from the end. */
  readonly signed: boolean;
}

const FREQUENCIES = ['SECONDLY', 'MINUTELY', 'HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const;
const WEEKDAYS: readonly string[] = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
const LISTS = {
  BYSECOND: { min: 0, max: 59, signed: false },
  BYMINUTE: { min: 0, max: 59, signed: false },
  BYHOUR: { min: 0, max: 23, signed: false },
  BYMONTHDAY: { min: 1, max: 31, signed: true },
  BYYEARDAY: { min: 1, max: 366, signed: true },
  BYWEEKNO: { min: 1, max: 53, signed: true },
  BYMONTH: { min: 1, max: 12, signed: false },
  BYSETPOS: { min: 1, max: 366, signed: true },
} as const satisfies Record<string, Range>;
const NAMES: ReadonlySet<string> = new Set([
  'FREQ',
  'INTERVAL',
  'COUNT',
  'UNTIL',
  'WKST',
  'BYDAY',
  ...Object.keys(LISTS),
]);
/** What each list was read as, by its name and text. */
const knownLists = remembered<readonly number[]>();
const knownWeekdays = remembered<readonly NthWeekday[]>();
const UNTIL = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?$/;
const MAX_LENGTH = 2048;
const MAX_INTERVAL = 10_000_000;
const MAX_COUNT = 1_000_000_000_000;

/** Reads `FREQ=…;…` in upper case, which stands at `offset` of what was given. Throws DomainError INVALID_TRIGGER with the offset of what is wrong. */
export function parseRrule(text: string, offset: number): RruleParts {
  if (text.length > MAX_LENGTH) refuse('rrule', `longer than ${MAX_LENGTH} characters`);
  const parts = partsOf(text, offset);
  const freq = parts.get('FREQ');
  if (freq === undefined) refuse('rrule', `FREQ is missing at offset ${offset}: write for example FREQ=DAILY`);
  const until = untilOf(parts.get('UNTIL'));
  const count = parts.get('COUNT');
  if (until !== null && count !== undefined) refuseAt('rrule', count, 'COUNT or UNTIL, not both');
  const list = (name: keyof typeof LISTS): readonly number[] | null => {
    const piece = parts.get(name);
    return piece === undefined ? null : knownLists(`${name}=${piece.text}`, () => listOf(piece, LISTS[name]));
  };
  const byDay = parts.get('BYDAY');
  return {
    freq: FREQUENCIES.find((name) => name === freq.text) ?? refuseAt('rrule', freq, `one of ${FREQUENCIES.join(', ')}`),
    interval: numberIn(parts.get('INTERVAL'), MAX_INTERVAL) ?? 1,
    count: numberIn(count, MAX_COUNT),
    until,
    weekStart: weekStartOf(parts.get('WKST')),
    bySecond: list('BYSECOND'),
    byMinute: list('BYMINUTE'),
    byHour: list('BYHOUR'),
    byDay: byDay === undefined ? null : knownWeekdays(byDay.text, () => weekdaysOf(byDay)),
    byMonthDay: list('BYMONTHDAY'),
    byYearDay: list('BYYEARDAY'),
    byWeekNo: list('BYWEEKNO'),
    byMonth: list('BYMONTH'),
    bySetPos: list('BYSETPOS'),
  };
}

function partsOf(text: string, textOffset: number): ReadonlyMap<string, Piece> {
  const parts = new Map<string, Piece>();
  let offset = textOffset;
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    const piece = { text: name, offset };
    if (!NAMES.has(name)) refuseAt('rrule', piece, `not a part of an RRULE, there are ${[...NAMES].join(', ')}`);
    if (equals < 0 || equals === part.length - 1) refuseAt('rrule', { text: part, offset }, `write ${name}=…`);
    if (parts.has(name)) refuseAt('rrule', piece, 'stands there twice');
    parts.set(name, { text: part.slice(equals + 1), offset: offset + equals + 1 });
    offset += part.length + 1;
  }
  return parts;
}

function listOf(piece: Piece, range: Range): readonly number[] {
  const values = new Set(splitPiece(piece).map((item) => numberAt(item, range)));
  return [...values].sort((a, b) => a - b);
}

function numberAt(item: Piece, range: Range): number {
  const value = (range.signed ? /^[+-]?\d{1,3}$/ : /^\d{1,3}$/).test(item.text) ? Number(item.text) : Number.NaN;
  const size = range.signed ? Math.abs(value) : value;
  if (!(size >= range.min && size <= range.max)) {
    refuseAt(
      'rrule',
      item,
      `a number from ${range.min} to ${range.max}${range.signed ? ', or below zero to count from the end' : ''}`,
    );
  }
  return value;
}

function weekdaysOf(piece: Piece): readonly NthWeekday[] {
  return splitPiece(piece).map((item) => {
    const [, n, name = ''] = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(item.text) ?? [];
    const weekday = WEEKDAYS.indexOf(name);
    const rank = Number(n ?? 0);
    if (weekday < 0 || Math.abs(rank) > 53 || (n !== undefined && rank === 0)) {
      refuseAt('rrule', item, `a weekday from ${WEEKDAYS.join(', ')}, with a number before it for the n-th: 1MO, -1FR`);
    }
    return { weekday, n: rank };
  });
}

function untilOf(piece: Piece | undefined): RruleUntil | null {
  if (piece === undefined) return null;
  const [, year, month, day, hour = '00', minute = '00', second = '00', utc = ''] = UNTIL.exec(piece.text) ?? [];
  const time = readWrittenTime(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (time === null) refuseAt('rrule', piece, 'not a time: write 20261231T235959 (local) or 20261231T235959Z');
  return { ...piece, wallSec: time.wallSec, utc: utc === 'Z', dateOnly: piece.text.length === 8 };
}

function weekStartOf(piece: Piece | undefined): number {
  if (piece === undefined) return 1;
  const weekday = WEEKDAYS.indexOf(piece.text);
  return weekday < 0 ? refuseAt('rrule', piece, `a weekday from ${WEEKDAYS.join(', ')}`) : weekday;
}

function numberIn(piece: Piece | undefined, max: number): number | null {
  if (piece === undefined) return null;
  const value = /^\d{1,13}$/.test(piece.text) ? Number(piece.text) : 0;
  return value >= 1 && value <= max ? value : refuseAt('rrule', piece, `a whole number from 1 to ${max}`);
}
