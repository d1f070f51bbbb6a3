import { neverReached } from '../never.ts';
import { countInRecurrence, countOnClock } from './count-slots.ts';
import { compileCron } from './cron.ts';
import { explain } from './explain.ts';
import { HORIZON_SEC, type Instant, NONE } from './instant.ts';
import {
  compileInterval,
  type Interval,
  markInInterval,
  nextInInterval,
  normaliseInterval,
  slotsOnGrid,
} from './interval.ts';
import { compileOneShot, normaliseOneShot, type OneShot } from './one-shot.ts';
import { refuse } from './refuse.ts';
import { compileRrule, nextInRecurrence, type Recurrence } from './rrule.ts';
import { normaliseRrule } from './rrule-read.ts';
import type { DstPolicy, Trigger } from './trigger.ts';
import { newSearch, type WallRule } from './wall-rule.ts';
import { type Clock, clockOf, type DstMark, markOf, nextOnClock } from './zone.ts';

export interface TriggerContext {
  readonly tz: string;
  readonly dst?: DstPolicy | undefined;
}

/** A trigger made ready for `nextSlot`. Immutable; worth keeping, cheap to make again. */
export type CompiledTrigger =
  | { readonly type: 'CRON'; readonly rule: WallRule; readonly clock: Clock }
  | { readonly type: 'RRULE'; readonly set: Recurrence }
  | { readonly type: 'INTERVAL'; readonly interval: Interval }
  | { readonly type: 'FIXED_DELAY'; readonly delayMs: number }
  | { readonly type: 'ONE_SHOT'; readonly once: OneShot };

/**
 * The trigger as it is stored: all that depends on the moment of its creation is written into it (DTSTART, anchor).
 * Storing it again changes nothing. Throws DomainError INVALID_TRIGGER with the field and, in a text, the offset.
 */
export function normaliseTrigger(trigger: Trigger, tz: string, now: Instant): Trigger {
  switch (trigger.type) {
    case 'CRON':
      compileCron(trigger.cron);
      return trigger;
    case 'RRULE':
      return normaliseRrule(trigger, tz, now);
    case 'INTERVAL':
      return normaliseInterval(trigger, tz, now);
    case 'FIXED_DELAY':
      return { type: 'FIXED_DELAY', delaySec: delaySecOf(trigger.delaySec) };
    case 'ONE_SHOT':
      return { type: 'ONE_SHOT', startAt: normaliseOneShot(trigger.startAt, tz) };
    default:
      return neverReached(trigger);
  }
}

/** Slots that are walked through before the rest is counted. */
const MOST_WALKED = 64;

/** Takes a normalised trigger. One that never fires is not an error here. Throws DomainError INVALID_TRIGGER, RangeError for an unknown zone. */
export function compileTrigger(trigger: Trigger, context: TriggerContext): CompiledTrigger {
  switch (trigger.type) {
    case 'CRON': {
      const { rule, wild } = compileCron(trigger.cron);
      return { type: 'CRON', rule, clock: clockOf(context.tz, wild, context.dst) };
    }
    case 'RRULE':
      return { type: 'RRULE', set: compileRrule(trigger, context.tz, context.dst) };
    case 'INTERVAL':
      return { type: 'INTERVAL', interval: compileInterval(trigger, context.tz, context.dst) };
    case 'FIXED_DELAY':
      return { type: 'FIXED_DELAY', delayMs: delaySecOf(trigger.delaySec) * 1000 };
    case 'ONE_SHOT':
      return { type: 'ONE_SHOT', once: compileOneShot(trigger.startAt, context.tz, context.dst) };
    default:
      return neverReached(trigger);
  }
}

/** The first slot after `after`, null when there is none before 2100 or the search used up its work budget. FIXED_DELAY: its delay after `after`. Pure. */
export function nextSlot(compiled: CompiledTrigger, after: Instant): Instant | null {
  if (!(after < HORIZON_SEC * 1000)) return null;
  switch (compiled.type) {
    case 'CRON':
      return slotAt(nextOnClock(compiled.rule, compiled.clock, secondsOf(after), newSearch()));
    case 'RRULE':
      return slotAt(nextInRecurrence(compiled.set, secondsOf(after), newSearch()));
    case 'INTERVAL':
      return slotAt(nextInInterval(compiled.interval, secondsOf(after)));
    case 'FIXED_DELAY':
      return after + compiled.delayMs < HORIZON_SEC * 1000 ? after + compiled.delayMs : null;
    case 'ONE_SHOT': {
      const { at } = compiled.once;
      return at !== null && at > after && at < HORIZON_SEC * 1000 ? at : null;
    }
    default:
      return neverReached(compiled);
  }
}

