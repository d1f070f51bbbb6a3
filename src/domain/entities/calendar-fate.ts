import type { SlotCalendar } from '../time/slot-calendar.ts';
import type { MisfirePolicy } from './definition.ts';
import { COUNT_CAP } from './latest-slots.ts';
import type { FiredSlot, SkippedSlots, TimerState } from './timer.ts';

/*
 * The fate of due slots under a calendar, where excluded slots stand between the others and due times may not follow the
 * order of the slots. A decision takes one stretch of slots that share a fate; the timer then stands at the next one.
 */

/** What decides the fate of a version's slots. */
export interface Slots {
  readonly calendar: SlotCalendar;
  readonly misfire: MisfirePolicy;
  /** When a slot is due, jitter included. */
  readonly dueOf: (slot: number) => number;
}

/** `skipped` begins at the timer's slot and ends at the last one that the timer has passed with it. */
export type Fate =
  | { readonly kind: 'FIRE'; readonly cause: FiredSlot['cause'] }
  | { readonly kind: 'SKIP'; readonly skipped: SkippedSlots };

/** Slots that passed without a claim, in order; `next` is the one to come, null when there is none. */
export interface PassedByCalendar {
  readonly fired: readonly number[];
  readonly skipped: readonly SkippedSlots[];
  readonly last: number;
  readonly next: number | null;
}

/** Slots that one decision takes at most: each is a search of its own. The next decision goes on. */
const LONGEST_STRETCH = 1_000;
/** Passed slots that one change counts at most; what lies behind is left to the engine and the misfire policy. */
const MOST_PASSED = 20_000;

/** The fate of the timer's slot at `now`, when it is due. A slot that is moved ahead of its date is never missed before that date. */
export function fateOf(of: Slots, timer: TimerState, now: number): Fate {
  const { calendar, misfire } = of;
  if (calendar.isSkipped(timer.slot))
    return stretch(of, timer, 'CALENDAR', (slot) => calendar.isSkipped(slot) && slot <= now);
  const lateMs = now - Math.max(timer.due, Math.min(timer.slot, now));
  if (lateMs <= misfire.thresholdSec * 1000) return { kind: 'FIRE', cause: 'SCHEDULE' };
  const isMissedBy = (upTo: number) => (slot: number) => !calendar.isSkipped(slot) && of.dueOf(slot) <= upTo;
  switch (misfire.policy) {
    case 'FIRE_ALL':
      if (lateMs <= misfire.windowSec * 1000) return { kind: 'FIRE', cause: 'CATCH_UP' };
      return stretch(of, timer, 'MISFIRE', isMissedBy(now - misfire.windowSec * 1000));
    case 'SKIP':
      return stretch(of, timer, 'MISFIRE', isMissedBy(now - misfire.thresholdSec * 1000));
    case 'FIRE_ONCE': {
      const isFollowed = (slot: number): boolean => {
        const later = calendar.nextFired(slot, timer.cursor);
        return later !== null && of.dueOf(later) <= now;
      };
      if (!isFollowed(timer.slot)) return { kind: 'FIRE', cause: 'CATCH_UP' };
      return stretch(of, timer, 'MISFIRE', (slot) => !calendar.isSkipped(slot) && isFollowed(slot));
    }
  }
}

/** What becomes of the slots from the timer's own that are due by `now`: the latest `keep` are fired, the others skipped for `reason`. */
export function passedUnder(
  of: Slots,
  timer: TimerState,
  now: number,
  keep: { readonly count: number; readonly reason: 'MISFIRE' | 'PAUSED' },
): PassedByCalendar {
  const passed: number[] = [];
  let next: number | null = timer.slot;
  while (next !== null && of.dueOf(next) <= now && passed.length < MOST_PASSED) {
    passed.push(next);
    next = of.calendar.next(next, timer.cursor);
  }
  const wanted = passed.length < MOST_PASSED ? keep.count : 0;
  const open = passed.filter((slot) => !of.calendar.isSkipped(slot));
  const fired = new Set(wanted === 0 ? [] : open.slice(-wanted));
  const skipped = passed.filter((slot) => !fired.has(slot));
  const stretches = stretchesOf(of.calendar, skipped, (slot) =>
    of.calendar.isSkipped(slot) ? 'CALENDAR' : keep.reason,
  );
  return { fired: [...fired], skipped: stretches, last: passed.at(-1) ?? timer.slot, next };
}

/** Slots as stretches without another slot in between. */
export function stretchesOf(
  calendar: SlotCalendar,
  slots: readonly number[],
  reasonOf: (slot: number) => SkippedSlots['reason'],
): readonly SkippedSlots[] {
  const stretches: SkippedSlots[] = [];
  for (const slot of [...slots].sort((left, right) => left - right)) {
    const before = stretches.at(-1);
    const reason = reasonOf(slot);
    if (before?.reason === reason && before.count !== null && calendar.follows(before.to, slot))
      stretches[stretches.length - 1] = { ...before, to: slot, count: before.count + 1 };
    else stretches.push({ from: slot, to: slot, count: 1, reason });
  }
  return stretches;
}

/** How many slots that are not skipped lie in (after, upTo]; null past the bound of exact counting. */
export function openCount(calendar: SlotCalendar, after: number, upTo: number): number | null {
  let count = 0;
  for (let slot = calendar.openAfter(after); slot !== null && slot <= upTo; slot = calendar.openAfter(slot)) {
    count += 1;
    if (count > COUNT_CAP) return null;
  }
  return count;
}

/** The slots of a gathering that are still to come but lie before one that was handled already; at most `most`. */
export function leftBehind(calendar: SlotCalendar, timer: TimerState, upTo: number, most: number): readonly number[] {
  const slots: number[] = [];
  let slot: number | null = timer.slot;
  const below = calendar.handledBelow(timer.slot);
  while (slot !== null && slots.length < most && calendar.handledBelow(slot) === below) {
    if (slot <= upTo) slots.push(slot);
    slot = calendar.next(slot, timer.cursor);
  }
  return slots;
}

function stretch(
  { calendar }: Slots,
  timer: TimerState,
  reason: 'CALENDAR' | 'MISFIRE',
  takes: (slot: number) => boolean,
): Fate {
  let last = timer.slot;
  let count = 1;
  for (; count < LONGEST_STRETCH; count++) {
    const next = calendar.next(last, timer.cursor);
    if (next === null || !takes(next) || !calendar.follows(last, next)) break;
    last = next;
  }
  return { kind: 'SKIP', skipped: { from: timer.slot, to: last, count, reason } };
}
