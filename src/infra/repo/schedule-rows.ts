import { type SQL, sql } from 'drizzle-orm';
import { definitionOf } from '../../domain/entities/redefinition.ts';
import { ScheduleEntity } from '../../domain/entities/schedule.ts';
import type { TimerState } from '../../domain/entities/timer.ts';
import { DomainError } from '../../domain/errors.ts';
import { tzdataVersion } from '../../domain/time/zone.ts';
import { schedules, type scheduleVersions, timers } from '../db/schema.ts';

/*
 * An entity is its row. Only the timer has two homes: the hot `timers` row while the schedule is ACTIVE, else columns of the
 * cold row.
 */

type ScheduleRow = typeof schedules.$inferSelect;
type TimerRow = typeof timers.$inferSelect;

const NO_TIMER = { slot: null, due: null, cursor: null, lastFired: null, fires: 0 } as const;

/** What living schedules are read with. */
export const livingColumns = { schedule: schedules, timer: timers };

/** A schedule's row with its timer's, where it has one. */
export interface LivingRow {
  readonly schedule: ScheduleRow;
  readonly timer: TimerRow | null;
}

export function entityOf({ schedule, timer }: LivingRow): ScheduleEntity {
  const { deletedAt, slot, due, cursor, lastFired, fires, ...state } = schedule;
  const cold: TimerState = {
    slot: slot ?? 0,
    due: due ?? Number.POSITIVE_INFINITY,
    cursor: cursor ?? 0,
    lastFired,
    fires,
  };
  return new ScheduleEntity(state, timer === null ? cold : timerState(timer));
}

export function scheduleRow({ state, timer, isActive }: ScheduleEntity): Omit<ScheduleRow, 'deletedAt'> {
  return { ...state, ...(isActive ? NO_TIMER : timer) };
}

export function versionRow({ state }: ScheduleEntity): typeof scheduleVersions.$inferInsert {
  return { ...definitionOf(state), tenantId: state.tenantId, scheduleId: state.id, version: state.definitionVersion };
}

/** The hot row of a timer that was computed just now, or long ago: then the zone data it was computed with is not known. */
export function timerRow({ state, timer }: ScheduleEntity, isFresh: boolean): typeof timers.$inferInsert {
  const { slot, due, cursor, lastFired, fires } = timer;
  const of = { scheduleId: state.id, tenantId: state.tenantId, version: state.definitionVersion };
  const skipNext = timer.skipNext === true;
  return { ...of, nextDue: due, slot, cursor, lastFired, fires, skipNext, tzdata: isFresh ? tzdataVersion : null };
}

/** Epoch milliseconds as an instant of the database. */
export function instantOf(ms: number): SQL {
  return sql`to_timestamp(${ms}::float8 / 1000)`;
}

/** The error of a change whose schedule is not as it was found. */
export function changedMeanwhile(): DomainError {
  return new DomainError('CONFLICT', 'the schedule changed meanwhile');
}

function timerState({ nextDue, slot, cursor, lastFired, fires, skipNext }: TimerRow): TimerState {
  return { slot, due: nextDue, cursor, lastFired, fires, ...(skipNext && { skipNext }) };
}
