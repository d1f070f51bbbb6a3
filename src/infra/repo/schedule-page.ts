import { and, asc, count, desc, type SQL, sql } from 'drizzle-orm';
import type { ScheduleEntity } from '../../domain/entities/schedule.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { ListPosition, Page, ScheduleQuery, ScheduleSort } from '../../domain/ports/schedule-repository.ts';
import { pipelined, type Transaction } from '../db/client.ts';
import { schedules, timers } from '../db/schema.ts';
import { isLiving, passes, timerOfSchedule } from './schedule-filter.ts';
import { positionIn, walksOf } from './schedule-order.ts';
import { entityOf, type LivingRow, livingColumns } from './schedule-rows.ts';
import { alongWalks, fewOf } from './schedule-walk.ts';

const LONGEST_PAGE = 200;

/** One page of a tenant's living schedules. */
export function schedulePage(
  tx: Transaction,
  tenantId: TenantId,
  query: ScheduleQuery,
): Promise<Page<ScheduleEntity, ListPosition>> {
  const limit = Math.min(query.limit, LONGEST_PAGE);
  return query.offset === undefined
    ? pageBehind(tx, tenantId, { ...query, limit })
    : pageAt(tx, tenantId, { ...query, limit, offset: query.offset });
}

/** From a place on. */
async function pageBehind(
  tx: Transaction,
  tenantId: TenantId,
  { sort, filter, after, limit }: ScheduleQuery,
): Promise<Page<ScheduleEntity, ListPosition>> {
  const rows: LivingRow[] = [];
  let end: ListPosition | null = null;
  const { walks: all, rest } = walksOf(sort, filter);
  const few = await fewOf(tx, tenantId, rest);
  for (const walks of all) {
    // A place among what does not fire lies behind all that does.
    if (after?.value === null && walks.some(({ by }) => by !== null)) continue;
    const place = after?.value !== null && walks.some(({ by }) => by === null) ? undefined : after;
    const stretch = {
      tenantId,
      filter: rest,
      few,
      isDescending: isDescending(sort),
      after: place,
      limit: limit + 1 - rows.length,
    };
    const found = await alongWalks(tx, walks, stretch);
    rows.push(...found.rows);
    end = found.end;
    if (rows.length > limit || end !== null) break;
  }
  const items = rows.slice(0, limit).map(entityOf);
  const last = items.at(-1);
  const next = rows.length > limit && last !== undefined ? positionIn(sort, last) : end;
  return { items, next, total: null };
}

/** By number, with a total: reads all that lies before it. */
async function pageAt(
  tx: Transaction,
  tenantId: TenantId,
  { sort, filter, limit, offset }: ScheduleQuery,
): Promise<Page<ScheduleEntity, ListPosition>> {
  const where = and(isLiving(tenantId), passes(filter));
  const found = tx
    .select(livingColumns)
    .from(schedules)
    .leftJoin(timers, timerOfSchedule)
    .where(where)
    .orderBy(...orderOf(sort))
    .limit(limit)
    .offset(offset ?? 0)
    .execute();
  const counted = tx
    .select({ total: count() })
    .from(schedules)
    .leftJoin(timers, timerOfSchedule)
    .where(where)
    .execute();
  const [rows, [row]] = await pipelined([found, counted]);
  return { items: rows.map(entityOf), next: null, total: row?.total ?? 0 };
}

function orderOf(sort: ScheduleSort): readonly SQL[] {
  const direction = isDescending(sort) ? desc : asc;
  switch (sort) {
    case 'createdAt':
    case '-createdAt':
      return [direction(schedules.createdAt), direction(schedules.id)];
    case 'name':
    case '-name':
      return [direction(schedules.name), direction(schedules.id)];
    case 'nextFireAt':
    case '-nextFireAt':
      return [sql`${direction(sql`nullif(${timers.nextDue}, 'infinity')`)} nulls last`, direction(schedules.id)];
  }
}

function isDescending(sort: ScheduleSort): boolean {
  return sort.startsWith('-');
}
