import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type {
  DeliveryGrants,
  MovedChunk,
  SchedulePlace,
  TenantMoves,
  UnsettledTenant,
} from '../../domain/ports/tenant-moves.ts';
import type { EnginePool } from '../db/engine-pool.ts';
import { deleteTenantRows } from './delete-tenant-rows.ts';
import { arrayLiteral, type EngineSql } from './engine-rows.ts';

const NO_ID = '00000000-0000-0000-0000-000000000000';
/** The due time of what waits for a suspension to end: after everything, and before `infinity`, which is a buffered run's. */
const PUT_AWAY = '9999-12-31T00:00:00Z';

/** How schedules follow their tenant, on PostgreSQL. Locks the tenant first, then timers, what waits, schedules. */
export class PostgresTenantMoves implements TenantMoves {
  readonly #pool: EnginePool;

  constructor(pool: EnginePool) {
    this.#pool = pool;
  }

  async unsettled(limit: number): Promise<readonly UnsettledTenant[]> {
    return this.#pool.query(
      (sql) => sql<UnsettledTenant[]>`
        /* index tenants_unsettled */
        select tenant_id as "tenantId", state, version, missed, date_part('epoch', clock_timestamp() - updated_at) * 1000 as "sinceMs"
        from tenants where not is_settled order by updated_at limit ${limit}`,
    );
  }

  async holdSchedules(of: UnsettledTenant, after: SchedulePlace | null, limit: number): Promise<MovedChunk> {
    return this.#pool.transaction(async (sql) => {
      if (!(await isStill(sql, of))) return { last: null, moved: 0 };
      const rows = await nextSchedules(sql, of.tenantId, after, limit);
      const active = rows.filter((row) => row.state === 'ACTIVE').map((row) => row.id);
      const moved = active.length === 0 ? 0 : await pauseAll(sql, active);
      const last = rows.at(-1);
      if (last === undefined || rows.length < limit) return { last: null, moved };
      return { last: { createdAt: Math.round(last.at), id: last.id }, moved };
    });
  }

  async heldSchedules(tenantId: TenantId, after: ScheduleId | null, limit: number): Promise<readonly ScheduleId[]> {
    const rows = await this.#pool.query(
      (sql) => sql<{ id: ScheduleId }[]>`
        /* index schedules_suspended */
        select id from schedules
        where tenant_id = ${tenantId} and state_reason = 'TENANT_SUSPENDED' and deleted_at is null and id > ${after ?? NO_ID} order by id limit ${limit}`,
    );
    return rows.map(({ id }) => id);
  }

  async holdWaiting(of: UnsettledTenant, limit: number): Promise<number> {
    return this.#pool.transaction(async (sql) => {
      if (!(await isStill(sql, of))) return 0;
      const held = await sql`
        update retries set next_due = ${PUT_AWAY}::timestamptz where (schedule_id, slot, space) in (
          select schedule_id, slot, space from retries where tenant_id = ${of.tenantId} and next_due < ${PUT_AWAY}::timestamptz limit ${limit} for update skip locked)`;
      return held.count;
    });
  }

  async releaseWaiting(of: UnsettledTenant, limit: number): Promise<number> {
    return this.#pool.transaction(async (sql) => {
      if (!(await isStill(sql, of))) return 0;
      const released = await sql`
        update retries w set next_due = greatest(coalesce(r.next_attempt_at, r.due), now())
        from (select schedule_id, slot, space from retries where tenant_id = ${of.tenantId} and next_due = ${PUT_AWAY}::timestamptz limit ${limit} for update skip locked) a
        join runs r on r.schedule_id = a.schedule_id and r.slot = a.slot and r.space = a.space
        where w.schedule_id = a.schedule_id and w.slot = a.slot and w.space = a.space`;
      return released.count;
    });
  }

  async settle({ tenantId, version }: UnsettledTenant): Promise<boolean> {
    const settled = await this.#pool.query(
      (sql) =>
        sql`update tenants set is_settled = true where tenant_id = ${tenantId} and version = ${version} and not is_settled`,
    );
    return settled.count > 0;
  }

  async deliveryGrants(): Promise<DeliveryGrants> {
    const rows = await this.#pool.query(
      (sql) => sql<{ id: TenantId | null; value: number }[]>`
        select tenant_id as id, (quotas->>'concurrentDeliveries')::int as value from tenants where quotas ? 'concurrentDeliveries'
        union all select null, count(*)::int from nodes where 'engine' = any(roles) and heartbeat > now() - interval '30 seconds'`,
    );
    const granted = rows.flatMap(({ id, value }): [TenantId, number][] => (id === null ? [] : [[id, value]]));
    return { granted: new Map(granted), engines: Math.max(1, rows.find(({ id }) => id === null)?.value ?? 1) };
  }

  deleteSome(tenantId: TenantId, limit: number): Promise<'MORE' | 'WAITING' | 'GONE'> {
    return this.#pool.transaction((sql) => deleteTenantRows(sql, tenantId, limit));
  }

  async deleteRunsKeptShorter(serviceDays: number, limit: number): Promise<number> {
    const tenants = await this.#pool.query(
      (sql) => sql<{ tenantId: TenantId; days: number }[]>`
        select tenant_id as "tenantId", (defaults->>'retentionDays')::int as days from tenants where (defaults->>'retentionDays')::int < ${serviceDays}`,
    );
    let deleted = 0;
    for (const { tenantId, days } of tenants) {
      const gone = await this.#pool.query(
        (sql) => sql`
          /* index runs_page of each partition */
          delete from runs where (schedule_id, slot, space) in (
            select schedule_id, slot, space from runs
            where tenant_id = ${tenantId} and slot < now() - ${days}::int * interval '1 day' and ended_at < now() - ${days}::int * interval '1 day'
              and state in ('SUCCEEDED', 'CANCELLED', 'SKIPPED', 'DEAD') limit ${limit})`,
      );
      deleted += gone.count;
    }
    return deleted;
  }
}

