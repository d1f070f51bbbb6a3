import { DAY_SEC, HORIZON_SEC, NONE } from './instant.ts';
import { evenSteps, isEven, type RealTimeRule } from './real-time-rule.ts';
import { refuse, refuseAt } from './refuse.ts';
import { untilOfCount } from './rrule-count.ts';
import { daysOf } from './rrule-days.ts';
import type { RruleParts } from './rrule-parse.ts';
import { type RruleInput, readRrule } from './rrule-read.ts';
import { isRealTime, type RealTimeFrequency, realTimeRuleOf } from './rrule-real-time.ts';
import { type RruleTime, type RruleTrigger, wallIn } from './rrule-text.ts';
import { canMatch } from './set-rule.ts';
import { bits64, type TimesOfDay, timesOfDay } from './times-of-day.ts';
import type { DstPolicy } from './trigger.ts';
import { newSearch, type WallRule, type WallSearch, WORK_BUDGET } from './wall-rule.ts';
import { type Clock, clockOf, instantsOf, nextOnClock, skippedStretches, wallAt } from './zone.ts';

/** A recurrence set: the rule's slots from `startSec` to `untilSec` and the added ones, without the removed ones. */
export interface Recurrence {
  /** Null: it never matches. */
  readonly rule: WallRule | null;
  readonly clock: Clock;
  readonly startSec: number;
  readonly untilSec: number;
  /** Seconds, rising. */
  readonly added: Float64Array;
  readonly removed: Float64Array;
}

const MAX_WALKED_COUNT = 100_000;
/** Turns that folding a COUNT may take: some 10 ms. */
const COUNT_BUDGET = 100_000;

/** One for all, as an empty one takes 200 bytes. */
const NO_INSTANTS = new Float64Array(0);

const MAX_UNTILS = 1000;
const untils = new Map<string, number>();

/** Takes a trigger with its DTSTART. Throws DomainError INVALID_TRIGGER. */
export function compileRrule(trigger: RruleTrigger, tz: string, dst: DstPolicy | undefined): Recurrence {
  const input = readRrule(trigger, tz);
  const { freq } = input.parts;
  const realTime = isRealTime(freq);
  const clock = clockOf(input.zone, realTime, dst);
  const removed = instantsIn(clock, input.exdates);
  const dates = instantsIn(clock, input.rdates);
  const added = removed.length === 0 ? dates : dates.filter((atSec) => !includes(removed, atSec));
  const rule = realTime ? inRealTime(input, freq, clock) : onCalendar(input, clock);
  return { clock, added, removed, ...rule };
}

/** The first slot after `afterSec`, NONE when there is none before the horizon or `search` gave up. */
export function nextInRecurrence(set: Recurrence, afterSec: number, search: WallSearch): number {
  const addedNext = firstAfter(set.added, afterSec);
  let next = Math.max(afterSec, set.startSec - 1);
  do {
    next = set.rule === null || next >= set.untilSec ? NONE : nextOnClock(set.rule, set.clock, next, search);
  } while (next !== NONE && includes(set.removed, next));
  if (next === NONE || next > set.untilSec) return addedNext;
  return addedNext === NONE ? next : Math.min(next, addedNext);
}

type RuleAndBounds = Pick<Recurrence, 'rule' | 'startSec' | 'untilSec'>;

function onCalendar(input: RruleInput, clock: Clock): RuleAndBounds {
  const { parts, start, zone } = input;
  if (parts.count !== null && parts.count > MAX_WALKED_COUNT) refuseCount(input, `at most ${MAX_WALKED_COUNT} here`);
  const fromWall = wallIn(start, zone);
  const untilWall = parts.until === null || parts.until.utc ? Infinity : parts.until.wallSec;
  const days = daysOf(parts, Math.floor(fromWall / DAY_SEC));
  const common = { times: timesOf(parts, fromWall), fromWall };
  const rule =
    parts.bySetPos === null
      ? ({ kind: 'DAYS', days: { ...days, grid: parts.interval === 1 ? null : days.grid }, ...common } as const)
      : ({ kind: 'SETS', days, positions: parts.bySetPos, ...common } as const);
  const bounds = {
    startSec: start.utc ? start.wallSec : 0,
    untilSec: parts.until?.utc ? parts.until.wallSec : HORIZON_SEC,
  };
  const open = { ...rule, untilWall };
  if (open.kind === 'SETS' && !canMatch(open)) return { rule: null, ...bounds };
  if (parts.count === null) return { rule: open, ...bounds };
  return {
    rule: { ...open, untilWall: untilOfCount(open, parts.count, skippedStretches(clock, fromWall)) },
    ...bounds,
  };
}

