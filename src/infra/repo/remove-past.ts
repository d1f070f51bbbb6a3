import type { EngineSql } from './engine-rows.ts';

/*
 * Definitions that nothing names any more. A run of a version was made before that version was superseded or its schedule was
 * deleted, at a slot no more than a day ahead: only runs of slots before that are looked at, and what is younger than the
 * retention is not looked at at all.
 */

/** Schedules that were deleted more than `days` ago, with all their versions, unless a run or anything open names them. Answers how many. */
export async function removeSchedulesGoneFor(sql: EngineSql, days: number, limit: number): Promise<number> {
  const removed = await sql`
    /* index schedules_removed; runs, retries by primary key; backfills_schedule */
    with gone as materialized (
      select s.id from schedules s
      where s.deleted_at is not null and s.deleted_at < now() - ${days}::int * interval '1 day'
        and not exists (select from runs r where r.schedule_id = s.id and r.slot < s.deleted_at + interval '1 day')
        and not exists (select from retries w where w.schedule_id = s.id)
        and not exists (select from backfills b where b.schedule_id = s.id)
        and (s.id in (select unnest(schedule_ids) from claims)) is not true
      order by s.deleted_at limit ${limit}
    ), versions as (
      delete from schedule_versions v using gone g where v.schedule_id = g.id
    )
    delete from schedules s using gone g where s.id = g.id`;
  return removed.count;
}

/** Versions that were superseded more than `days` ago, unless a run or anything open names them. Answers how many. */
export async function removeVersionsGoneFor(sql: EngineSql, days: number, limit: number): Promise<number> {
  const removed = await sql`
    /* index schedule_versions_superseded; runs, retries by primary key; backfills_schedule */
    with gone as materialized (
      select v.schedule_id, v.version from schedule_versions v
      where v.superseded_at is not null and v.superseded_at < now() - ${days}::int * interval '1 day'
        and not exists (select from runs r where r.schedule_id = v.schedule_id and r.version = v.version and r.slot < v.superseded_at + interval '1 day')
        and not exists (select from retries w where w.schedule_id = v.schedule_id and w.version = v.version)
        and not exists (select from backfills b where b.schedule_id = v.schedule_id and b.version = v.version)
        and not exists (select from claims c where v.schedule_id = any(c.schedule_ids))
        and not exists (select from schedules s where s.id = v.schedule_id and s.definition_version = v.version)
      order by v.superseded_at limit ${limit}
    )
    delete from schedule_versions v using gone g where v.schedule_id = g.schedule_id and v.version = g.version`;
  return removed.count;
}