/** Whether the tenant is as it was; it stays so until the transaction ends. */
async function isStill(sql: EngineSql, { tenantId, version }: UnsettledTenant): Promise<boolean> {
  const rows = await sql`select from tenants where tenant_id = ${tenantId} and version = ${version} for share`;
  return rows.length > 0;
}

interface ScheduleAt {
  readonly id: ScheduleId;
  readonly state: string;
  readonly at: number;
}

function nextSchedules(
  sql: EngineSql,
  tenantId: TenantId,
  after: SchedulePlace | null,
  limit: number,
): Promise<readonly ScheduleAt[]> {
  return sql<ScheduleAt[]>`
    /* index schedules_page */
    select id, state, date_part('epoch', created_at) * 1000 as at from schedules
    where tenant_id = ${tenantId} and deleted_at is null and (created_at, id) > (to_timestamp(${after?.createdAt ?? 0}::float8 / 1000), ${after?.id ?? NO_ID}::uuid)
    order by created_at, id limit ${limit}`;
}

/** As a person's pause does it: the timer moves onto the schedule. What is in flight goes on. */
async function pauseAll(sql: EngineSql, ids: readonly ScheduleId[]): Promise<number> {
  const named = arrayLiteral(ids);
  await sql`select from timers where schedule_id = any(${named}::text::uuid[]) order by schedule_id for update`;
  const paused = await sql`
    with away as (
      delete from timers where schedule_id = any(${named}::text::uuid[]) returning schedule_id, next_due, slot, cursor, last_fired, fires
    )
    update schedules s set state = 'PAUSED', state_reason = 'TENANT_SUSPENDED', version = s.version + 1, updated_at = now(),
           pause = jsonb_build_object('note', 'the tenant is suspended', 'by', 'scheduler', 'resumeAt', null,
                                      'at', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')),
           due = a.next_due, slot = a.slot, cursor = a.cursor, last_fired = a.last_fired, fires = a.fires
    from away a where s.id = a.schedule_id and s.state = 'ACTIVE'`;
  return paused.count;
}
