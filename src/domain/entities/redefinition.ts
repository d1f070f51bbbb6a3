import { normaliseTrigger } from '../time/compile.ts';
import type { ScheduleDefinition } from './definition.ts';
import { checkDefinition, checkOwnership } from './definition-rules.ts';
import { sameJson } from './json.ts';
import { redated } from './redated.ts';
import { isSameTrigger } from './same-trigger.ts';
import type { Act, PassedSlots, ScheduleInput, ScheduleState } from './schedule.ts';
import {
  countedWith,
  lateChoice,
  neverFires,
  passedBy,
  type Redefined,
  type Scheduled,
  startedTimer,
  versionOf,
} from './schedule-timer.ts';

/*
 * What another definition makes of a schedule: which changes make a new version, which start the trigger anew, and what
 * becomes of the slot that was pending.
 */

/** Null when nothing changes. Throws INVALID_TRIGGER, TRIGGER_NEVER_FIRES or VALIDATION_FAILED. */
export function redefined(before: Scheduled, given: Omit<ScheduleInput, 'enabled'>, act: Act): Redefined | null {
  const { state } = before;
  const isSame = given.tz === state.tz && isSameTrigger(given.trigger, state.trigger, given.tz);
  const trigger = isSame ? state.trigger : normaliseTrigger(given.trigger, given.tz, act.now);
  const next: ScheduleState = { ...state, ...given, trigger };
  if (sameJson(next, state)) return null;
  checkOwnership(next);
  checkDefinition(next);
  const isSameDefinition = sameJson(definitionOf(next), definitionOf(state));
  const after = { ...next, definitionVersion: isSameDefinition ? state.definitionVersion : nextDefinition(state) };
  if (!isSame || !sameJson(next.dst, state.dst)) return restarted(before, after, act.now);
  const hasSameDates = sameJson(datesOf(next), datesOf(state));
  if (hasSameDates && sameJson(windowOf(next), windowOf(state)))
    return { state: after, timer: before.timer, passed: null };
  if (!hasSameDates || moves(state)) return redated(before, after, act.now);
  return retimed(before, after, act.now);
}

/** The parts of a schedule that its runs are made from. */
export function definitionOf(state: ScheduleDefinition): ScheduleDefinition {
  const { tz, trigger, target, payload, startAt, endAt, maxFires, jitter, dst, calendars, excluded } = state;
  const { overlapPolicy, misfire, retry, timeoutSec, pauseOnFailures, onCompletion } = state;
  const slots = { tz, trigger, startAt, endAt, maxFires, jitter, dst, calendars, excluded };
  return { ...slots, target, payload, overlapPolicy, misfire, retry, timeoutSec, pauseOnFailures, onCompletion };
}

/** The number of the next definition: above every version so far, as runs name it. Dates alone change without a new version. */
export function nextDefinition({ version, definitionVersion }: ScheduleState): number {
  return Math.max(version, definitionVersion) + 1;
}

function datesOf(state: ScheduleDefinition): unknown {
  return [state.calendars, state.excluded];
}

function moves({ calendars }: ScheduleDefinition): boolean {
  return calendars !== null && calendars.onExcluded !== 'SKIP';
}

function windowOf(state: ScheduleDefinition): unknown {
  return [state.startAt, state.endAt, state.maxFires, state.jitter];
}

/** Other slots: they begin after now. Those of the old trigger that had come due unclaimed keep their place in the record. */
function restarted(before: Scheduled, after: ScheduleState, now: number): Redefined {
  const passed = passedBefore(before, now);
  const counted = countedWith(before.timer, passed);
  // What was put ahead of its date has been handled already, though its slot lies in the future.
  const ahead = moves(before.state) && before.state.state !== 'DISABLED' ? versionOf(before.state) : null;
  const cursor = ahead?.handledUpTo(counted) ?? counted.cursor;
  const timer = startedTimer(after, now, { ...counted, cursor });
  return { state: after.state === 'COMPLETED' ? { ...after, state: 'ACTIVE' } : after, timer, passed };
}

/** A definition that disabled its schedule may not compile any more, so its slots are not counted. */
function passedBefore(before: Scheduled, now: number): PassedSlots | null {
  const { state, timer } = before;
  if (state.state === 'COMPLETED') return null;
  if (state.state !== 'DISABLED') return passedBy(before, now, ...lateChoice(before, now));
  const skipped = { from: timer.slot, to: now, count: null, reason: 'PAUSED' } as const;
  return timer.due > now ? null : { version: state.definitionVersion, fired: [], skipped };
}

/** The same slots in another window or with other jitter. A completed schedule begins again where the window now has slots to come. */
function retimed({ timer }: Scheduled, after: ScheduleState, now: number): Redefined {
  const version = versionOf(after);
  if (after.state === 'COMPLETED') {
    const again = version.firstTimer(now, timer);
    return { state: again === null ? after : { ...after, state: 'ACTIVE' }, timer: again ?? timer, passed: null };
  }
  const moved = version.retimed(timer, now);
  if (moved === null) throw neverFires('the trigger has no slot to come within startAt, endAt and maxFires');
  return { state: after, timer: moved, passed: null };
}
