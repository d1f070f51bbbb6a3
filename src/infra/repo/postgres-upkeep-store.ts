import postgres from 'postgres';
import type { RunReason } from '../../domain/entities/run.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { ScheduleOver } from '../../domain/ports/engine-store.ts';
import type { NodeRecord, UpkeepStore } from '../../domain/ports/upkeep-store.ts';
import type { EnginePool } from '../db/engine-pool.ts';
import { arrayLiteral, type EngineSql, executorOf, ofActiveTenant } from './engine-rows.ts';
import { afterRunsEnded } from './terminal-transition.ts';

/** SQLSTATE of a partition that would leave rows behind in the default one. */
const CHECK_VIOLATION = '23514';
/** SQLSTATE of a partition that another node made at the same time. */
const DUPLICATE_TABLE = '42P07';

/** Housekeeping on PostgreSQL. */
export class PostgresUpkeepStore implements UpkeepStore {
  readonly #pool: EnginePool;

  constructor(pool: EnginePool) {
    this.#pool = pool;
  }

  async heartbeat(node: NodeRecord): Promise<void> {
    await this.#pool.query(
      (sql) => sql`
        insert into nodes (id, build, tzdata, roles, commands, heartbeat)
        values (${node.id}, ${node.build}, ${node.tzdata}, array(select jsonb_array_elements_text(${JSON.stringify(node.roles)}::text::jsonb)),
                array(select jsonb_array_elements_text(${JSON.stringify(node.commands)}::text::jsonb)), now())
        on conflict (id) do update set heartbeat = now(), commands = excluded.commands`,
    );
    await this.#pool.query((sql) => sql`delete from nodes where heartbeat < now() - interval '1 hour'`);
  }

  async leave(nodeId: string): Promise<void> {
    await this.#pool.query((sql) => sql`delete from nodes where id = ${nodeId}`);
  }

  async makePartitions(daysAhead: number): Promise<void> {
    const missing = await this.#pool.query(
      (sql) => sql<{ day: string }[]>`
        select to_char(day, 'YYYY-MM-DD') as day
        from (select (now() at time zone 'UTC')::date + step as day from generate_series(-1, ${daysAhead}::int) as step) as days
        where to_regclass('runs_' || to_char(day, 'YYYYMMDD')) is null order by day`,
    );
    for (const { day } of missing) {
      const failure = await this.#pool
        .query((sql) => sql`select make_run_partition(${day}::date)`)
        .then(() => null, codeOf);
      if (failure === CHECK_VIOLATION) await this.#pool.transaction((sql) => makePartitionOfDefault(sql, day));
    }
  }

  async dropRunsOlderThan(days: number, limit: number): Promise<number> {
    const old = await this.#pool.query(
      (sql) => sql<{ day: string }[]>`
        select to_char(to_date(substr(c.relname, 6), 'YYYYMMDD'), 'YYYY-MM-DD') as day
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'runs'::regclass and c.relname ~ '^runs_[0-9]{8}$'
          and to_date(substr(c.relname, 6), 'YYYYMMDD') < (now() at time zone 'UTC')::date - ${days}::int
        order by 1 limit 10`,
    );
    let dropped = 0;
    for (const { day } of old) {
      const isGone = await this.#pool.transaction(async (sql) => {
        await sql`set local lock_timeout = '2s'`;
        const [row] = await sql<{ gone: boolean }[]>`select drop_run_partition(${day}::date) as gone`;
        return row?.gone === true;
      });
      if (isGone) dropped += 1;
    }
    await this.#pool.query(
      (sql) => sql`
        delete from runs where (schedule_id, slot, space) in (
          select schedule_id, slot, space from runs
          where tableoid = 'runs_default'::regclass and ended_at < now() - ${days}::int * interval '1 day' and state in ('SUCCEEDED', 'CANCELLED', 'SKIPPED', 'DEAD') limit ${limit})`,
    );
    return dropped;
  }

  async dueResumes(limit: number): Promise<readonly { readonly tenantId: TenantId; readonly id: ScheduleId }[]> {
    const rows = await this.#pool.query(
      (sql) => sql<{ tenant_id: TenantId; id: ScheduleId }[]>`
        /* index schedules_auto_resume */
        select tenant_id, id from schedules
        where state = 'PAUSED' and deleted_at is null and ${ofActiveTenant(sql)} and (pause->>'resumeAt') <= to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
        order by pause->>'resumeAt' limit ${limit}`,
    );
    return rows.map((row) => ({ tenantId: row.tenant_id, id: row.id }));
  }

  async repairWaiting(limit: number): Promise<{ readonly count: number; readonly over: readonly ScheduleOver[] }> {
    return this.#pool.transaction(async (sql) => {
      const ended = await endedUnseen(sql, limit);
      const { over } = await afterRunsEnded(executorOf(sql), ended);
      return { count: ended.length + (await releaseForgotten(sql, limit)), over };
    });
  }

  async forgetIdempotencyKeys(limit: number): Promise<void> {
    await this.#pool.query(
      (sql) => sql`
        delete from idempotency_keys where (tenant_id, key) in (
          select tenant_id, key from idempotency_keys where created_at < now() - interval '1 day' order by created_at limit ${limit})`,
    );
  }

  async forgetAudit(days: number, limit: number): Promise<void> {
    await this.#pool.query(
      (sql) => sql`
        /* index audit_entries_age */
        delete from audit_entries where (tenant_id, at, id) in (
          select tenant_id, at, id from audit_entries where at < now() - ${days}::int * interval '1 day' limit ${limit})`,
    );
  }
}

