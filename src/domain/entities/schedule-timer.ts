import { DomainError } from '../errors.ts';
import { passedUnder, type Slots } from './calendar-fate.ts';
import type { MissedChoice, PassedSlots, ScheduleState } from './schedule.ts';
import { ScheduleVersion } from './schedule-version.ts';
import type { TimerState } from './timer.ts';

/** FIRE_ALL makes at most this many runs at once; what lies before them is skipped as one stretch. */
const FIRE_ALL_CAP = 1000;

/** A schedule's row and its timer. */
export interface Scheduled {
  readonly state: ScheduleState;
  readonly timer: TimerState;
}

/** The schedule under a new definition, and the slots of the old one that had come due unclaimed. */
export interface Redefined extends Scheduled {
  readonly passed: PassedSlots | null;
}

/** The timer of a schedule whose trigger starts at `now`; `before` has counted fires under another trigger. Throws TRIGGER_NEVER_FIRES. */
export function startedTimer(state: ScheduleState, now: number, before: TimerState | undefined): TimerState {
  const isOneShot = state.trigger.type === 'ONE_SHOT';
  const after = isOneShot ? now - state.misfire.windowSec * 1000 - 1 : now;
  const timer = versionOf(state).firstTimer(after, before);
  if (timer !== null) return notBefore(timer, now);
  throw neverFires(
    isOneShot
      ? 'trigger.startAt lies in the past by more than the misfire window, or was fired already'
      : 'the trigger has no slot after now within startAt, endAt and maxFires',
  );
}

/** The error of a trigger without a slot to come. */
export function neverFires(message: string): DomainError {
  return new DomainError('TRIGGER_NEVER_FIRES', message, [{ path: 'trigger', message }]);
}

/** The slots from the timer's own that were due by `now` and that no claim took; null when there is none. */
export function passedBy(
  { state, timer }: Scheduled,
  now: number,
  choice: MissedChoice,
  reason: 'MISFIRE' | 'PAUSED',
): PassedSlots | null {
  if (timer.due > now) return null;
  const wanted = { SKIP: 0, FIRE_ONCE: 1, FIRE_ALL: FIRE_ALL_CAP }[choice];
  const room = Math.max(0, Math.min(wanted, (state.maxFires ?? Number.POSITIVE_INFINITY) - timer.fires));
  const version = versionOf(state);
  if (version.slots !== null) return passedInOrder(version.slots, { state, timer }, now, { count: room, reason });
  const { latest, before } = version.slotsDue(timer.slot, now, room);
  return { version: state.definitionVersion, fired: latest, skipped: before === null ? null : { ...before, reason } };
}

/** The timer with the passed slots counted: none of them comes again. */
export function countedWith(timer: TimerState, passed: PassedSlots | null): TimerState {
  if (passed === null) return timer;
  const lastFired = passed.fired.at(-1);
  if (passed.next !== undefined) {
    const fires = timer.fires + passed.fired.length;
    return { ...timer, ...passed.next, lastFired: lastFired ?? timer.lastFired, fires };
  }
  const cursor = Math.max(timer.cursor, lastFired ?? 0, passed.skipped?.to ?? 0);
  return { ...timer, cursor, lastFired: lastFired ?? timer.lastFired, fires: timer.fires + passed.fired.length };
}

/** A slot in the future that is due in the past, because its calendar puts it ahead of its date, is due now. */
export function notBefore(timer: TimerState, now: number): TimerState {
  return timer.slot > now && timer.due < now ? { ...timer, due: now } : timer;
}

function passedInOrder(
  slots: Slots,
  { state, timer }: Scheduled,
  now: number,
  keep: { readonly count: number; readonly reason: 'MISFIRE' | 'PAUSED' },
): PassedSlots | null {
  const { calendar } = slots;
  if (slots.dueOf(timer.slot) > now) return null;
  const { fired, skipped, last, next } = passedUnder(slots, timer, now, keep);
  const [first = null, ...others] = skipped;
  const cursor = Math.max(timer.cursor, next === null || !calendar.moves ? last : calendar.handledBelow(next));
  const pending =
    next === null ? { slot: last, due: Number.POSITIVE_INFINITY } : { slot: next, due: slots.dueOf(next) };
  return { version: state.definitionVersion, fired, skipped: first, others, next: { ...pending, cursor } };
}

/**
 * What becomes of due slots that no claim took before the trigger or its dates changed: what the misfire policy would have made of them.
 * Of several that are not late only the latest is fired where they would have met each other, as they would all start now.
 */
export function lateChoice({ state, timer }: Scheduled, now: number): [MissedChoice, 'MISFIRE' | 'PAUSED'] {
  if (state.state !== 'ACTIVE') return ['SKIP', 'PAUSED'];
  const { policy, thresholdSec } = state.misfire;
  const isLate = now - timer.due > thresholdSec * 1000;
  if (isLate || policy === 'FIRE_ALL') return [policy, 'MISFIRE'];
  return [state.overlapPolicy === 'ALLOW_ALL' ? 'FIRE_ALL' : 'FIRE_ONCE', 'MISFIRE'];
}

/** What the schedule's runs are made from, compiled. Throws INVALID_TRIGGER. */
export function versionOf(state: ScheduleState): ScheduleVersion {
  return new ScheduleVersion(
    { scheduleId: state.id, tenantId: state.tenantId, version: state.definitionVersion },
    state,
  );
}
