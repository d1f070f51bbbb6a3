import { DAY_SEC, HORIZON_SEC } from './instant.ts';

/**
 * Every offset a zone has from 1970 to the horizon. Segment `i` lasts from `starts[i]` up to `starts[i + 1]` (seconds since 1970, the first −∞,
 * one past the last +∞) and its clock is `offsets[i]` seconds ahead of UTC.
 */
export interface ZoneTable {
  readonly id: string;
  readonly starts: Float64Array;
  readonly offsets: Int32Array;
  /** The segment in which each stretch of BUCKET_SEC begins: makes the look-up one step instead of a search. */
  readonly buckets: Uint16Array;
}

interface Transition {
  readonly at: number;
  readonly offset: number;
}

const BUCKET_SEC = 2 ** 24;
const TABLE_START_SEC = -2 * DAY_SEC;
const TABLE_END_SEC = HORIZON_SEC + 2 * DAY_SEC;
const SAMPLE_SEC = 7 * DAY_SEC;

const tables = new Map<string, ZoneTable>();

/** The table of an IANA zone, built once a process. Throws RangeError for a name the runtime does not know. */
export function zoneTable(id: string): ZoneTable {
  const known = tables.get(id);
  if (known !== undefined) return known;
  const built = tableOf(id, typeof Temporal === 'undefined' ? transitionsByIntl(id) : transitionsByTemporal(id));
  tables.set(id, built);
  return built;
}

/** Index of the segment that holds an instant. */
export function segmentAt(table: ZoneTable, atSec: number): number {
  const bucket = Math.min(Math.max(Math.trunc(atSec / BUCKET_SEC), 0), table.buckets.length - 1);
  let index = atSec < 0 ? 0 : (table.buckets[bucket] ?? 0);
  while ((table.starts[index + 1] ?? Infinity) <= atSec) index++;
  return index;
}

export function tableOf(id: string, transitions: readonly Transition[]): ZoneTable {
  const starts = Float64Array.from([...transitions.map((transition) => transition.at), Infinity]);
  const offsets = Int32Array.from(transitions, (transition) => transition.offset);
  const buckets = new Uint16Array(Math.ceil(TABLE_END_SEC / BUCKET_SEC));
  let index = 0;
  for (let bucket = 0; bucket < buckets.length; bucket++) {
    while ((starts[index + 1] ?? Infinity) <= bucket * BUCKET_SEC) index++;
    buckets[bucket] = index;
  }
  return { id, starts, offsets, buckets };
}

export function transitionsByTemporal(id: string): Transition[] {
  const offsetOf = (moment: Temporal.ZonedDateTime): number => moment.offsetNanoseconds / 1e9;
  let moment: Temporal.ZonedDateTime | null = Temporal.Instant.fromEpochMilliseconds(
    TABLE_START_SEC * 1000,
  ).toZonedDateTimeISO(id);
  const transitions: Transition[] = [{ at: -Infinity, offset: offsetOf(moment) }];
  while (moment !== null) {
    moment = moment.getTimeZoneTransition('next');
    if (moment === null || moment.epochMilliseconds >= TABLE_END_SEC * 1000) break;
    transitions.push({ at: moment.epochMilliseconds / 1000, offset: offsetOf(moment) });
  }
  return transitions;
}

/** For runtimes without Temporal: a sample a week (no zone changes twice within one), then halving. */
export function transitionsByIntl(id: string): Transition[] {
  const offsetAt = offsetReader(id);
  let at = TABLE_START_SEC;
  let offset = offsetAt(at);
  const transitions: Transition[] = [{ at: -Infinity, offset }];
  for (let next = at + SAMPLE_SEC; at < TABLE_END_SEC; next += SAMPLE_SEC) {
    const nextOffset = offsetAt(next);
    if (nextOffset !== offset) {
      const changedAt = bisect(at, next, (middle) => offsetAt(middle) !== offset);
      if (changedAt < TABLE_END_SEC) transitions.push({ at: changedAt, offset: nextOffset });
    }
    at = next;
    offset = nextOffset;
  }
  return transitions;
}

/** The first second in (low, high] for which `changed` is true. */
function bisect(low: number, high: number, changed: (at: number) => boolean): number {
  let before = low;
  let after = high;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (changed(middle)) after = middle;
    else before = middle;
  }
  return after;
}

function offsetReader(id: string): (atSec: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: id,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (atSec) => {
    const field: Record<string, number> = {};
    for (const part of format.formatToParts(atSec * 1000)) field[part.type] = Number(part.value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field;
    return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - atSec;
  };
}
