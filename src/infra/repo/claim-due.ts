import type { PreviousRun } from '../../domain/entities/timer.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { DueSlot } from '../../domain/ports/engine-store.ts';
import { arrayLiteral, type EngineSql, ofActiveTenant } from './engine-rows.ts';
import type { ScheduleVersionCache } from './schedule-version-cache.ts';

interface DueRow {
  readonly schedule_id: ScheduleId;
  readonly tenant_id: TenantId;
  readonly version: number;
  readonly slot: number;
  readonly due: number;
  readonly cursor: number;
  readonly last_fired: number | null;
  readonly fires: number;
  readonly skip_next: boolean;
  readonly now: number;
}

export interface DueTimers {
  /** The database's time at the transaction's start; null when nothing was due. */
  readonly now: number | null;
  readonly due: readonly DueSlot[];
}

/** Locks due timers, oldest first, passing over those another node holds, and reads what decides their fate. Only inside a transaction. */
export async function claimDue(
  sql: EngineSql,
  query: { readonly limit: number; readonly low: number },
  versions: ScheduleVersionCache,
): Promise<DueTimers> {
  const rows = await sql<DueRow[]>`
    /* indexes timers_due, tenants_inactive */
    select schedule_id, tenant_id, version, date_part('epoch', slot) * 1000 as slot, date_part('epoch', next_due) * 1000 as due,
           date_part('epoch', cursor) * 1000 as cursor, date_part('epoch', last_fired) * 1000 as last_fired,
           fires::float8 as fires, skip_next, date_part('epoch', now()) * 1000 as now
    from timers
    where next_due <= now() and next_due >= to_timestamp(${query.low}::float8 / 1000) and ${ofActiveTenant(sql)}
    order by next_due limit ${query.limit} for update skip locked`;
  const [first] = rows;
  if (first === undefined) return { now: null, due: [] };
  const keys = rows.map((row) => ({ scheduleId: row.schedule_id, version: row.version }));
  const [lookup, previous] = await Promise.all([versions.load(sql, keys), previousRuns(sql, rows)]);
  const due = rows.map((row): DueSlot => {
    const timer = {
      slot: Math.round(row.slot),
      due: Math.round(row.due),
      cursor: Math.round(row.cursor),
      lastFired: rounded(row.last_fired),
      fires: row.fires,
      skipNext: row.skip_next,
    };
    const cached = lookup.of(row.schedule_id, row.version);
    return {
      scheduleId: row.schedule_id,
      tenantId: row.tenant_id,
      timer,
      ...cached,
      previous: previous.get(row.schedule_id) ?? 'ENDED',
    };
  });
  return { now: Math.floor(first.now), due };
}

/**
 * Which timers' last fired slot is still open. An open slot is named by a live claim, or waits in `retries`; a claim's slots
 * that have ended meanwhile have their final row. Nothing else is read: rows of the past are cold, and retention drops them.
 */
async function previousRuns(sql: EngineSql, rows: readonly DueRow[]): Promise<ReadonlyMap<ScheduleId, PreviousRun>> {
  const fired = rows.filter((row) => row.last_fired !== null);
  if (fired.length === 0) return new Map();
  const asked = new Map(fired.map((row) => [row.schedule_id, rounded(row.last_fired)]));
  const ids = arrayLiteral([...asked.keys()]);
  const found = await sql<{ schedule_id: ScheduleId; slot: number; buffered: boolean }[]>`
    /* claims: few rows; retries and runs by primary key. IS TRUE keeps the ids a hashed subplan. */
    select o.schedule_id, date_part('epoch', o.slot) * 1000 as slot, o.buffered
    from (
      select u.schedule_id, u.slot, false as buffered
      from claims c cross join lateral unnest(c.schedule_ids, c.slots, c.spaces) as u(schedule_id, slot, space)
      where u.space = 0 and (u.schedule_id in (select unnest(${ids}::text::uuid[]))) is true
      union all
      select w.schedule_id, w.slot, w.next_due = 'infinity' from retries w where w.space = 0 and w.schedule_id = any(${ids}::text::uuid[])
    ) o
    left join runs r on r.schedule_id = o.schedule_id and r.slot = o.slot and r.space = 0
    where r.state is null or r.state in ('PENDING', 'RUNNING', 'RETRYING')`;
  const open = found.filter((row) => Math.round(row.slot) === asked.get(row.schedule_id));
  return new Map(open.map((row) => [row.schedule_id, row.buffered ? 'BUFFERED' : 'OPEN']));
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}
