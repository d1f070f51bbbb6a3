import { dayNumber, dayOf, monthLength, monthOf, packedDate, yearOf } from './calendar.ts';
import { type Duration, parseDuration } from './duration.ts';
import { DAY_SEC, HORIZON_SEC, type Instant, instantText, NONE, readWrittenTime, wallText } from './instant.ts';
import { refuse } from './refuse.ts';
import type { DstPolicy, Trigger } from './trigger.ts';
import { newSearch } from './wall-rule.ts';
import { type Clock, clockOf, type DstMark, instantsOf, markOf, wallAt } from './zone.ts';

export type IntervalTrigger = Extract<Trigger, { type: 'INTERVAL' }>;

/** Instants a fixed step apart. */
export interface FixedInterval {
  readonly kind: 'FIXED';
  readonly anchorSec: number;
  readonly stepSec: number;
  readonly lastSec: number;
}

/** Instants a calendar step apart in wall time. */
export interface CalendarInterval {
  readonly kind: 'CALENDAR';
  readonly anchorWall: number;
  readonly step: Duration;
  readonly times: number;
  readonly clock: Clock;
}

/** Both count from the anchor, so no error adds up. */
export type Interval = FixedInterval | CalendarInterval;

const MAX_REPEAT = 1_000_000_000;
const SECONDS_A_MONTH = 30.436_875 * DAY_SEC;
const ISO_REPEATING = /^R(\d{0,10})(?:\/(.+))?\/(P[^/]+)$/i;

/** The interval in its normal fields, with an anchor. A local anchor stays local. Throws DomainError INVALID_TRIGGER. */
export function normaliseInterval(trigger: IntervalTrigger, tz: string, now: Instant): IntervalTrigger {
  const { every, anchor, repeat } = trigger.iso8601 === undefined ? trigger : fieldsOfIso(trigger, trigger.iso8601);
  if (every === undefined) refuse('every', 'missing: write a duration such as "PT6H" or "15m", or the field iso8601');
  const step = stepOf(every);
  if (repeat !== undefined && !(Number.isInteger(repeat) && repeat >= 1 && repeat <= MAX_REPEAT)) {
    refuse('repeat', `the number of fires runs from 1 to ${MAX_REPEAT}`);
  }
  const start = anchor === undefined ? defaultAnchor(step, repeat, tz, now) : anchorText(anchor);
  return { type: 'INTERVAL', every, anchor: start, ...(repeat === undefined ? {} : { repeat }) };
}

/** Takes a normalised interval. Throws DomainError INVALID_TRIGGER. */
export function compileInterval(trigger: IntervalTrigger, tz: string, dst: DstPolicy | undefined): Interval {
  if (trigger.every === undefined || trigger.anchor === undefined)
    refuse('every', 'an interval needs its duration and its anchor');
  const step = stepOf(trigger.every);
  const anchor = readWrittenTime(anchorText(trigger.anchor)) ?? refuse('anchor', 'not a time');
  const times = trigger.repeat ?? Infinity;
  const clock = clockOf(tz, false, dst);
  if (step.months === 0 && step.days === 0) {
    const anchorSec =
      anchor.offsetSec === null ? instantsOf(clock, anchor.wallSec)[0] : anchor.wallSec - anchor.offsetSec;
    if (anchorSec === undefined) refuse('anchor', `${trigger.anchor} does not exist in ${tz}`);
    const stepSec = step.ms / 1000;
    return { kind: 'FIXED', anchorSec, stepSec, lastSec: Math.min(anchorSec + (times - 1) * stepSec, HORIZON_SEC - 1) };
  }
  const anchorWall = anchor.offsetSec === null ? anchor.wallSec : wallAt(clock.zone, anchor.wallSec - anchor.offsetSec);
  return { kind: 'CALENDAR', anchorWall, step, times, clock };
}

/** The first slot after `afterSec`, NONE when there is none before the horizon. */
export function nextInInterval(interval: Interval, afterSec: number): number {
  if (interval.kind === 'CALENDAR') return nextOnCalendar(interval, afterSec)?.atSec ?? NONE;
  const passed = Math.max(Math.floor((afterSec - interval.anchorSec) / interval.stepSec) + 1, 0);
  const atSec = interval.anchorSec + passed * interval.stepSec;
  return atSec <= interval.lastSec ? atSec : NONE;
}

/** How many slots of a fixed grid lie in (afterSec, upToSec], and the last of them, NONE when there are none. */
export function slotsOnGrid(
  interval: FixedInterval,
  afterSec: number,
  upToSec: number,
): { readonly last: number; readonly count: number } {
  const first = nextInInterval(interval, afterSec);
  const end = Math.min(upToSec, interval.lastSec);
  if (first === NONE || first > end) return { last: NONE, count: 0 };
  const steps = Math.floor((end - first) / interval.stepSec);
  return { last: first + steps * interval.stepSec, count: steps + 1 };
}

