import { and, asc, desc, eq, lt, type Placeholder, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { ScheduleEntity } from '../../domain/entities/schedule.ts';
import type { ListPosition, ScheduleFilter, ScheduleSort } from '../../domain/ports/schedule-repository.ts';
import { schedules, timers } from '../db/schema.ts';

/* The orders of a list: along which indexes each goes, and where a schedule stands in it. */

/** What holds where a comparison does not. */
const OPPOSITE = { '<': '>=', '>': '<=', '<=': '>', '>=': '<' } as const;

/** A way along one index. `by` is null where its schedules have no value in the order: then they follow by id. */
export interface Walk {
  readonly by: PgColumn | null;
  readonly id: PgColumn;
  readonly only: SQL | undefined;
}

const byCreation: Walk = { by: schedules.createdAt, id: schedules.id, only: undefined };
const byName: Walk = { by: schedules.name, id: schedules.id, only: undefined };
const firing: Walk = {
  by: timers.nextDue,
  id: timers.scheduleId,
  only: ofTimer(lt(timers.nextDue, Number.POSITIVE_INFINITY)),
};
const waiting: Walk = { by: null, id: timers.scheduleId, only: ofTimer(eq(timers.nextDue, Number.POSITIVE_INFINITY)) };
const stopped = (['PAUSED', 'DISABLED', 'COMPLETED'] as const).map(
  (state): Walk => ({ by: null, id: schedules.id, only: eq(schedules.state, state) }),
);

/**
 * The ways of an order, one after the other, and what they leave to the filter; those beside one another share their order. What
 * does not fire comes last, in both directions.
 */
export function walksOf(
  sort: ScheduleSort,
  filter: ScheduleFilter,
): { readonly walks: readonly (readonly Walk[])[]; readonly rest: ScheduleFilter } {
  switch (sort) {
    case 'createdAt':
    case '-createdAt':
      return { walks: [[byCreation]], rest: filter };
    case 'name':
    case '-name':
      return { walks: [[byName]], rest: filter };
    case 'nextFireAt':
    case '-nextFireAt': {
      const { dueBefore, ...rest } = filter;
      if (dueBefore === undefined) return { walks: [[firing], [...stopped, waiting]], rest };
      return { walks: [[{ ...firing, only: ofTimer(lt(timers.nextDue, dueBefore)) }]], rest };
    }
  }
}

/** Where a schedule stands in an order. */
export function positionIn(sort: ScheduleSort, { state, timer, isActive }: ScheduleEntity): ListPosition {
  switch (sort) {
    case 'createdAt':
    case '-createdAt':
      return { value: state.createdAt.getTime(), id: state.id };
    case 'name':
    case '-name':
      return { value: state.name, id: state.id };
    case 'nextFireAt':
    case '-nextFireAt':
      return { value: isActive && timer.due !== Number.POSITIVE_INFINITY ? timer.due : null, id: state.id };
  }
}

export function orderOf({ by, id }: Walk, isDescending: boolean): readonly SQL[] {
  const direction = isDescending ? desc : asc;
  return by === null ? [direction(id)] : [direction(by), direction(id)];
}

export function beside(walk: Walk, { value, id }: ListPosition, than: keyof typeof OPPOSITE): SQL | undefined {
  return besidePlace(walk, { value, id, isText: typeof value !== 'number' }, than);
}

/** Where a page begins or ends: what it is, or what stands for it in a statement that is built once. */
export interface PlaceInOrder {
  readonly value: ListPosition['value'] | Placeholder;
  readonly id: string | Placeholder;
  /** The order is one of texts; else of instants, epoch ms. */
  readonly isText: boolean;
}

export function besidePlace({ by, id }: Walk, place: PlaceInOrder, than: keyof typeof OPPOSITE): SQL | undefined {
  const sign = sql.raw(than);
  if (by === null) return sql`${id} ${sign} ${place.id}::uuid`;
  const value = place.isText ? sql`${place.value}::text` : sql`to_timestamp(${place.value}::float8 / 1000)`;
  if (by !== timers.nextDue) return sql`(${by}, ${id}) ${sign} (${value}, ${place.id}::uuid)`;
  // timers_due holds no ids. A comparison of pairs there has the planner believe that far fewer are left than are.
  const isPassed = sql`${by} = ${value} and ${id} ${sql.raw(OPPOSITE[than])} ${place.id}::uuid`;
  return sql`${by} ${sql.raw(than.charAt(0))}= ${value} and not (${isPassed})`;
}

export function inOrder(left: string, right: string, isDescending: boolean): number {
  const ascending = left < right ? -1 : left > right ? 1 : 0;
  return isDescending ? -ascending : ascending;
}

/** A condition on the timer, which is there then. */
function ofTimer(condition: SQL): SQL | undefined {
  return and(sql`${timers.scheduleId} is not null`, condition);
}