/** As `nextSlot`, and whether a clock change touched the slot: GAP, moved out of a skipped time; FOLD, at a time that comes twice. */
export function nextSlotMarked(
  compiled: CompiledTrigger,
  after: Instant,
): { readonly at: Instant; readonly dst: DstMark } | null {
  const at = nextSlot(compiled, after);
  if (at === null) return null;
  switch (compiled.type) {
    case 'CRON':
      return { at, dst: markOf(compiled.rule, compiled.clock, at / 1000, newSearch()) };
    case 'RRULE':
      return { at, dst: markOf(compiled.set.rule, compiled.set.clock, at / 1000, newSearch()) };
    case 'INTERVAL':
      return { at, dst: markInInterval(compiled.interval, at / 1000) };
    case 'ONE_SHOT':
      return { at, dst: compiled.once.dst };
    default:
      return { at, dst: null };
  }
}

/**
 * The latest slot in (after, upTo], and how many there are: exactly up to `cap`, then null. A FIXED_DELAY has at most one, the others wait for its
 * run. A few are walked through, more are counted by arithmetic, so a year of seconds costs no more than a day.
 */
export function slotsBetween(
  compiled: CompiledTrigger,
  after: Instant,
  upTo: Instant,
  cap: number,
): { readonly last: Instant | null; readonly count: number | null } {
  const inReach = Math.min(upTo, HORIZON_SEC * 1000 - 1);
  if (compiled.type === 'INTERVAL' && compiled.interval.kind === 'FIXED') {
    const slots = slotsOnGrid(compiled.interval, secondsOf(after), Math.floor(inReach / 1000));
    return { last: slotAt(slots.last), count: slots.count > cap ? null : slots.count };
  }
  let last: Instant | null = null;
  let count = 0;
  for (let at = nextSlot(compiled, after); at !== null && at <= inReach; at = nextSlot(compiled, at)) {
    last = at;
    count += 1;
    if (compiled.type === 'FIXED_DELAY') break;
    if (count > cap) return { last: lastFrom(compiled, at, inReach), count: null };
    if (count === MOST_WALKED && (compiled.type === 'CRON' || compiled.type === 'RRULE')) {
      const more = countRest(compiled, at / 1000, Math.floor(inReach / 1000));
      const total = more === null || count + more > cap ? null : count + more;
      return { last: lastFrom(compiled, at, inReach), count: total };
    }
  }
  return { last, count };
}

/** What a normalised trigger does, in one English sentence without a full stop; times are those of its zone. Throws DomainError INVALID_TRIGGER. */
export function describeTrigger(trigger: Trigger, tz: string): string {
  return explain(trigger, tz);
}

/** Why `nextSlot` answers null here: nothing is left, or a rule so sparse that the search used up its work budget. */
export function whyNoSlot(compiled: CompiledTrigger, after: Instant): 'FINISHED' | 'WORK_BUDGET' {
  if (compiled.type !== 'RRULE') return 'FINISHED';
  const search = newSearch();
  return nextInRecurrence(compiled.set, secondsOf(after), search) === NONE && search.turns < 0
    ? 'WORK_BUDGET'
    : 'FINISHED';
}

function countRest(
  compiled: Extract<CompiledTrigger, { type: 'CRON' | 'RRULE' }>,
  afterSec: number,
  upToSec: number,
): number | null {
  return compiled.type === 'CRON'
    ? countOnClock(compiled.rule, compiled.clock, afterSec, upToSec)
    : countInRecurrence(compiled.set, afterSec, upToSec);
}

/** The latest slot up to `upTo`, given one that is not after it: by halving, so a year of seconds costs forty steps. */
function lastFrom(compiled: CompiledTrigger, slot: Instant, upTo: Instant): Instant {
  let last = slot;
  let end = upTo;
  while (last < end) {
    const middle = Math.floor((last + end) / 2);
    const next = nextSlot(compiled, middle);
    if (next !== null && next <= upTo) last = next;
    else end = middle;
  }
  return last;
}

/** Nothing is due before 1970. */
function secondsOf(at: Instant): number {
  return Math.max(Math.floor(at / 1000), -1);
}

function slotAt(atSec: number): Instant | null {
  return atSec === NONE ? null : atSec * 1000;
}

function delaySecOf(delaySec: number): number {
  if (!Number.isInteger(delaySec) || delaySec < 1 || delaySec > 315_360_000)
    refuse('delaySec', 'whole seconds from 1 to 315360000 (ten years)');
  return delaySec;
}
