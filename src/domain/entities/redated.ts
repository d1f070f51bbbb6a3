import { leftBehind, stretchesOf } from './calendar-fate.ts';
import type { PassedSlots, ScheduleState } from './schedule.ts';
import {
  countedWith,
  lateChoice,
  neverFires,
  passedBy,
  type Redefined,
  type Scheduled,
  versionOf,
} from './schedule-timer.ts';
import type { ScheduleVersion } from './schedule-version.ts';
import type { TimerState } from './timer.ts';

/*
 * The same trigger under other excluded dates, or in another window while slots are moved. Slots that were due have the
 * fate that the old dates gave them; all later ones follow the new dates. While slots of several dates take turns on one
 * date, some may lie before a slot that was handled already: those keep their old due times, as runs that wait.
 */

/** Runs that a change of dates leaves waiting at most; what is beyond is recorded as skipped. */
const MOST_WAITING = 1_000;
/** Slots that are looked at for that. */
const MOST_LEFT = 20_000;

/** The schedule under other dates. Throws TRIGGER_NEVER_FIRES where the new window has no slot to come. */
export function redated(before: Scheduled, after: ScheduleState, now: number): Redefined {
  const { state, timer } = before;
  const to = versionOf(after);
  if (state.state === 'COMPLETED') {
    const again = to.firstTimer(now, { ...timer, cursor: Math.max(timer.cursor, timer.slot) });
    return { state: again === null ? after : { ...after, state: 'ACTIVE' }, timer: again ?? timer, passed: null };
  }
  if (timer.due === Number.POSITIVE_INFINITY)
    return { state: after, timer: to.retimed(timer, now) ?? timer, passed: null };
  if (to.delayMs !== null) return { state: after, timer: chainTimer(to, timer, now), passed: null };
  const from = versionOf(state);
  const passed = state.state === 'ACTIVE' ? passedBy(before, now, ...lateChoice(before, now)) : null;
  const counted = countedWith(timer, passed);
  const left = counted.due === Number.POSITIVE_INFINITY ? passed : leftOf(before, from, counted, passed);
  return {
    state: after,
    timer: nextTimer(from, to, withWaiting(counted, left), state.state === 'ACTIVE' ? now : null),
    passed: left,
  };
}

/** As `redated`, where only the dates changed and nobody asked for it: a schedule without a slot left ends by itself. */
export function redatedQuietly(before: Scheduled, after: ScheduleState, now: number): Redefined {
  if (before.state.state === 'COMPLETED') return { state: after, timer: before.timer, passed: null };
  return redated(before, after, now);
}

function chainTimer(to: ScheduleVersion, timer: TimerState, now: number): TimerState {
  const next = to.retimed(timer, now);
  if (next === null) throw neverFires('the trigger has no slot to come within startAt, endAt and maxFires');
  return next;
}

/** Runs that wait count as fired. */
function withWaiting(counted: TimerState, left: PassedSlots | null): TimerState {
  return { ...counted, fires: counted.fires + (left?.waiting?.length ?? 0) };
}

/** The first slot, under the new dates, of those that were not handled under the old ones; `now` of a schedule that is active. */
function nextTimer(from: ScheduleVersion, to: ScheduleVersion, counted: TimerState, now: number | null): TimerState {
  if (counted.due === Number.POSITIVE_INFINITY) return counted;
  const floor = from.slots?.calendar.moves === true ? from.handledUpTo(counted) : counted.slot - 1;
  const timer = to.firstTimer(floor, counted);
  if (timer === null && floor < counted.slot)
    throw neverFires('the trigger has no slot to come within startAt, endAt and maxFires');
  if (timer === null) return { ...counted, due: Number.POSITIVE_INFINITY, lastFired: counted.slot, cursor: floor };
  // A slot that was put off and now has its own date back is late for it by nobody's fault.
  return now === null ? timer : { ...timer, due: Math.max(timer.due, now) };
}

function leftOf(
  { state }: Scheduled,
  from: ScheduleVersion,
  counted: TimerState,
  passed: PassedSlots | null,
): PassedSlots | null {
  if (from.slots?.calendar.moves !== true) return passed;
  const { calendar } = from.slots;
  const slots = leftBehind(calendar, counted, from.handledUpTo(counted), MOST_LEFT);
  if (slots.length === 0) return passed;
  const isActive = state.state === 'ACTIVE';
  const kept = isActive ? slots.slice(0, MOST_WAITING) : [];
  const lost = stretchesOf(calendar, slots.slice(kept.length), () => (isActive ? 'CALENDAR' : 'PAUSED'));
  const waiting = kept.map((slot) => ({ slot, due: from.dueOf(slot) }));
  const before = passed ?? { version: state.definitionVersion, fired: [], skipped: null };
  return { ...before, others: [...(before.others ?? []), ...lost], waiting };
}
