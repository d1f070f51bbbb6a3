import type { ScheduleDefinition } from '../entities/definition.ts';
import { checkDefinition } from '../entities/definition-rules.ts';
import type { ScheduleEntity } from '../entities/schedule.ts';
import { neverFires } from '../entities/schedule-timer.ts';
import { type ComingSlot, ScheduleVersion } from '../entities/schedule-version.ts';
import type { TimerState } from '../entities/timer.ts';
import type { ScheduleId, TenantId } from '../ids.ts';
import { describeTrigger, normaliseTrigger } from '../time/compile.ts';
import { localTime } from '../time/zone.ts';
import { slotsInOrder } from './upcoming-in-order.ts';

export interface UpcomingSlot {
  readonly scheduledFor: Date;
  /** RFC 3339 with the zone's offset. */
  readonly local: string;
  readonly dst: 'GAP' | 'FOLD' | null;
  /** The excluded date of the slot (`2026-12-25`), where a calendar moves it from there: `dueAt` tells where to. */
  readonly movedFrom: string | null;
  readonly dueAt: Date;
}

export interface Upcoming {
  readonly description: string;
  readonly slots: readonly UpcomingSlot[];
  /** The trigger has no slot after these. */
  readonly exhausted: boolean;
}

/** Epoch ms; `from` is exclusive and begins at `now` when left out, `to` is inclusive. */
export interface UpcomingWindow {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly count: number;
}

const MOST_SLOTS = 1000;

/** The slots to come: of an active schedule from its pending one on, of a paused one those that would come if it were resumed now. */
export function upcomingOf(schedule: ScheduleEntity, window: UpcomingWindow, now: number): Upcoming {
  const { state, timer, currentVersion: version } = schedule;
  if (state.state === 'COMPLETED') return answer(version, { slots: [], exhausted: true });
  if (schedule.isActive) return answer(version, slotsFrom(version, timer, window, now));
  const first = version.delayMs === null ? version.firstTimer(now, timer) : timer;
  return answer(version, slotsFrom(version, first, window, now));
}

/** The slots of a definition that no schedule has yet, as if created now. Jitter depends on the schedule's id, so none shows. */
export function previewOf(
  definition: ScheduleDefinition,
  of: { readonly scheduleId: ScheduleId; readonly tenantId: TenantId },
  window: UpcomingWindow,
  now: number,
): Upcoming {
  checkDefinition(definition);
  const trigger = normaliseTrigger(definition.trigger, definition.tz, now);
  const version = new ScheduleVersion({ ...of, version: 1 }, { ...definition, trigger, jitter: null });
  const first = version.firstTimer(window.from ?? now);
  if (first === null && window.from === undefined)
    throw neverFires('the trigger has no slot after now within startAt and endAt');
  return answer(version, slotsFrom(version, first, window, now));
}

interface Found {
  readonly slots: readonly ComingSlot[];
  readonly exhausted: boolean;
}

function answer({ definition }: ScheduleVersion, { slots, exhausted }: Found): Upcoming {
  const { trigger, tz } = definition;
  const shown = slots.map(({ slot, due, dst, movedFrom }) => ({
    scheduledFor: new Date(slot),
    local: localTime(slot, tz),
    dst,
    movedFrom,
    dueAt: new Date(due),
  }));
  return { description: describeTrigger(trigger, tz), slots: shown, exhausted };
}

function slotsFrom(version: ScheduleVersion, first: TimerState | null, window: UpcomingWindow, now: number): Found {
  const to = window.to ?? Number.POSITIVE_INFINITY;
  if (version.delayMs !== null) {
    // A chain's next slot is known once the run before it has ended; those after it never are.
    const isShown =
      first !== null &&
      first.due !== Number.POSITIVE_INFINITY &&
      first.skipNext !== true &&
      version.calendar?.isSkipped(first.slot) !== true &&
      first.slot > (window.from ?? now) &&
      first.slot <= to;
    if (!isShown) return { slots: [], exhausted: false };
    const movedFrom = version.calendar?.movedFrom(first.slot) ?? null;
    const due = Math.max(first.due, version.dueOf(first.slot));
    return { slots: [{ slot: first.slot, due, dst: null, movedFrom }], exhausted: false };
  }
  if (first === null || first.due === Number.POSITIVE_INFINITY) return { slots: [], exhausted: true };
  const limit = Math.min(window.count, MOST_SLOTS);
  if (version.slots !== null)
    return slotsInOrder(version, version.slots, first, { from: window.from, to, count: limit, now });
  const slots: Found['slots'][number][] = [];
  let after = Math.max(window.from ?? now, first.skipNext === true ? first.slot : first.slot - 1);
  let fires = first.fires + version.slotsWithin(first.slot, after);
  for (;;) {
    const next = version.isSpent(fires) ? null : version.upcomingAfter(after);
    if (next === null) return { slots, exhausted: true };
    if (next.slot > to || slots.length >= limit) return { slots, exhausted: false };
    slots.push(next);
    after = next.slot;
    fires += 1;
  }
}
