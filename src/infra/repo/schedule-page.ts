import { and, asc, count, desc, eq, ilike, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import type { ScheduleEntity } from '../../domain/entities/schedule.ts';
import type { TenantId } from '../../domain/ids.ts';
import type {
  ListPosition,
  Page,
  ScheduleFilter,
  ScheduleQuery,
  ScheduleSort,
} from '../../domain/ports/schedule-repository.ts';
import { pipelined, type Transaction } from '../db/client.ts';
import { schedules, timers } from '../db/schema.ts';
import { entityOf, instantOf, livingColumns } from './schedule-rows.ts';

const LONGEST_PAGE = 200;

/** What a list is ordered by, and how a place in it is told. `isNullable`: what has no value comes last, in both directions. */
interface Order {
  readonly by: SQL;
  readonly isDescending: boolean;
  readonly isNullable: boolean;
  readonly valueOf: (entity: ScheduleEntity) => ListPosition['value'];
}

/** One page of a tenant's living schedules. */
export async function schedulePage(
  tx: Transaction,
  tenantId: TenantId,
  query: ScheduleQuery,
): Promise<Page<ScheduleEntity, ListPosition>> {
  const order = orderOf(query.sort);
  const limit = Math.min(query.limit, LONGEST_PAGE);
  const filter = and(eq(schedules.tenantId, tenantId), isNull(schedules.deletedAt), ...conditionsOf(query.filter));
  const from = query.after === undefined ? undefined : behind(order, query.after);
  const direction = order.isDescending ? desc : asc;
  const rows = tx
    .select(livingColumns)
    .from(schedules)
    .leftJoin(timers, timerOfSchedule)
    .where(and(filter, from))
    .orderBy(order.isNullable ? sql`${direction(order.by)} nulls last` : direction(order.by), direction(schedules.id))
    .limit(limit + 1)
    .offset(query.offset ?? 0)
    .prepare('page_of_schedules')
    .execute();
  const total = query.offset === undefined ? Promise.resolve(null) : countOf(tx, filter);
  const [found, counted] = await pipelined([rows, total]);
  const items = found.slice(0, limit).map(entityOf);
  const last = items.at(-1);
  const next = found.length > limit && last !== undefined ? { value: order.valueOf(last), id: last.state.id } : null;
  return { items, next, total: counted };
}

/** The hot row of a schedule's timer. */
export const timerOfSchedule = and(eq(timers.scheduleId, schedules.id), eq(timers.tenantId, schedules.tenantId));

async function countOf(tx: Transaction, filter: SQL | undefined): Promise<number> {
  const [row] = await tx.select({ total: count() }).from(schedules).leftJoin(timers, timerOfSchedule).where(filter);
  return row?.total ?? 0;
}

function conditionsOf(filter: ScheduleFilter): readonly (SQL | undefined)[] {
  const { organizationId, state, label, q, targetKind, triggerType, dueBefore } = filter;
  const part = q === undefined ? '' : `%${q.replace(/[\\%_]/g, '\\$&')}%`;
  return [
    organizationId === null ? undefined : eq(schedules.organizationId, organizationId),
    state === undefined ? undefined : eq(schedules.state, state),
    label === undefined
      ? undefined
      : sql`${schedules.labels} @> ${JSON.stringify({ [label.key]: label.value })}::jsonb`,
    q === undefined ? undefined : or(ilike(schedules.name, part), ilike(schedules.key, part)),
    targetKind === undefined ? undefined : sql`${schedules.target}->>'kind' = ${targetKind}`,
    triggerType === undefined ? undefined : sql`${schedules.trigger}->>'type' = ${triggerType}`,
    dueBefore === undefined ? undefined : lt(timers.nextDue, dueBefore),
  ];
}

function orderOf(sort: ScheduleSort): Order {
  const isDescending = sort.startsWith('-');
  switch (sort) {
    case 'createdAt':
    case '-createdAt':
      return {
        by: sql`${schedules.createdAt}`,
        isDescending,
        isNullable: false,
        valueOf: ({ state }) => state.createdAt.getTime(),
      };
    case 'name':
    case '-name':
      return { by: sql`${schedules.name}`, isDescending, isNullable: false, valueOf: ({ state }) => state.name };
    case 'nextFireAt':
    case '-nextFireAt':
      return {
        by: sql`case when ${timers.nextDue} <> 'infinity' then ${timers.slot} end`,
        isDescending,
        isNullable: true,
        // Of the timer's slot, as the order is: where calendars move slots, `nextFireAt` is told apart from it.
        valueOf: ({ isActive, timer }) => (isActive && timer.due !== Number.POSITIVE_INFINITY ? timer.slot : null),
      };
  }
}

/** What lies behind a place in the order. */
function behind({ by, isDescending, isNullable }: Order, { value, id }: ListPosition): SQL {
  const than = sql.raw(isDescending ? '<' : '>');
  if (value === null) return sql`(${by} is null and ${schedules.id} ${than} ${id}::uuid)`;
  const place = typeof value === 'number' ? instantOf(value) : sql`${value}::text`;
  const valued = sql`(${by}, ${schedules.id}) ${than} (${place}, ${id}::uuid)`;
  return isNullable ? sql`(${valued} or ${by} is null)` : valued;
}
