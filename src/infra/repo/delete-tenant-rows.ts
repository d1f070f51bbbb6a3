import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import { arrayLiteral, type EngineSql } from './engine-rows.ts';

/**
 * Deletes the next rows of a tenant that is DELETING; only inside a transaction. Every table with a `tenant_id` is found in the
 * catalogue, so that none is forgotten. Schedules go with all that hangs on them, and not while a claim names one: its outcome is still to
 * be written. A claim begins with a lock on the timer, or on what waits, and so is seen once these are ours.
 */
export async function deleteTenantRows(
  sql: EngineSql,
  tenantId: TenantId,
  limit: number,
): Promise<'MORE' | 'WAITING' | 'GONE'> {
  const mine =
    await sql`select from tenants where tenant_id = ${tenantId} and state = 'DELETING' for update skip locked`;
  if (mine.length === 0) return 'WAITING';
  const tables = await tablesWithTenant(sql);
  const early = tables.filter((table) => !OF_SCHEDULES.includes(table));
  for (const table of early) if (await deleteFrom(sql, table, tenantId, limit)) return 'MORE';
  const schedules = await deleteSchedules(sql, tenantId, limit);
  if (schedules !== 'GONE') return schedules;
  for (const table of tables) if (await deleteFrom(sql, table, tenantId, limit)) return 'MORE';
  await sql`delete from tenants where tenant_id = ${tenantId}`;
  return 'GONE';
}

/** Deleted schedule by schedule, as they have no index by tenant; what is orphaned among them goes last. */
const OF_SCHEDULES = ['timers', 'retries', 'backfills', 'schedule_versions', 'schedules'];

async function tablesWithTenant(sql: EngineSql): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'tenants'
      and a.attname = 'tenant_id' and not a.attisdropped order by 1`;
  return rows.map((row) => row.name);
}

/** Answers whether there were any. A place may be another row's in another partition: hence the tenant once more. */
async function deleteFrom(sql: EngineSql, table: string, tenantId: TenantId, limit: number): Promise<boolean> {
  const deleted = await sql`
    delete from ${sql(table)} where tenant_id = ${tenantId} and ctid = any(array(select ctid from ${sql(table)} where tenant_id = ${tenantId} limit ${limit}))`;
  return deleted.count > 0;
}

async function deleteSchedules(
  sql: EngineSql,
  tenantId: TenantId,
  limit: number,
): Promise<'MORE' | 'WAITING' | 'GONE'> {
  const picked = await sql<{ id: ScheduleId }[]>`
    /* indexes schedules_page and schedules_deleted */
    (select id from schedules where tenant_id = ${tenantId} and deleted_at is null limit ${limit})
    union all (select id from schedules where tenant_id = ${tenantId} and deleted_at is not null limit ${limit})`;
  if (picked.length === 0) return 'GONE';
  const named = arrayLiteral(picked.map(({ id }) => id).sort());
  await sql`select from timers where schedule_id = any(${named}::text::uuid[]) order by schedule_id for update`;
  await sql`delete from retries where schedule_id = any(${named}::text::uuid[])`;
  const quiet = await sql<{ id: ScheduleId }[]>`
    select u.id from unnest(${named}::text::uuid[]) as u(id) where u.id not in (select unnest(schedule_ids) from claims)`;
  if (quiet.length === 0) return 'WAITING';
  const gone = arrayLiteral(quiet.map(({ id }) => id));
  await sql`delete from timers where schedule_id = any(${gone}::text::uuid[])`;
  await sql`delete from backfills where schedule_id = any(${gone}::text::uuid[])`;
  await sql`delete from runs where schedule_id = any(${gone}::text::uuid[])`;
  await sql`delete from schedule_versions where schedule_id = any(${gone}::text::uuid[])`;
  await sql`delete from schedules where id = any(${gone}::text::uuid[])`;
  return 'MORE';
}
