import { dayNumber, monthLength, unpackDate } from './calendar.ts';

/** Milliseconds since 1970-01-01T00:00:00Z. Calendar slots are whole seconds. */
export type Instant = number;

/** Seconds at 2100-01-01T00:00:00Z. No slot lies at or after it: zone rules and patience both end there. */
export const HORIZON_SEC = 4_102_444_800;

export const DAY_SEC = 86_400;

/** What a search for a time, day or second answers when there is nothing more to find: far before all of them. */
export const NONE = -1_000_000_000;

/** A date and time as written: the wall clock in seconds since 1970 as if in UTC, and the offset if one was written. */
export interface WrittenTime {
  readonly wallSec: number;
  readonly fractionMs: number;
  /** Seconds east of UTC, null for a local time. */
  readonly offsetSec: number | null;
}

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d\d):(\d\d))?$/i;

/** Reads `2026-03-29T09:00:00`, with a fraction, `Z` or an offset as RFC 3339 has them. Null unless the date and time exist on the calendar. */
export function readWrittenTime(text: string): WrittenTime | null {
  const parts = RFC_3339.exec(text);
  if (parts === null) return null;
  const wallSec = wallSeconds(
    Number(parts[1]),
    Number(parts[2]),
    Number(parts[3]),
    Number(parts[4]) * 10_000 + Number(parts[5]) * 100 + Number(parts[6]),
  );
  if (wallSec === null) return null;
  const fractionMs = Number((parts[7] ?? '').slice(0, 3).padEnd(3, '0'));
  if (parts[8] !== undefined) return { wallSec, fractionMs, offsetSec: 0 };
  if (parts[9] === undefined) return { wallSec, fractionMs, offsetSec: null };
  const hours = Number(parts[10]);
  const minutes = Number(parts[11]);
  if (hours > 23 || minutes > 59) return null;
  return { wallSec, fractionMs, offsetSec: (parts[9] === '-' ? -1 : 1) * (hours * 3600 + minutes * 60) };
}

/** The wall clock in seconds since 1970 as if in UTC, null when there is no such date or time. `time` is hhmmss as one number. */
export function wallSeconds(year: number, month: number, day: number, time: number): number | null {
  const hour = Math.trunc(time / 10_000);
  const minute = Math.trunc(time / 100) % 100;
  const second = time % 100;
  if (month < 1 || month > 12 || day < 1 || day > monthLength(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59) return null;
  return dayNumber(year, month, day) * DAY_SEC + hour * 3600 + minute * 60 + second;
}

/** `2026-03-29T01:00:00.000Z`. */
export function instantText(at: Instant): string {
  return new Date(at).toISOString();
}

/** {@link instantText} for instants of which many in a row are the same. */
export function textOfInstants(): (at: Instant) => string {
  let lastAt = Number.NaN;
  let lastText = '';
  return (at) => {
    if (at !== lastAt) {
      lastText = instantText(at);
      lastAt = at;
    }
    return lastText;
  };
}

/** `2026-03-29T09:00:00` of a wall clock in seconds since 1970 as if in UTC. */
export function wallText(wallSec: number): string {
  const day = Math.floor(wallSec / DAY_SEC);
  const time = wallSec - day * DAY_SEC;
  const date = unpackDate(day);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = `${two(Math.trunc(time / 3600))}:${two(Math.trunc(time / 60) % 60)}:${two(time % 60)}`;
  return `${String(date.year).padStart(4, '0')}-${two(date.month)}-${two(date.day)}T${clock}`;
}
