import type { Claimant, ClaimedRun, WaitingRoom } from '../../domain/ports/engine-store.ts';
import {
  arrayLiteral,
  claimedRun,
  type EngineSql,
  ofActiveTenant,
  quotedLiteral,
  type RunningRow,
} from './engine-rows.ts';
import type { ScheduleVersionCache } from './schedule-version-cache.ts';

/**
 * Takes waiting runs whose time has come out of `retries`, so many of each lane, marks them RUNNING under a new claim. Those of a schedule that a
 * caller deleted end as CANCELLED; those of one that deleted itself with its last slot still run. Those whose definition can
 * no longer be read are left to recovery, which ends them. Only inside a transaction.
 */
export async function claimWaiting(
  sql: EngineSql,
  room: WaitingRoom,
  claimant: Claimant,
  versions: ScheduleVersionCache,
): Promise<readonly ClaimedRun[]> {
  const rows = await sql<(RunningRow & { alive: boolean })[]>`
    /* indexes retries_lane_due, tenants_inactive; runs and schedules by primary key */
    with due as materialized (
      select d.* from unnest(${arrayLiteral(Object.keys(room.lanes))}::text::smallint[], ${arrayLiteral(Object.values(room.lanes))}::text::int[]) as l(lane, most)
      cross join lateral (
        select w.schedule_id, w.slot, w.space, w.version from retries w
        where w.lane = l.lane and w.next_due <= now() and w.tenant_id <> all(${quotedLiteral(room.excluded)}::text::text[]) and ${ofActiveTenant(sql)}
        order by w.next_due limit l.most for update skip locked) d
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
  if (readable.length < alive.length) {
    const unreadable = alive.filter((row) => claimedRun(row, lookup) === null);
    await leaveToRecovery(sql, unreadable, claimant);
    if (readable.length === 0) await sql`delete from claims where id = ${claimant.claimId}`;
  }
  return readable;
}

/**
 * Puts runs under a claim that nobody holds. To end them here would lock their schedules' timers after the rows of what waits,
 * the other way round than everybody else; recovery begins with the timers.
 */
async function leaveToRecovery(sql: EngineSql, rows: readonly RunningRow[], { owner }: Claimant): Promise<void> {
  const [schedules, slots, spaces, versions] = [
    arrayLiteral(rows.map((row) => row.schedule_id)),
    arrayLiteral(rows.map((row) => row.slot)),
    arrayLiteral(rows.map((row) => row.space)),
    arrayLiteral(rows.map((row) => row.version)),
  ];
  await sql`
    with left_over as materialized (
      select * from unnest(${schedules}::text::uuid[], ${slots}::text::float8[], ${spaces}::text::int[], ${versions}::text::int[]) as u(s, t, p, v)
    ), made as (
      insert into claims (id, owner, fence, lease_until, schedule_ids, slots, spaces, versions)
      select gen_random_uuid(), ${owner}, 1, now(), array_agg(s), array_agg(to_timestamp(t / 1000)), array_agg(p), array_agg(v) from left_over
      returning id
    )
    update runs r set claim_id = m.id from left_over l cross join made m
    where r.schedule_id = l.s and r.slot = to_timestamp(l.t / 1000) and r.space = l.p and r.claim_id is not null`;
}
