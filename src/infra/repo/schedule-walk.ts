import { and, asc, desc, eq, lt, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { ScheduleEntity } from '../../domain/entities/schedule.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { ListPosition, ScheduleFilter, ScheduleSort } from '../../domain/ports/schedule-repository.ts';
import type { Transaction } from '../db/client.ts';
import { schedules, timers } from '../db/schema.ts';
import { isIndexed, isLiving, passes, timerOfSchedule } from './schedule-filter.ts';
import { instantOf, type LivingRow, livingColumns } from './schedule-rows.ts';

/*
 * A list goes along one index from where the page before ended, and reads no more of it than the page needs. With a filter a page
 * looks at a bounded number of schedules: at all that an index finds for the filter, where they are that few; else at a stretch of
 * the order, and tells where it ended, be the page full or not.
 */

/** Schedules that a page with a filter looks at, at most: some milliseconds. */
const MOST_LOOKED_AT = 1000;

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

/** What one page asks of its ways. `few`: the ids of all that can be meant, where an index found them. */
export interface Stretch {
  readonly tenantId: TenantId;
  readonly filter: ScheduleFilter;
  readonly few: readonly string[] | null;
  readonly isDescending: boolean;
  readonly after: ListPosition | undefined;
  readonly limit: number;
}

/** At most `limit` rows behind a place, in order; `end` where they were looked for no further, null where nothing is left to look at. */
export async function alongWalks(
  tx: Transaction,
  walks: readonly Walk[],
  stretch: Stretch,
): Promise<{ readonly rows: readonly LivingRow[]; readonly end: ListPosition | null }> {
  const end = await endOf(tx, walks, stretch);
  const found = await Promise.all(walks.map((walk) => rowsOf(tx, walk, stretch, end)));
  const [only = [], ...others] = found;
  if (others.length === 0) return { rows: only, end };
  const rows = found
    .flat()
    .toSorted((left, right) => inOrder(left.schedule.id, right.schedule.id, stretch.isDescending));
  return { rows: rows.slice(0, stretch.limit), end };
}

function rowsOf(
  tx: Transaction,
  walk: Walk,
  stretch: Stretch,
  end: ListPosition | null,
): Promise<readonly LivingRow[]> {
  const { tenantId, filter, few, limit, isDescending } = stretch;
  const wanted = passes(filter);
  const rows = tx
    .select(livingColumns)
    .from(schedules)
    .leftJoin(timers, timerOfSchedule)
    .where(
      and(
        isLiving(tenantId),
        few === null ? undefined : sql`${schedules.id} = any(${`{${few.join(',')}}`}::text::uuid[])`,
        wanted,
        walk.only,
        behind(walk, stretch),
        end === null ? undefined : beside(walk, end, isDescending ? '>=' : '<='),
      ),
    )
    .orderBy(...orderOf(walk, isDescending))
    .limit(limit);
  // With a filter it is planned for what is asked, which takes a round trip more.
  return wanted === undefined ? rows.prepare('page_of_schedules').execute() : rows.execute();
}

/** The last place that a page looks at; null where it may look at all that is left. */
async function endOf(tx: Transaction, walks: readonly Walk[], stretch: Stretch): Promise<ListPosition | null> {
  if (stretch.few !== null || passes(stretch.filter) === undefined) return null;
  const ends = await Promise.all(walks.map((walk) => endOfWalk(tx, walk, stretch)));
  const [first = null] = ends
    .filter((end) => end !== null)
    .toSorted((left, right) => inOrder(left.id, right.id, stretch.isDescending));
  return first;
}

async function endOfWalk(tx: Transaction, walk: Walk, stretch: Stretch): Promise<ListPosition | null> {
  const place = tx.select({ value: walk.by ?? sql<null>`null`, id: walk.id }).from(walk.id.table);
  const [last] = await place
    .where(
      and(
        walk.id.table === timers ? eq(timers.tenantId, stretch.tenantId) : isLiving(stretch.tenantId),
        walk.only,
        behind(walk, stretch),
      ),
    )
    .orderBy(...orderOf(walk, stretch.isDescending))
    .limit(1)
    .offset(MOST_LOOKED_AT - 1);
  return last === undefined ? null : { value: placeOf(last.value), id: String(last.id) };
}

function placeOf(value: unknown): ListPosition['value'] {
  if (value instanceof Date) return value.getTime();
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

/** The ids of all that an index finds for a filter; null where it has nothing for an index, or they are too many to look at each. */
export async function fewOf(
  tx: Transaction,
  tenantId: TenantId,
  filter: ScheduleFilter,
): Promise<readonly string[] | null> {
  const indexed = isIndexed(filter);
  if (indexed === undefined) return null;
  const found = await tx
    .select({ id: schedules.id })
    .from(schedules)
    .leftJoin(timers, timerOfSchedule)
    .where(and(isLiving(tenantId), indexed))
    .limit(MOST_LOOKED_AT + 1);
  return found.length > MOST_LOOKED_AT ? null : found.map(({ id }) => id);
}

function orderOf({ by, id }: Walk, isDescending: boolean): readonly SQL[] {
  const direction = isDescending ? desc : asc;
  return by === null ? [direction(id)] : [direction(by), direction(id)];
}

function behind(walk: Walk, { after, isDescending }: Stretch): SQL | undefined {
  return after === undefined ? undefined : beside(walk, after, isDescending ? '<' : '>');
}

function beside({ by, id }: Walk, place: ListPosition, than: keyof typeof OPPOSITE): SQL | undefined {
  const sign = sql.raw(than);
  if (by === null) return sql`${id} ${sign} ${place.id}::uuid`;
  const value = typeof place.value === 'number' ? instantOf(place.value) : sql`${place.value}::text`;
  if (by !== timers.nextDue) return sql`(${by}, ${id}) ${sign} (${value}, ${place.id}::uuid)`;
  // timers_due holds no ids. A comparison of pairs there has the planner believe that far fewer are left than are.
  const isPassed = sql`${by} = ${value} and ${id} ${sql.raw(OPPOSITE[than])} ${place.id}::uuid`;
  return sql`${by} ${sql.raw(than.charAt(0))}= ${value} and not (${isPassed})`;
}

function inOrder(left: string, right: string, isDescending: boolean): number {
  const ascending = left < right ? -1 : left > right ? 1 : 0;
  return isDescending ? -ascending : ascending;
}

/** A condition on the timer, which is there then. */
function ofTimer(condition: SQL): SQL | undefined {
  return and(sql`${timers.scheduleId} is not null`, condition);
}