function inRealTime(input: RruleInput, freq: RealTimeFrequency, clock: Clock): RuleAndBounds {
  const { parts, start, zone } = input;
  const baseSec = start.utc ? start.wallSec : instantsOf(clockOf(zone, false, undefined), start.wallSec)[0];
  if (baseSec === undefined) return refuse('dtstart', `does not exist in ${zone}`);
  const rule = realTimeRuleOf(parts, freq, baseSec, wallAt(clock.zone, baseSec));
  const bounds = { rule, startSec: baseSec };
  if (parts.until !== null)
    return { ...bounds, untilSec: parts.until.utc ? parts.until.wallSec : lastInstantOf(clock, parts.until.wallSec) };
  if (parts.count === null || rule === null) return { ...bounds, untilSec: HORIZON_SEC };
  if (isEven(rule) && clock.fold === 'BOTH' && clock.gap === 'SKIP') {
    return { ...bounds, untilSec: baseSec + (parts.count - 1) * rule.stepSec };
  }
  return { ...bounds, untilSec: untilByWalking(rule, clock, input, baseSec) };
}

/** The last slot of a rule that may have `count` of them. Walking there takes milliseconds, so the last thousand answers are kept. */
function untilByWalking(rule: RealTimeRule, clock: Clock, input: RruleInput, baseSec: number): number {
  const { start, text } = input;
  const key = [text, start.wallSec, start.utc, clock.zone.id, clock.gap, clock.fold].join(' ');
  const known = untils.get(key);
  if (known !== undefined) return known;
  const until = walk(rule, clock, baseSec, input);
  if (untils.size >= MAX_UNTILS) untils.clear();
  untils.set(key, until);
  return until;
}

function walk(rule: RealTimeRule, clock: Clock, baseSec: number, input: RruleInput): number {
  const count = input.parts.count ?? Infinity;
  if (count > MAX_WALKED_COUNT) refuseCount(input, `at most ${MAX_WALKED_COUNT} here`);
  let spent = 0;
  let last = baseSec - 1;
  for (let left = count; left > 0; left--) {
    const search = newSearch();
    const next = nextOnClock(rule, clock, last, search);
    if (next === NONE) return HORIZON_SEC;
    spent += WORK_BUDGET - search.turns;
    if (spent > COUNT_BUDGET) refuseCount(input, 'takes too long to count here');
    const wall = next + search.offset;
    const run = clock.gap === 'SKIP' ? Math.min(evenSteps(rule, wall, search.limit), left - 1) : 0;
    last = next + run * rule.stepSec;
    left -= run;
  }
  return last;
}

function timesOf(parts: RruleParts, fromWall: number): TimesOfDay {
  const time = fromWall - Math.floor(fromWall / DAY_SEC) * DAY_SEC;
  return timesOfDay(
    bits64(parts.byHour ?? [Math.trunc(time / 3600)]).low,
    bits64(parts.byMinute ?? [Math.trunc(time / 60) % 60]),
    bits64(parts.bySecond ?? [time % 60]),
  );
}

/** A time on a skipped date, or in a gap that is skipped, has no instant and is left out. */
function instantsIn(clock: Clock, times: readonly RruleTime[]): Float64Array {
  if (times.length === 0) return NO_INSTANTS;
  const found = times.flatMap((time) => (time.utc ? [time.wallSec] : instantsOf(clock, time.wallSec)));
  return Float64Array.from(new Set(found)).sort();
}

function lastInstantOf(clock: Clock, wall: number): number {
  const both = { ...clock, gap: 'NEXT_VALID', fold: 'BOTH' } as const;
  return instantsOf(both, wall).at(-1) ?? wall - (wallAt(clock.zone, wall) - wall);
}

function refuseCount({ text, offset, parts }: RruleInput, why: string): never {
  const at = offset + `;${text}`.indexOf(';COUNT=');
  refuseAt('rrule', { text: `COUNT=${parts.count}`, offset: at }, `${why}: use UNTIL`);
}

/** Whether an instant is among the rising seconds. */
export function includes(sorted: Float64Array, value: number): boolean {
  return sorted.length > 0 && sorted[indexFrom(sorted, value)] === value;
}

function firstAfter(sorted: Float64Array, value: number): number {
  return sorted[indexFrom(sorted, value + 1)] ?? NONE;
}

/** The index of the first value that is not below `least`. */
function indexFrom(sorted: Float64Array, least: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
