import { DAY_SEC, HORIZON_SEC, type Instant, NONE, readWrittenTime, wallText } from './instant.ts';
import type { DstPolicy } from './trigger.ts';
import { nextWall, type WallRule, type WallSearch } from './wall-rule.ts';
import { segmentAt, type ZoneTable, zoneTable } from './zone-table.ts';

/*
 * What happens where a clock jumps is decided here and nowhere else. A zone's clock runs evenly between two changes (a segment of its table), so a
 * rule is searched in wall time, segment by segment, in the part of the segment where its times count:
 *   gap   the clock goes forward over wall times that never come. They are skipped, or moved to the start of the segment behind the gap
 *         (NEXT_VALID), or by the gap's length into it (SHIFT). A gap over three hours is a date that does not exist: always skipped.
 *   fold  the clock goes back over wall times that come twice: at the end of one segment and again at the start of the next.
 */

/** A zone and what happens where its clock jumps. */
export interface Clock {
  readonly zone: ZoneTable;
  readonly gap: 'NEXT_VALID' | 'SHIFT' | 'SKIP';
  readonly fold: 'FIRST' | 'SECOND' | 'BOTH';
}

export type DstMark = 'GAP' | 'FOLD' | null;

/** Version of the zone data this process computes with (`2026c`), null where the runtime does not tell. */
export const tzdataVersion: string | null = typeof process === 'undefined' ? null : (process.versions['tz'] ?? null);

const LONGEST_GAP_SEC = 3 * 3600;
/** No two clocks are further apart. */
const WIDEST_CHANGE_SEC = 2 * DAY_SEC;
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/;
/** Names that ICU knows and the zone database does not. */
const ICU_ONLY =
  /^(?:SystemV\/.*|US\/Pacific-New|ACT|AET|AGT|ART|AST|BET|BST|CAT|CNT|CST|CTT|EAT|ECT|IET|IST|JST|MIT|NET|NST|PLT|PNT|PRT|PST|SST|VST)$/i;

/** A wild trigger follows real time: gaps pass, and both passes of a fold count. An appointment takes place once. */
export function clockOf(tz: string, wild: boolean, dst: DstPolicy | undefined): Clock {
  const gap = dst?.gap ?? (wild ? 'SKIP' : 'NEXT_VALID');
  const fold = dst?.fold ?? (wild ? 'BOTH' : 'FIRST');
  return { zone: zoneTable(tz), gap, fold };
}

/** The first second after `afterSec` at which the rule is due on this clock, NONE when there is none before the horizon. */
export function nextOnClock(rule: WallRule, clock: Clock, afterSec: number, search: WallSearch): number {
  const { zone } = clock;
  search.afterSec = afterSec;
  let index = segmentAt(zone, afterSec);
  let from = Math.max(afterSec + offsetIn(zone, index), firstWall(clock, index) - 1);
  for (;;) {
    const moved = nextMoved(rule, clock, index, search);
    search.offset = offsetIn(zone, index);
    search.limit = endWall(clock, index);
    const wall = nextWall(rule, from, search);
    const due = wall !== NONE && wall < search.limit ? wall - search.offset : Infinity;
    if (moved !== NONE || due !== Infinity) return beforeHorizon(moved === NONE ? due : Math.min(moved, due));
    index += 1;
    if (startOf(zone, index) >= HORIZON_SEC || search.turns < 0) return NONE;
    if (rule.kind !== 'REAL_TIME' && firstWall(clock, index) > from) {
      // Nothing matches between `from` and `wall`, so the segments in between hold nothing either.
      if (wall === NONE) return NONE;
      index = Math.max(index, segmentAt(zone, wall - WIDEST_CHANGE_SEC));
    }
    from = firstWall(clock, index) - 1;
  }
}

/** The seconds at which something due at this wall time happens: one, two in a fold that counts both passes, none in a gap that is skipped. */
export function instantsOf(clock: Clock, wall: number): number[] {
  const { zone } = clock;
  const found: number[] = [];
  const first = segmentAt(zone, wall - WIDEST_CHANGE_SEC);
  for (let index = first; startOf(zone, index) <= wall + WIDEST_CHANGE_SEC; index++) {
    const before = offsetIn(zone, index - 1);
    const inGap =
      index > first && wall >= startOf(zone, index) + before && wall < startOf(zone, index) + offsetIn(zone, index);
    if (inGap && gapMoves(clock, index)) found.push(clock.gap === 'SHIFT' ? wall - before : startOf(zone, index));
    if (wall >= firstWall(clock, index) && wall < endWall(clock, index)) found.push(wall - offsetIn(zone, index));
  }
  return found;
}

/** The stretches of wall time from `fromWall` on that this clock never shows and that are not moved either; the ends are exclusive. */
export function skippedStretches(clock: Clock, fromWall: number): { readonly from: number; readonly to: number }[] {
  const stretches: { readonly from: number; readonly to: number }[] = [];
  for (let index = 1; index < clock.zone.offsets.length; index++) {
    const from = Math.max(startOf(clock.zone, index) + offsetIn(clock.zone, index - 1), fromWall);
    const to = startOf(clock.zone, index) + offsetIn(clock.zone, index);
    if (from < to && !gapMoves(clock, index)) stretches.push({ from, to });
  }
  return stretches;
}

/** A part of a stretch of time: the wall times of it that count, both ends included; null: behind a gap whose times are moved there, where slots have to be asked for one by one. */
export interface ClockPart {
  readonly fromSec: number;
  readonly toSec: number;
  readonly walls: { readonly from: number; readonly to: number } | null;
}

