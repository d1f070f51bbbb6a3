import { and, eq, isNull, type SQL, sql, type Table } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { crashPoint } from '#crash-point';
import type { ScheduleEntity } from '../../domain/entities/schedule.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { SavedSchedule } from '../../domain/ports/schedule-repository.ts';
import { pipelined, type Transaction } from '../db/client.ts';
import { schedules, scheduleVersions, timers } from '../db/schema.ts';
import { cancelWaiting } from './cancel-waiting.ts';
import { givenRows, listed, type Row } from './column-arrays.ts';
import { arrayLiteral } from './engine-rows.ts';
import { recordPassed } from './passed-slots.ts';
import { changedMeanwhile, scheduleRow, versionRow } from './schedule-rows.ts';
import { isRedefined, timerChangeOf } from './timer-change.ts';

/*
 * Changes of many schedules that were found for change, a statement a table: timers first, then schedules, as everywhere. The
 * statements go out together, as all rows are locked.
 */

/** Soft: their timers go, their waiting runs end as CANCELLED DELETED. Throws CONFLICT where one is not as it was found. */
export async function removeAll(
  tx: Transaction,
  tenantId: TenantId,
  entities: readonly ScheduleEntity[],
  now: number,
): Promise<void> {
  if (entities.length === 0) return;
  const at = new Date(now);
  const ids = entities.map(({ state }) => state.id);
  crashPoint('delete.before-write');
  await deleteTimers(tx, tenantId, ids);
  crashPoint('delete.after-timer');
  const removed = tx
    .update(schedules)
    .set({ deletedAt: at, updatedAt: at })
    .where(
      and(
        eq(schedules.tenantId, tenantId),
        isNull(schedules.deletedAt),
        sql`(${schedules.id}, ${schedules.version}) in (select id, version from ${listOf(entities.map(({ state }) => state))})`,
      ),
    )
    .returning({ id: schedules.id })
    .execute();
  const [rows] = await pipelined([removed, cancelWaiting(tx, { tenantId, ids }, now)]);
  if (rows.length !== entities.length) throw changedMeanwhile();
  crashPoint('delete.after-write');
}

/** Rows, timers in or out, versions where the definition changed, and the runs of `passed`. Throws CONFLICT where one is not as it was found. */
export async function saveAll(tx: Transaction, tenantId: TenantId, saved: readonly SavedSchedule[]): Promise<void> {
  if (saved.length === 0) return;
  const changes = saved.map((one) => ({ id: one.after.state.id, ...timerChangeOf(one) }));
  const redefined = saved.filter(isRedefined);
  const [, , , , rows] = await pipelined([
    deleteTimers(
      tx,
      tenantId,
      changes.flatMap((change) => (change.kind === 'removed' ? change.id : [])),
    ),
    insertAllOf(
      tx,
      timers,
      changes.flatMap((change) => (change.kind === 'inserted' ? change.row : [])),
    ),
    updateAllOf(tx, timers, {
      key: timers.scheduleId,
      tenantId,
      rows: changes.flatMap((change) => (change.kind === 'moved' ? change.row : [])),
    }),
    reversionTimers(
      tx,
      tenantId,
      changes.flatMap((change) => (change.kind === 'reversioned' ? change : [])),
    ),
    updateAllOf(tx, schedules, { key: schedules.id, tenantId, rows: saved.map(({ after }) => scheduleRow(after)) }),
    insertAllOf(
      tx,
      scheduleVersions,
      redefined.map(({ after }) => versionRow(after)),
    ),
    supersede(tx, tenantId, redefined),
  ]);
  if (rows.length !== saved.length) throw changedMeanwhile();
  for (const { after } of saved)
    if (after.passed !== null) await recordPassed(tx, after, after.passed, after.state.updatedAt.getTime());
}

/** A version of a schedule. */
interface OfVersion {
  readonly id: ScheduleId;
  readonly version: number;
}

function listOf(versions: readonly OfVersion[]): SQL {
  const ids = arrayLiteral(versions.map(({ id }) => id));
  return sql`unnest(${ids}::text::uuid[], ${arrayLiteral(versions.map(({ version }) => version))}::text::int[]) as v(id, version)`;
}

async function deleteTimers(tx: Transaction, tenantId: TenantId, ids: readonly ScheduleId[]): Promise<void> {
  if (ids.length === 0) return;
  const these = sql`${timers.scheduleId} = any(${arrayLiteral(ids)}::text::uuid[])`;
  await tx.delete(timers).where(and(eq(timers.tenantId, tenantId), these));
}

/** Timers that stay as they are but for the version that their slots will have. */
async function reversionTimers(tx: Transaction, tenantId: TenantId, versions: readonly OfVersion[]): Promise<void> {
  if (versions.length === 0) return;
  await tx.execute(
    sql`update timers t set version = v.version from ${listOf(versions)} where t.tenant_id = ${tenantId} and t.schedule_id = v.id`,
  );
}

async function supersede(tx: Transaction, tenantId: TenantId, saved: readonly SavedSchedule[]): Promise<void> {
  const [first] = saved;
  if (first === undefined) return;
  const versions = listOf(
    saved.map(({ before }) => ({ id: before.state.id, version: before.state.definitionVersion })),
  );
  await tx.execute(sql`
    update schedule_versions s set superseded_at = ${first.after.state.updatedAt.toISOString()}::timestamptz from ${versions}
    where s.tenant_id = ${tenantId} and s.schedule_id = v.id and s.version = v.version`);
}

async function insertAllOf<T extends Table>(
  tx: Transaction,
  table: T,
  rows: readonly T['$inferInsert'][],
): Promise<void> {
  if (rows.length === 0) return;
  const { names, query } = givenRows(table, rows);
  await tx.execute(sql`insert into ${table} (${names}) ${query}`);
}

/** Every column that the rows name, of the tenant's rows with their keys. Answers the rows that were there. */
async function updateAllOf(
  tx: Transaction,
  table: Table,
  { key, tenantId, rows }: { readonly key: PgColumn; readonly tenantId: TenantId; readonly rows: readonly Row[] },
): Promise<readonly unknown[]> {
  if (rows.length === 0) return [];
  const { columns, query } = givenRows(table, rows);
  const name = sql.identifier(key.name);
  const assigned = columns
    .filter((column) => column !== key)
    .map((column) => sql`${sql.identifier(column.name)} = given.${sql.identifier(column.name)}`);
  return [
    ...(await tx.execute(sql`
      update ${table} as old set ${listed(assigned)} from (${query}) as given
      where old.${name} = given.${name} and old.tenant_id = ${tenantId} returning old.${name}`)),
  ];
}
