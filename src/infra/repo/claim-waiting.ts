import type { Claimant, ClaimedRuns } from '../../domain/ports/engine-store.ts';
import { buryRuns } from './bury-runs.ts';
import { claimedRun, type EngineSql, type RunningRow } from './engine-rows.ts';
import type { ScheduleVersionCache } from './schedule-version-cache.ts';

/**
 * Takes waiting runs whose time has come out of `retries`, marks them RUNNING under a new claim. Those of a schedule that a
 * caller deleted end as CANCELLED; those of one that deleted itself with its last slot still run. Only inside a transaction.
 */
export async function claimWaiting(
  sql: EngineSql,
  limit: number,
  claimant: Claimant,
  versions: ScheduleVersionCache,
): Promise<Pick<ClaimedRuns, 'runs' | 'over'>> {
  const rows = await sql<(RunningRow & { alive: boolean })[]>`
    /* index retries_due; runs and schedules by primary key */
    with due as materialized (
      select schedule_id, slot, space, version from retries where next_due <= now() order by next_due limit ${limit} for update skip locked
    ), gone as (
      delete from retries w using due d where w.schedule_id = d.schedule_id and w.slot = d.slot and w.space = d.space
    ), alive as materialized (
      select d.*, s.deleted_at is null or (s.state = 'COMPLETED' and s.on_completion = 'DELETE') as alive from due d left join schedules s on s.id = d.schedule_id
    ), running as (
      update runs r set state = case when a.alive then 'RUNNING' else 'CANCELLED' end, reason = case when a.alive then null else 'DELETED' end,
             claim_id = case when a.alive then ${claimant.claimId}::uuid end, next_attempt_at = null, ended_at = case when a.alive then null else now() end
      from alive a
      where r.schedule_id = a.schedule_id and r.slot = a.slot and r.space = a.space and r.state in ('PENDING', 'RETRYING')
      returning r.schedule_id, r.slot, r.space, r.version, r.cause, r.attempts, r.payload, r.due, r.started_at, a.alive
    ), claimed as (
      insert into claims (id, owner, fence, lease_until, schedule_ids, slots, spaces, versions)
      select ${claimant.claimId}, ${claimant.owner}, 1, now() + ${claimant.leaseMs}::float8 * interval '1 millisecond',
             array_agg(schedule_id), array_agg(slot), array_agg(space), array_agg(version)
      from running where alive having count(*) > 0
    )
    select schedule_id, date_part('epoch', slot) * 1000 as slot, space, version, cause, attempts, payload, date_part('epoch', due) * 1000 as due,
           date_part('epoch', started_at) * 1000 as started_at, alive
    from running`;
  const alive = rows.filter((row) => row.alive);
  const lookup = await versions.load(
    sql,
    alive.map((row) => ({ scheduleId: row.schedule_id, version: row.version })),
  );
  const readable = alive.flatMap((row) => claimedRun(row, lookup) ?? []);
  if (readable.length === alive.length) return { runs: readable, over: [] };
  const unreadable = alive.filter((row) => claimedRun(row, lookup) === null);
  const over = await buryRuns(
    sql,
    unreadable.map((row) => ({ ...row, reason: 'REFUSED' })),
  );
  if (readable.length === 0) await sql`delete from claims where id = ${claimant.claimId}`;
  return { runs: readable, over };
}
