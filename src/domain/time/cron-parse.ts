import { HOUR, itemsOf, MINUTE, MONTH, MONTH_DAY, numberOf, rangeOf, SECOND, valuesOf, WEEKDAY } from './cron-field.ts';
import { type Piece, refuse, refuseAt } from './refuse.ts';
import { remembered } from './remembered.ts';

/** The fields of a cron expression, read and found possible one by one. Names are numbers here, Sunday is 0. */
export interface CronFields {
  readonly second: readonly number[];
  readonly minute: readonly number[];
  readonly hour: readonly number[];
  readonly month: readonly number[];
  readonly monthDays: CronMonthDays;
  readonly weekdays: CronWeekdays;
  /** Whether the second, minute or hour holds `*`, `?` or `/`. */
  readonly wild: boolean;
}

export interface CronMonthDays {
  readonly restricted: boolean;
  readonly days: readonly number[];
  readonly beforeEnd: readonly number[];
  readonly nearest: readonly number[];
  readonly lastWorkday: boolean;
}

export interface CronWeekdays {
  readonly restricted: boolean;
  readonly days: readonly number[];
  readonly nth: readonly { readonly weekday: number; readonly n: number }[];
}

const MAX_LENGTH = 512;
/** What each field was read as, by its text. */
const known = {
  second: remembered<readonly number[]>(),
  minute: remembered<readonly number[]>(),
  hour: remembered<readonly number[]>(),
  month: remembered<readonly number[]>(),
  monthDays: remembered<CronMonthDays>(),
  weekdays: remembered<CronWeekdays>(),
};
const MACROS: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

/** Reads 5 fields, 6 with seconds first, or a macro. Throws DomainError INVALID_TRIGGER with the offset of what is wrong. */
export function parseCron(text: string): CronFields {
  if (text.length > MAX_LENGTH) refuse('cron', `longer than ${MAX_LENGTH} characters`);
  const pieces = [...text.matchAll(/[^ \t]+/g)].map((match): Piece => ({ text: match[0], offset: match.index }));
  const [head] = pieces;
  if (head === undefined) refuse('cron', 'empty at offset 0: write five fields, for example "0 9 * * MON-FRI"');
  if (head.text.startsWith('@')) return parseCron(macro(head, pieces));
  if (/^(?:CRON_)?TZ=/i.test(head.text)) refuseAt('cron', head, 'the zone is the field tz of the schedule');
  return fieldsOf(sixFields(pieces, text));
}

function macro(head: Piece, pieces: readonly Piece[]): string {
  const name = head.text.toLowerCase();
  if (name === '@every') refuseAt('cron', head, 'use a trigger of type INTERVAL with "every"');
  if (name === '@reboot') refuseAt('cron', head, 'a service has no reboot: use a trigger of type ONE_SHOT');
  const expression = MACROS.get(name);
  if (expression === undefined) refuseAt('cron', head, `unknown macro, there are ${[...MACROS.keys()].join(', ')}`);
  const [, more] = pieces;
  if (more !== undefined) refuseAt('cron', more, 'nothing may follow a macro');
  return expression;
}

function sixFields(pieces: readonly Piece[], text: string): readonly Piece[] {
  if (pieces.length === 6) return pieces;
  if (pieces.length === 5) return [{ text: '0', offset: 0 }, ...pieces];
  const [seventh] = pieces.slice(6);
  if (seventh !== undefined)
    refuseAt('cron', seventh, 'more than six fields; there is no field for the year, use startAt and endAt');
  refuse(
    'cron',
    `${pieces.length} of 5 fields at offset ${text.length}: minute, hour, day of month, month, day of week (and seconds before them if you like)`,
  );
}

function fieldsOf(pieces: readonly Piece[]): CronFields {
  const [second, minute, hour, monthDay, month, weekday] = pieces;
  if (!second || !minute || !hour || !monthDay || !month || !weekday) throw new Error('six fields expected');
  return {
    second: known.second(second.text, () => valuesOf(second, SECOND)),
    minute: known.minute(minute.text, () => valuesOf(minute, MINUTE)),
    hour: known.hour(hour.text, () => valuesOf(hour, HOUR)),
    month: known.month(month.text, () => valuesOf(month, MONTH)),
    monthDays: known.monthDays(monthDay.text, () => monthDaysOf(monthDay)),
    weekdays: known.weekdays(weekday.text, () => weekdaysOf(weekday)),
    wild: /[*?/]/.test(second.text + minute.text + hour.text),
  };
}

function monthDaysOf(piece: Piece): CronMonthDays {
  const days: number[] = [];
  const beforeEnd: number[] = [];
  const nearest: number[] = [];
  let lastWorkday = false;
  for (const item of itemsOf(piece)) {
    const written = item.text.toUpperCase();
    if (written === 'LW') lastWorkday = true;
    else if (written.startsWith('L')) beforeEnd.push(daysBeforeEnd(item, written));
    else if (written.endsWith('W'))
      nearest.push(numberOf({ text: item.text.slice(0, -1), offset: item.offset }, MONTH_DAY));
    else days.push(...rangeOf(item, MONTH_DAY));
  }
  return { restricted: isRestricted(piece), days, beforeEnd, nearest, lastWorkday };
}

function daysBeforeEnd(item: Piece, written: string): number {
  const parts = /^L(?:-(\d{1,2}))?$/.exec(written);
  const before = Number(parts?.[1] ?? 0);
  if (parts === null || before > 30 || (parts[1] !== undefined && before < 1)) {
    refuseAt(
      'cron',
      item,
      'write L (last day), L-1 to L-30 (days before it), LW (last weekday) or 15W (weekday nearest to the 15th)',
    );
  }
  return before;
}

function weekdaysOf(piece: Piece): CronWeekdays {
  const days: number[] = [];
  const nth: { weekday: number; n: number }[] = [];
  for (const item of itemsOf(piece)) {
    const [, day, n] = /^(.+?)(?:#(.*)|L)$/i.exec(item.text) ?? [];
    if (/^L$/i.test(item.text))
      refuseAt('cron', item, 'write SAT for Saturday or 6L for the last Saturday of the month');
    if (day === undefined) days.push(...rangeOf(item, WEEKDAY).map((value) => value % 7));
    else
      nth.push({
        weekday: numberOf({ text: day, offset: item.offset }, WEEKDAY) % 7,
        n: n === undefined ? -1 : rankOf(n, item),
      });
  }
  return { restricted: isRestricted(piece), days, nth };
}

function rankOf(text: string, item: Piece): number {
  if (!/^[1-5]$/.test(text)) refuseAt('cron', item, 'write 1#1 to 1#5 (the first to fifth Monday of the month)');
  return Number(text);
}

function isRestricted(piece: Piece): boolean {
  return piece.text !== '*' && piece.text !== '?';
}