/** Whether a clock change touched a slot of the interval. A fixed grid runs in real time: none does. */
export function markInInterval(interval: Interval, atSec: number): DstMark {
  const slot = interval.kind === 'CALENDAR' ? nextOnCalendar(interval, atSec - 1) : null;
  if (interval.kind === 'FIXED' || slot === null) return null;
  const { clock } = interval;
  return wallAt(clock.zone, slot.wallSec) === slot.wall ? markOf(null, clock, slot.wallSec, newSearch()) : 'GAP';
}

/** The wall time of a slot number, from 0, before its fixed part: the anchor's day of the month, or the last one of a shorter month. */
function wallOfStep(anchorWall: number, step: Duration, number: number): number {
  const anchorDay = Math.floor(anchorWall / DAY_SEC);
  const date = packedDate(anchorDay);
  const month = yearOf(date) * 12 + monthOf(date) - 1 + step.months * number;
  const year = Math.floor(month / 12);
  const monthInYear = (month % 12) + 1;
  const day = dayNumber(year, monthInYear, Math.min(dayOf(date), monthLength(year, monthInYear))) + step.days * number;
  return day * DAY_SEC + (anchorWall - anchorDay * DAY_SEC);
}

interface CalendarSlot {
  readonly atSec: number;
  /** The wall time of the slot before its fixed part, and when that was. */
  readonly wall: number;
  readonly wallSec: number;
}

function nextOnCalendar(interval: CalendarInterval, afterSec: number): CalendarSlot | null {
  const { anchorWall, step, times, clock } = interval;
  const fixedSec = step.ms / 1000;
  const usualSec = step.months * SECONDS_A_MONTH + step.days * DAY_SEC + fixedSec;
  const estimate = Math.floor((afterSec - anchorWall) / usualSec);
  // Months differ from the usual by less than two of them, clocks by a day.
  for (let number = Math.max(estimate - 3, 0); number < times; number++) {
    const wall = wallOfStep(anchorWall, step, number);
    if (wall + number * fixedSec > HORIZON_SEC + DAY_SEC) return null;
    for (const wallSec of instantsOf(clock, wall)) {
      const atSec = wallSec + number * fixedSec;
      if (atSec > afterSec) return atSec < HORIZON_SEC ? { atSec, wall, wallSec } : null;
    }
  }
  return null;
}

function fieldsOfIso(trigger: IntervalTrigger, text: string): Pick<IntervalTrigger, 'every' | 'anchor' | 'repeat'> {
  if (trigger.every !== undefined || trigger.anchor !== undefined || trigger.repeat !== undefined) {
    refuse('iso8601', 'stands for every, anchor and repeat: leave them out');
  }
  const [, count, anchor, every] = ISO_REPEATING.exec(text) ?? [];
  if (every === undefined)
    refuse(
      'iso8601',
      'write R[n]/start/duration, for example "R10/2026-01-01T00:00:00Z/PT6H"; n is the number of fires, without it there is no end',
    );
  return { every, anchor, repeat: count === undefined || count === '' ? undefined : Number(count) };
}

function stepOf(every: string): Duration {
  const step = parseDuration(every);
  if (step === null)
    refuse(
      'every',
      `${JSON.stringify(every.slice(0, 64))} is not a duration: write "PT6H", "P1M", "15m", "1h30m" or "2d"`,
    );
  if (step.ms % 1000 !== 0) refuse('every', 'whole seconds only');
  if (step.months === 0 && step.days === 0 && step.ms === 0)
    refuse('every', 'longer than nothing, please: at least one second');
  return step;
}

function anchorText(text: string): string {
  const written = readWrittenTime(text);
  if (written === null)
    refuse(
      'anchor',
      `${JSON.stringify(text.slice(0, 64))} is not a time: write "2026-01-01T09:00:00" (local) or "2026-01-01T08:00:00Z"`,
    );
  if (written.fractionMs !== 0) refuse('anchor', 'whole seconds only');
  if (written.wallSec < 0 || written.wallSec >= HORIZON_SEC) refuse('anchor', 'from 1970 to 2099');
  return written.offsetSec === null
    ? wallText(written.wallSec)
    : instantText((written.wallSec - written.offsetSec) * 1000);
}

/** The whole second of the creation; with a number of fires the first slot after it, so that all of them are still to come. */
function defaultAnchor(step: Duration, repeat: number | undefined, tz: string, now: Instant): string {
  const nowSec = Math.floor(now / 1000);
  if (repeat === undefined) return instantText(nowSec * 1000);
  const anchor = instantText(nowSec * 1000);
  const every = compileInterval({ type: 'INTERVAL', every: durationText(step), anchor }, tz, undefined);
  const first = nextInInterval(every, nowSec);
  return first === NONE ? anchor : instantText(first * 1000);
}

function durationText(step: Duration): string {
  return `P${step.months}M${step.days}DT${step.ms / 1000}S`;
}
