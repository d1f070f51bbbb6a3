import type { SlotCalendar } from '../time/slot-calendar.ts';
import { type Fate, fateOf, type Slots } from './calendar-fate.ts';
import type { ScheduleDefinition } from './definition.ts';
import type { DueSlots } from './latest-slots.ts';
import {
  type FireDecision,
  type FiredSlot,
  overlapAmong,
  type PreviousRun,
  type SkippedSlots,
  startBeside,
  type TimerState,
} from './timer.ts';

/** What the fate of a due slot is read from: a schedule's version. */
export interface DueSlotRules {
  readonly definition: ScheduleDefinition;
  readonly delayMs: number | null;
  readonly calendar: SlotCalendar | null;
  readonly slots: Slots | null;
  dueOf(slot: number): number;
  slotsDue(first: number, now: number, keep: number): DueSlots;
  nextOf(slot: number): number | null;
  isOpenAt(slot: number, fires: number): boolean;
  handledUpTo(timer: TimerState): number;
}

/** A chain's slot, moved by its calendar, is put off until it is due there. */
type ChainFate = Fate | { readonly kind: 'WAIT'; readonly until: number };

/** The fate of the timer's slot, due at `now`: what its calendar says, then a person's wish to skip it, the misfire and the overlap policy. */
export function fateOfDueSlot(of: DueSlotRules, timer: TimerState, now: number, previous: PreviousRun): FireDecision {
  const fate = of.calendar === null ? null : underCalendar(of, of.calendar, timer, now);
  if (fate?.kind === 'SKIP') return skip(of, timer, fate.skipped, previous);
  if (fate?.kind === 'WAIT') return { fired: null, skipped: null, next: { ...timer, due: fate.until } };
  if (timer.skipNext === true) {
    const { slot } = timer;
    return skip(of, timer, { from: slot, to: slot, count: 1, reason: 'BY_USER' }, previous);
  }
  if (fate !== null) return fireSlot(of, timer, { cause: fate.cause, missed: null }, previous);
  if (now - timer.due <= of.definition.misfire.thresholdSec * 1000)
    return fireSlot(of, timer, { cause: 'SCHEDULE', missed: null }, previous);
  return fireMissed(of, timer, now, previous);
}

function underCalendar(of: DueSlotRules, calendar: SlotCalendar, timer: TimerState, now: number): ChainFate {
  if (of.slots !== null) return fateOf(of.slots, timer, now);
  const { slot } = timer;
  if (calendar.isSkipped(slot))
    return { kind: 'SKIP', skipped: { from: slot, to: slot, count: 1, reason: 'CALENDAR' } };
  const until = of.dueOf(slot);
  if (until > now) return { kind: 'WAIT', until };
  const isLate = now - until > of.definition.misfire.thresholdSec * 1000;
  return { kind: 'FIRE', cause: isLate ? 'CATCH_UP' : 'SCHEDULE' };
}

function fireMissed(of: DueSlotRules, timer: TimerState, now: number, previous: PreviousRun): FireDecision {
  const { policy, thresholdSec, windowSec } = of.definition.misfire;
  if (of.delayMs !== null) return fireSlot(of, timer, { cause: 'CATCH_UP', missed: null }, previous);
  switch (policy) {
    case 'FIRE_ONCE': {
      const { latest, before } = of.slotsDue(timer.slot, now, 1);
      const slot = latest[0] ?? timer.slot;
      const missed = before === null ? null : ({ ...before, reason: 'MISFIRE' } as const);
      const due = slot === timer.slot ? timer.due : of.dueOf(slot);
      return fireSlot(of, { ...timer, slot, due }, { cause: 'CATCH_UP', missed }, previous);
    }
    case 'SKIP':
      return skipUpTo(of, timer, now - thresholdSec * 1000, previous);
    case 'FIRE_ALL':
      if (now - timer.due > windowSec * 1000) return skipUpTo(of, timer, now - windowSec * 1000, previous);
      return fireSlot(of, timer, { cause: 'CATCH_UP', missed: null }, previous);
  }
}