/** The SQLSTATE of a failure that does not matter or can be mended; throws any other. */
function codeOf(error: unknown): string {
  const code = error instanceof postgres.PostgresError ? error.code : null;
  if (code === CHECK_VIOLATION || code === DUPLICATE_TABLE) return code;
  throw error;
}

/**
 * The partition of a day of which the default partition holds runs, as after a time in which no engine ran: they move into
 * it. The lock keeps out writers, who would put more of them into the default partition meanwhile; it waits for at most two seconds, since all others wait behind it.
 */
async function makePartitionOfDefault(sql: EngineSql, day: string): Promise<void> {
  await sql`set local lock_timeout = '2s'`;
  // In this order, as `make_run_partition` takes them.
  await sql`select pg_advisory_xact_lock(hashtext('make_run_partition'))`;
  await sql`lock table runs in access exclusive mode`;
  await sql`create temp table moved (like runs) on commit drop`;
  await sql`
    with gone as (
      delete from runs
      where slot >= ${day}::date::timestamp at time zone 'UTC' and slot < (${day}::date + 1)::timestamp at time zone 'UTC' returning *
    )
    insert into moved select * from gone`;
  await sql`select make_run_partition(${day}::date)`;
  await sql`insert into runs select * from moved`;
}

interface EndedUnseen {
  readonly scheduleId: ScheduleId;
  readonly slot: number;
  readonly space: 0;
  readonly state: 'SUCCEEDED' | 'DEAD' | 'CANCELLED';
  readonly reason: RunReason | null;
  readonly endedAt: number;
}

/** Runs that have ended while their timer still waits for them: their end and the claim that began to wait crossed. */
async function endedUnseen(sql: EngineSql, limit: number): Promise<readonly EndedUnseen[]> {
  const rows = await sql<{ s: ScheduleId; t: number; st: EndedUnseen['state']; re: RunReason | null; ea: number }[]>`
    select t.schedule_id as s, date_part('epoch', r.slot) * 1000 as t, r.state as st, r.reason as re, date_part('epoch', r.ended_at) * 1000 as ea
    from timers t join runs r on r.schedule_id = t.schedule_id and r.slot = t.last_fired and r.space = 0
    where t.next_due = 'infinity' and r.state in ('SUCCEEDED', 'DEAD', 'CANCELLED') limit ${limit}`;
  return rows.map((row) => ({
    scheduleId: row.s,
    slot: Math.round(row.t),
    space: 0,
    state: row.st,
    reason: row.re,
    endedAt: Math.round(row.ea),
  }));
}

/** Buffered runs of schedules of which no claim names a run and nothing else waits: each open run is named by one or the other. */
async function releaseForgotten(sql: EngineSql, limit: number): Promise<number> {
  const stuck = await sql<{ s: ScheduleId; t: number }[]>`
    select e.s, date_part('epoch', e.slot) * 1000 as t
    from (select distinct on (schedule_id) schedule_id as s, slot from retries where next_due = 'infinity' order by schedule_id, slot) as e
    where not exists (select from retries w where w.schedule_id = e.s and w.space = 0 and w.next_due < 'infinity')
      and e.s not in (select unnest(c.schedule_ids) from claims c) limit ${limit}`;
  if (stuck.length === 0) return 0;
  await sql`
    update retries w set next_due = now()
    from unnest(${arrayLiteral(stuck.map((row) => row.s))}::text::uuid[], ${arrayLiteral(stuck.map((row) => row.t))}::text::float8[]) as u(s, t)
    where w.schedule_id = u.s and w.slot = to_timestamp(u.t / 1000) and w.space = 0 and w.next_due = 'infinity'`;
  return stuck.length;
}
