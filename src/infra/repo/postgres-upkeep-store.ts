import { crashPoint } from '#crash-point';
import type { RunReason } from '../../domain/entities/run.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { ScheduleOver } from '../../domain/ports/engine-store.ts';
import type { NodeRecord, UpkeepStore } from '../../domain/ports/upkeep-store.ts';
import type { EnginePool } from '../db/engine-pool.ts';
import { arrayLiteral, type EngineSql, executorOf, ofActiveTenant } from './engine-rows.ts';
import { removeSchedulesGoneFor, removeVersionsGoneFor } from './remove-past.ts';
import { dropRunsOlderThan, makeRunPartitions } from './run-partitions.ts';
import { afterRunsEnded } from './terminal-transition.ts';

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

  async isUpkeepManned(): Promise<boolean> {
    const found = await this.#pool.query(
      (sql) => sql`select from nodes where 'upkeep' = any(roles) and heartbeat > now() - interval '60 seconds' limit 1`,
    );
    return found.length > 0;
  }

  makePartitions(daysAhead: number): Promise<void> {
    return makeRunPartitions(this.#pool, daysAhead);
  }

  dropRunsOlderThan(days: number, limit: number): Promise<number> {
    return dropRunsOlderThan(this.#pool, days, limit);
  }

  removeSchedulesGoneFor(days: number, limit: number): Promise<number> {
    return this.#pool.query((sql) => removeSchedulesGoneFor(sql, days, limit));
  }

  removeVersionsGoneFor(days: number, limit: number): Promise<number> {
    return this.#pool.query((sql) => removeVersionsGoneFor(sql, days, limit));
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
      if (ended.length > 0) crashPoint('repair.before-write');
      const { over } = await afterRunsEnded(executorOf(sql), ended);
      const released = await releaseForgotten(sql, limit);
      if (ended.length > 0) crashPoint('repair.after-write');
      return { count: ended.length + released, over };
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
