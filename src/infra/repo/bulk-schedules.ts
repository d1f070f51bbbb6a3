import { and, eq, isNull, type SQL, sql } from 'drizzle-orm';
import type { Address } from '../../domain/entities/bulk.ts';
import type { ScheduleEntity } from '../../domain/entities/schedule.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import { pipelined, type Transaction } from '../db/client.ts';
import { LostRace } from '../db/database-errors.ts';
import { schedules, scheduleVersions, timers } from '../db/schema.ts';
import { columnsOf, givenRows, listed } from './column-arrays.ts';
import { arrayLiteral, quotedLiteral } from './engine-rows.ts';
import { entityOf, scheduleRow, timerRow } from './schedule-rows.ts';
import { withWaitedRuns } from './waited-runs.ts';

/*
 * Many schedules in one statement. Rows are locked in the order of their ids, timers before schedules as everywhere, and inserted
 * in the order of their keys: two requests that name the same ones, in whatever order, wait for one another and do not deadlock.
 */

/** The living schedules at these addresses, locked until the transaction ends; aligned with `addresses`. */
export async function findAllForChange(
  tx: Transaction,
  tenantId: TenantId,
  addresses: readonly Address[],
): Promise<readonly (ScheduleEntity | null)[]> {
  if (addresses.length === 0) return [];
  const idByKey = await idsOf(
    tx,
    tenantId,
    addresses.flatMap((by) => ('key' in by ? [by.key] : [])),
  );
  const ids = addresses.map((by) => ('id' in by ? by.id : (idByKey.get(by.key) ?? null)));
  const found = await lockAll(tx, tenantId, [...new Set(ids.filter((id) => id !== null))]);
  return addresses.map((by, index) => {
    const schedule = found.get(ids[index] ?? '') ?? null;
    return schedule === null || ('key' in by && schedule.state.key !== by.key) ? null : schedule;
  });
}

/** Schedules, first versions and timers, in one round trip. Answers the ids of those whose key was free. */
export async function insertAll(
  tx: Transaction,
  entities: readonly ScheduleEntity[],
): Promise<ReadonlySet<ScheduleId>> {
  if (entities.length === 0) return new Set();
  const inOrder = entities.toSorted(byKey);
  const cold = givenRows(schedules, inOrder.map(scheduleRow));
  // index schedules_key
  const rows = await tx.execute<{ id: ScheduleId }>(sql`
    with given as materialized (${cold.query}), made as (
      insert into ${schedules} (${cold.names}) select ${cold.names} from given
      on conflict (tenant_id, key) where deleted_at is null do nothing
      returning id
    ), versioned as (
      insert into ${scheduleVersions} (${VERSION_NAMES})
      select ${VERSION_SOURCES} from given where id in (select id from made)
    )${timed(inOrder.filter((entity) => entity.isActive))}
    select id from made`);
  return new Set([...rows].map(({ id }) => id));
}

/** The timers of those that were made. */
function timed(active: readonly ScheduleEntity[]): SQL {
  if (active.length === 0) return sql``;
  const hot = givenRows(
    timers,
    active.map((entity) => timerRow(entity, true)),
  );
  return sql`, timed as (
    insert into ${timers} (${hot.names})
    select ${hot.names} from (${hot.query}) as hot where schedule_id in (select id from made)
  )`;
}

/** Where a version's columns come from in the row of its schedule. */
const SOURCES: Readonly<Record<string, string>> = { schedule_id: 'id', version: 'definition_version' };
const VERSION_COLUMNS = Object.values(columnsOf(scheduleVersions))
  .map(({ name }) => name)
  .filter((name) => name !== scheduleVersions.supersededAt.name);
const VERSION_NAMES = listed(VERSION_COLUMNS.map((name) => sql.identifier(name)));
const VERSION_SOURCES = listed(VERSION_COLUMNS.map((name) => sql.identifier(SOURCES[name] ?? name)));

async function idsOf(
  tx: Transaction,
  tenantId: TenantId,
  keys: readonly string[],
): Promise<ReadonlyMap<string | null, ScheduleId>> {
  if (keys.length === 0) return new Map();
  // index schedules_key
  const rows = await tx
    .select({ id: schedules.id, key: schedules.key })
    .from(schedules)
    .where(
      and(
        eq(schedules.tenantId, tenantId),
        sql`${schedules.key} = any(${quotedLiteral(keys)}::text::text[])`,
        isNull(schedules.deletedAt),
      ),
    );
  return new Map(rows.map(({ id, key }) => [key, id]));
}

async function lockAll(
  tx: Transaction,
  tenantId: TenantId,
  ids: readonly ScheduleId[],
): Promise<ReadonlyMap<string, ScheduleEntity>> {
  const locked = tx
    .select()
    .from(schedules)
    .where(and(eq(schedules.tenantId, tenantId), among(schedules.id, ids), isNull(schedules.deletedAt)))
    .orderBy(schedules.id)
    .for('update')
    .execute();
  const [hot, rows] = await pipelined([lockTimers(tx, tenantId, ids), locked]);
  const timerless = rows.filter(({ id, state }) => state === 'ACTIVE' && !hot.has(id)).map(({ id }) => id);
  // A resume committed while we waited for the schedule. Its timer is there now, and timers are locked first.
  if (timerless.length > 0 && (await hasTimers(tx, timerless))) throw new LostRace('a schedule was resumed meanwhile');
  const entities = rows.map((schedule) => {
    const timer = schedule.state === 'ACTIVE' ? (hot.get(schedule.id) ?? null) : null;
    return entityOf({ schedule, timer });
  });
  return new Map((await withWaitedRuns(tx, entities)).map((entity) => [entity.state.id, entity]));
}

async function hasTimers(tx: Transaction, ids: readonly ScheduleId[]): Promise<boolean> {
  const found = await tx.select({ id: timers.scheduleId }).from(timers).where(among(timers.scheduleId, ids)).limit(1);
  return found.length > 0;
}

async function lockTimers(
  tx: Transaction,
  tenantId: TenantId,
  ids: readonly ScheduleId[],
): Promise<ReadonlyMap<string, typeof timers.$inferSelect>> {
  const rows = await tx
    .select()
    .from(timers)
    .where(and(eq(timers.tenantId, tenantId), among(timers.scheduleId, ids)))
    .orderBy(timers.scheduleId)
    .for('update');
  return new Map(rows.map((timer) => [timer.scheduleId, timer]));
}

function among(column: typeof schedules.id | typeof timers.scheduleId, ids: readonly ScheduleId[]): SQL {
  return sql`${column} = any(${arrayLiteral(ids)}::text::uuid[])`;
}

function byKey(left: ScheduleEntity, right: ScheduleEntity): number {
  const [one, other] = [left.state.key ?? '', right.state.key ?? ''];
  return one < other ? -1 : one > other ? 1 : 0;
}