/** (afterSec, upToSec] in parts in which the clock runs evenly. */
export function partsOf(clock: Clock, afterSec: number, upToSec: number): ClockPart[] {
  const parts: ClockPart[] = [];
  for (let index = segmentAt(clock.zone, afterSec); startOf(clock.zone, index) <= upToSec; index++) {
    const start = startOf(clock.zone, index);
    const offset = offsetIn(clock.zone, index);
    const toSec = Math.min(startOf(clock.zone, index + 1) - 1, upToSec);
    let fromSec = Math.max(start, afterSec + 1);
    if (gapMoves(clock, index)) {
      const settled = Math.min(start + offset - offsetIn(clock.zone, index - 1), toSec);
      if (fromSec <= settled) parts.push({ fromSec, toSec: settled, walls: null });
      fromSec = Math.max(fromSec, settled + 1);
    }
    const walls = {
      from: Math.max(fromSec + offset, firstWall(clock, index)),
      to: Math.min(toSec + offset, endWall(clock, index) - 1),
    };
    if (walls.from <= walls.to) parts.push({ fromSec, toSec, walls });
  }
  return parts;
}

/** Whether a clock change touched a slot of the rule. */
export function markOf(rule: WallRule | null, clock: Clock, atSec: number, search: WallSearch): DstMark {
  const { zone } = clock;
  const index = segmentAt(zone, atSec);
  search.afterSec = atSec - 1;
  if (rule !== null && nextMoved(rule, clock, index, search) === atSec) return 'GAP';
  const wall = atSec + offsetIn(zone, index);
  const second = wall < startOf(zone, index) + offsetIn(zone, index - 1);
  return second || wall >= startOf(zone, index + 1) + offsetIn(zone, index + 1) ? 'FOLD' : null;
}

/** What a clock shows, in seconds since 1970 as if its zone were UTC. */
export function wallAt(zone: ZoneTable, atSec: number): number {
  return atSec + offsetIn(zone, segmentAt(zone, atSec));
}

/** The name as the zone database spells it, null for anything that is not one of its names (offsets, paths, `Factory`, abbreviations). */
export function canonicalZone(name: string): string | null {
  if (name.length > 64 || !ZONE_NAME.test(name)) return null;
  try {
    if (typeof Temporal !== 'undefined')
      return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
    return ICU_ONLY.test(name) ? null : new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}

/** `2026-03-30T09:00:00+02:00`, with milliseconds where there are any. Throws RangeError for an unknown zone. */
export function localTime(at: Instant, tz: string): string {
  const atSec = Math.floor(at / 1000);
  const wall = wallAt(zoneTable(tz), atSec);
  const ms = at - atSec * 1000;
  const minutes = Math.abs(Math.trunc((wall - atSec) / 60));
  const sign = wall < atSec ? '-' : '+';
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${wallText(wall)}${ms > 0 ? `.${String(ms).padStart(3, '0')}` : ''}${sign}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}

/** Reads RFC 3339 with `Z` or an offset; null for anything else and for dates that do not exist. Digits below the millisecond are dropped. */
export function parseInstant(text: string): Instant | null {
  const written = readWrittenTime(text);
  return written === null || written.offsetSec === null
    ? null
    : (written.wallSec - written.offsetSec) * 1000 + written.fractionMs;
}

/** The first slot after `search.afterSec` that the gap before this segment moved into it. */
function nextMoved(rule: WallRule, clock: Clock, index: number, search: WallSearch): number {
  const start = startOf(clock.zone, index);
  if (search.afterSec >= start + LONGEST_GAP_SEC || !gapMoves(clock, index)) return NONE;
  const before = offsetIn(clock.zone, index - 1);
  const end = start + offsetIn(clock.zone, index);
  const shifts = clock.gap === 'SHIFT';
  if (search.afterSec >= (shifts ? end - before : start)) return NONE;
  search.offset = before;
  search.limit = end;
  const from = (shifts ? Math.max(start, search.afterSec + 1) : start) + before - 1;
  const wall = nextWall(rule, from, search);
  if (wall === NONE || wall >= end) return NONE;
  return shifts ? wall - before : start;
}

/** Whether the segment begins with a gap whose wall times are moved into it. */
function gapMoves(clock: Clock, index: number): boolean {
  const length = offsetIn(clock.zone, index) - offsetIn(clock.zone, index - 1);
  return index > 0 && length > 0 && length <= LONGEST_GAP_SEC && clock.gap !== 'SKIP';
}

/** The first wall time of a segment that counts: where only the first pass of a fold does, the second pass is left out. */
function firstWall(clock: Clock, index: number): number {
  const before = offsetIn(clock.zone, index - 1);
  const offset = offsetIn(clock.zone, index);
  return startOf(clock.zone, index) + (clock.fold === 'FIRST' ? Math.max(before, offset) : offset);
}

/** The end of the wall times of a segment that count, exclusive: where only the second pass of a fold does, the first is left out. */
function endWall(clock: Clock, index: number): number {
  const offset = offsetIn(clock.zone, index);
  const next = offsetIn(clock.zone, index + 1);
  return startOf(clock.zone, index + 1) + (clock.fold === 'SECOND' ? Math.min(offset, next) : offset);
}

function startOf(zone: ZoneTable, index: number): number {
  return zone.starts[index] ?? Infinity;
}

/** Before the first and after the last segment: theirs. */
function offsetIn(zone: ZoneTable, index: number): number {
  return zone.offsets[Math.min(Math.max(index, 0), zone.offsets.length - 1)] ?? 0;
}

function beforeHorizon(atSec: number): number {
  return atSec < HORIZON_SEC ? atSec : NONE;
}
