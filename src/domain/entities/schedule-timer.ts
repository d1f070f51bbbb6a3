import { DomainError } from '../errors.ts';
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

/** The timer of a schedule whose trigger starts at `now`; `before` has counted fires under another trigger. Throws TRIGGER_NEVER_FIRES. */
export function startedTimer(state: ScheduleState, now: number, before: TimerState | undefined): TimerState {
  const isOneShot = state.trigger.type === 'ONE_SHOT';
  const after = isOneShot ? now - state.misfire.windowSec * 1000 - 1 : now;
  const timer = versionOf(state).firstTimer(after, before);
  if (timer !== null) return timer;
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
  const { latest, before } = versionOf(state).slotsDue(timer.slot, now, room);
  return { version: state.definitionVersion, fired: latest, skipped: before === null ? null : { ...before, reason } };
}

/** The timer with the passed slots counted: none of them comes again. */
export function countedWith(timer: TimerState, passed: PassedSlots | null): TimerState {
  if (passed === null) return timer;
  const lastFired = passed.fired.at(-1);
  const cursor = Math.max(timer.cursor, lastFired ?? 0, passed.skipped?.to ?? 0);
  return { ...timer, cursor, lastFired: lastFired ?? timer.lastFired, fires: timer.fires + passed.fired.length };
}

/** What the schedule's runs are made from, compiled. Throws INVALID_TRIGGER. */
export function versionOf(state: ScheduleState): ScheduleVersion {
  return new ScheduleVersion(
    { scheduleId: state.id, tenantId: state.tenantId, version: state.definitionVersion },
    state,
  );
}
