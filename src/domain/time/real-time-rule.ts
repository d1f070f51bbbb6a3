import { type DaySet, nextDay } from './day-set.ts';
import { DAY_SEC, NONE } from './instant.ts';
import { allWithin, type TimesOfDay, timeFrom } from './times-of-day.ts';
import type { WallSearch } from './wall-rule.ts';

/**
 * An RRULE that steps in hours, minutes or seconds: a grid of instants an even step apart, of which those count whose clock shows an allowed
 * day and time. `unit` is what a grid instant stands for: itself (1), or the minute (60) or hour (3600) on the clock that holds it, within
 * which `inner` says the times.
 */
export interface RealTimeRule {
  readonly kind: 'REAL_TIME';
  readonly baseSec: number;
  readonly stepSec: number;
  readonly unit: 1 | 60 | 3600;
  /** Null: every day. */
  readonly days: DaySet | null;
  /** Null: every time of the day. */
  readonly times: TimesOfDay | null;
  /** Seconds into the unit: a product of minutes and seconds, or a sorted list. Null: the grid instant itself. */
  readonly inner: TimesOfDay | Int16Array | null;
}

/** The first match after `fromWall` on a clock `search.offset` ahead of UTC, NONE when there is none before `search.limit` or the turns are used up. */
export function nextInRealTime(rule: RealTimeRule, fromWall: number, search: WallSearch): number {
  const origin = rule.baseSec + search.offset;
  let target = Math.floor((fromWall + 1) / rule.unit) * rule.unit;
  for (;;) {
    const step = Math.max(Math.ceil((target - origin) / rule.stepSec), 0);
    const grid = origin + step * rule.stepSec;
    const start = Math.floor(grid / rule.unit) * rule.unit;
    if (start >= search.limit || --search.turns < 0) return NONE;
    target = nextAllowed(rule, start);
    if (target === NONE) return NONE;
    if (target !== start) continue;
    const wall = rule.inner === null ? grid : within(rule.inner, start, fromWall);
    if (wall !== NONE) return wall < search.limit ? wall : NONE;
    target = start + rule.unit;
  }
}

/** Whether every instant of the grid counts. */
export function isEven(rule: RealTimeRule): boolean {
  return rule.days === null && rule.times === null && rule.inner === null;
}

/** How many more instants of the grid count after the one at `wall`, up to where a filter has to be asked again: its day, hour or minute ends, or the clock. */
export function evenSteps(rule: RealTimeRule, wall: number, limit: number): number {
  if (rule.inner !== null) return 0;
  const stretch = rule.times === null ? DAY_SEC : allWithin(rule.times);
  const end = Math.min((Math.floor(wall / stretch) + 1) * stretch, limit);
  return Math.floor((end - 1 - wall) / rule.stepSec);
}

/** `wall` itself when its day and time are allowed, else the first wall time after it that is. */
function nextAllowed(rule: RealTimeRule, wall: number): number {
  const today = Math.floor(wall / DAY_SEC);
  if (rule.days !== null) {
    const day = nextDay(rule.days, today);
    if (day !== today) return day === NONE ? NONE : day * DAY_SEC;
  }
  if (rule.times === null) return wall;
  const time = timeFrom(rule.times, wall - today * DAY_SEC);
  return time === NONE ? (today + 1) * DAY_SEC : today * DAY_SEC + time;
}

function within(inner: TimesOfDay | Int16Array, start: number, fromWall: number): number {
  const from = Math.max(fromWall + 1 - start, 0);
  if (!(inner instanceof Int16Array)) {
    const time = from < 3600 ? timeFrom(inner, from) : NONE;
    return time === NONE ? NONE : start + time;
  }
  const time = inner.find((second) => second >= from);
  return time === undefined ? NONE : start + time;
}