/** Skips the timer's slot and all after it that were due by `upTo`, as one stretch. */
function skipUpTo(of: DueSlotRules, timer: TimerState, upTo: number, previous: PreviousRun): FireDecision {
  const { before } = of.slotsDue(timer.slot, upTo, 0);
  const stretch = before ?? { from: timer.slot, to: timer.slot, count: 1 };
  return skip(of, timer, { ...stretch, reason: 'MISFIRE' }, previous);
}

/** What becomes of the slot that `decision` would have fired, where it may not: it is skipped, with what the decision skipped before it. */
export function skippedInstead(
  of: DueSlotRules,
  timer: TimerState,
  { decision, reason }: { readonly decision: FireDecision; readonly reason: SkippedSlots['reason'] },
  previous: PreviousRun,
): FireDecision {
  const { fired, skipped } = decision;
  if (fired === null) return decision;
  const before = skipped === null ? 0 : skipped.count;
  const stretch = { from: skipped?.from ?? fired.slot, to: fired.slot, count: before === null ? null : before + 1 };
  return skip(of, { ...timer, slot: fired.slot }, { ...stretch, reason }, previous);
}

/** A slot that its calendar skips is not the one that a person asked to skip: the mark stays. */
function skip(of: DueSlotRules, timer: TimerState, skipped: SkippedSlots, previous: PreviousRun): FireDecision {
  const isMarked = timer.skipNext === true && skipped.reason === 'CALENDAR';
  const next =
    of.delayMs === null
      ? timerAfter(of, timer, { slot: skipped.to, ...countsOf(timer) }, previous)
      : nextLink(of, timer, timer.slot + of.delayMs);
  return { fired: null, skipped, next: isMarked && next !== 'COMPLETED' ? { ...next, skipNext: true } : next };
}

function nextLink(of: DueSlotRules, { slot, lastFired, fires }: TimerState, next: number): TimerState | 'COMPLETED' {
  return of.isOpenAt(next, fires) ? { slot: next, due: next, cursor: slot, lastFired, fires } : 'COMPLETED';
}

function fireSlot(
  of: DueSlotRules,
  timer: TimerState,
  { cause, missed }: { readonly cause: FiredSlot['cause']; readonly missed: SkippedSlots | null },
  previous: PreviousRun,
): FireDecision {
  const { slot, due, fires } = timer;
  const isShared = of.slots?.calendar.isShared(slot) === true;
  const start = startBeside(previous, overlapAmong(of.definition.overlapPolicy, isShared));
  if (start === null) {
    const count = missed === null ? 1 : missed.count === null ? null : missed.count + 1;
    const skipped: SkippedSlots = { from: missed?.from ?? slot, to: slot, count, reason: 'OVERLAP' };
    return { fired: null, skipped, next: timerAfter(of, timer, { slot, ...countsOf(timer) }, previous) };
  }
  const next = timerAfter(of, timer, { slot, lastFired: slot, fires: fires + 1 }, 'OPEN');
  return { fired: { slot, due, cause, start }, skipped: missed, next };
}

/** The timer once `handled.slot` has been handled: the next slot, a wait for the open run to end, or the end. */
function timerAfter(
  of: DueSlotRules,
  timer: TimerState,
  handled: Pick<TimerState, 'slot' | 'lastFired' | 'fires'>,
  previous: PreviousRun,
): TimerState | 'COMPLETED' {
  const { slot, lastFired, fires } = handled;
  const calendar = of.slots?.calendar ?? null;
  const next = calendar === null ? of.nextOf(slot) : calendar.next(slot, timer.cursor);
  if (next !== null && of.isOpenAt(next, fires)) {
    const cursor = Math.max(timer.cursor, calendar?.moves === true ? calendar.handledBelow(next) : slot);
    // What is put ahead of its date to a time that has passed comes due one after the other, now.
    const due = calendar === null ? of.dueOf(next) : Math.max(of.dueOf(next), timer.due);
    return { slot: next, due, cursor, lastFired, fires };
  }
  if (previous === 'ENDED') return 'COMPLETED';
  const waiting = { slot, due: Number.POSITIVE_INFINITY, cursor: timer.cursor, lastFired, fires };
  return { ...waiting, cursor: of.handledUpTo(waiting) };
}

function countsOf({ lastFired, fires }: TimerState): Pick<TimerState, 'lastFired' | 'fires'> {
  return { lastFired, fires };
}
