import { crashPoint } from '#crash-point';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { RedriveFilter, RedriveRound, RedriveStore } from '../../domain/ports/redrive-repository.ts';
import { LANES } from '../../domain/ports/run-repository.ts';
import type { EnginePool } from '../db/engine-pool.ts';
import { type EngineSql, ofActiveTenant } from './engine-rows.ts';

interface OpenRedrive {
  readonly id: string;
  readonly tenant_id: TenantId;
  readonly organization_id: string | null;
  readonly filter: RedriveFilter;
  readonly rate_per_sec: number;
  readonly cursor_slot: number | null;
  readonly cursor_schedule_id: ScheduleId | null;
  readonly cursor_space: number | null;
  readonly created_at: number;
}

interface Picked {
  readonly schedule_id: ScheduleId;
  readonly slot: number;
  readonly space: number;
  readonly revived: boolean;
}

/** Puts dead runs back in chunks; cursor and runs move in one transaction, so a crash neither loses nor doubles one. */
export class PostgresRedriveStore implements RedriveStore {
  readonly #pool: EnginePool;

  constructor(pool: EnginePool) {
    this.#pool = pool;
  }

  emit(limit: number, chunk: number): Promise<RedriveRound> {
    return this.#pool.transaction(async (sql) => {
      const due = await lockDue(sql, limit);
      if (due.length > 0) crashPoint('redriving.after-lock');
      let redriven = 0;
      for (const row of due) {
        const most = Math.min(chunk, row.rate_per_sec);
        const picked = await revive(sql, row, most);
        await moveOn(sql, row, picked, picked.length < most);
        redriven += picked.filter((run) => run.revived).length;
      }
      if (redriven > 0) crashPoint('redriving.after-write');
      return { redriven, nextInMs: await nextInMs(sql) };
    });
  }
}

/** Redrives whose next chunk is due, the longest waiting first; one node works on each. */
function lockDue(sql: EngineSql, limit: number): Promise<readonly OpenRedrive[]> {
  return sql<OpenRedrive[]>`
    /* index redrives_next */
    select id, tenant_id, organization_id, filter, rate_per_sec, date_part('epoch', cursor_slot) * 1000 as cursor_slot, cursor_schedule_id, cursor_space,
           date_part('epoch', created_at) * 1000 as created_at
    from redrives where state = 'RUNNING' and next_at <= now() and ${ofActiveTenant(sql)} order by next_at limit ${limit} for update skip locked`;
}

/** The next dead runs behind the cursor, oldest slot first, and whether each was put back. Runs of deleted schedules stay dead. */
async function revive(sql: EngineSql, row: OpenRedrive, most: number): Promise<readonly Picked[]> {
  const { filter } = row;
  const { runs, scheduleId = null, cause = null, from = null, to = null } = filter;
  const named =
    runs === undefined ? null : JSON.stringify(runs.map((key) => ({ s: key.scheduleId, t: key.slot, p: key.space })));
  return sql<Picked[]>`
    /* index runs_dead */
    with picked as materialized (
      select r.schedule_id, r.slot, r.space from runs r
      join schedules s on s.id = r.schedule_id and s.tenant_id = r.tenant_id and s.deleted_at is null
      where r.tenant_id = ${row.tenant_id} and r.state = 'DEAD' and r.ended_at <= to_timestamp(${row.created_at}::float8 / 1000)
        and (${row.organization_id}::text is null or s.organization_id = ${row.organization_id})
        and (${row.cursor_slot}::float8 is null or (r.slot >= to_timestamp(${row.cursor_slot}::float8 / 1000)
             and (r.slot, r.schedule_id, r.space) > (to_timestamp(${row.cursor_slot}::float8 / 1000), ${row.cursor_schedule_id}::uuid, ${row.cursor_space}::int)))
        and (${scheduleId}::uuid is null or r.schedule_id = ${scheduleId})
        and (${cause}::text is null or r.cause = ${cause})
        and (${from}::float8 is null or r.slot >= to_timestamp(${from}::float8 / 1000))
        and (${to}::float8 is null or r.slot < to_timestamp(${to}::float8 / 1000))
        and (${named}::text is null or (r.schedule_id, r.slot, r.space) in (
             select k.s, to_timestamp(k.t / 1000), k.p from jsonb_to_recordset(${named}::text::jsonb) as k(s uuid, t float8, p int)))
      order by r.slot, r.schedule_id, r.space limit ${most}
    ), revived as (
      update runs r set state = 'PENDING', reason = null, ended_at = null, next_attempt_at = now()
      from picked p where r.schedule_id = p.schedule_id and r.slot = p.slot and r.space = p.space and r.state = 'DEAD'
      returning r.schedule_id, r.slot, r.space, r.tenant_id, r.version
    ), waiting as (
      insert into retries (schedule_id, slot, space, tenant_id, version, lane, next_due)
      select schedule_id, slot, space, tenant_id, version, ${LANES.redrive}, now() from revived
    )
    select p.schedule_id, date_part('epoch', p.slot) * 1000 as slot, p.space, v.schedule_id is not null as revived
    from picked p left join revived v on v.schedule_id = p.schedule_id and v.slot = p.slot and v.space = p.space
    order by p.slot, p.schedule_id, p.space`;
}

/** The cursor behind what was picked, and when the rate allows the next chunk. */
async function moveOn(sql: EngineSql, row: OpenRedrive, picked: readonly Picked[], isOver: boolean): Promise<void> {
  const last = picked.at(-1);
  const revived = picked.filter((run) => run.revived).length;
  const pauseMs = (picked.length * 1000) / row.rate_per_sec;
  await sql`
    update redrives set redriven = redriven + ${revived}, next_at = now() + ${pauseMs}::float8 * interval '1 millisecond',
           cursor_slot = coalesce(to_timestamp(${last?.slot ?? null}::float8 / 1000), cursor_slot),
           cursor_schedule_id = coalesce(${last?.schedule_id ?? null}::uuid, cursor_schedule_id),
           cursor_space = coalesce(${last?.space ?? null}::int, cursor_space),
           state = case when ${isOver} then 'DONE' else state end, ended_at = case when ${isOver} then now() end
    where id = ${row.id}`;
}

async function nextInMs(sql: EngineSql): Promise<number> {
  const [row] = await sql<{ ms: number | null }[]>`
    /* index redrives_next */
    select date_part('epoch', min(next_at) - now()) * 1000 as ms from redrives where state = 'RUNNING' and ${ofActiveTenant(sql)}`;
  const ms = row?.ms ?? null;
  return ms === null ? Number.POSITIVE_INFINITY : Math.max(0, ms);
}
