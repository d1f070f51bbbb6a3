import type { PreviousRun } from '../../domain/entities/timer.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { DueRoom, DueSlot } from '../../domain/ports/engine-store.ts';
import { arrayLiteral, type EngineSql, ofActiveTenant, quotedLiteral } from './engine-rows.ts';
import type { ScheduleVersionCache } from './schedule-version-cache.ts';
import type { Scan } from './watermarks.ts';

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
  readonly is_late: boolean;
}

/** A slot due for longer is late: it is claimed beside the live ones, at a pace of its own. The default of `misfire.thresholdSec`. */
export const LATE_AFTER_MS = 60_000;

export interface DueTimers {
  /** The database's time at the transaction's start; null when nothing was due. */
  readonly now: number | null;
  /** Live slots first, each kind oldest first. */
  readonly due: readonly DueSlot[];
  /** How many of them are late. */
  readonly late: number;
}

/**
 * Locks due timers, live and late ones, oldest first, passing over those that another node holds and those of tenants that are left out,
 * and reads what decides their fate. Only inside a transaction.
 */
export async function claimDue(
  sql: EngineSql,
  query: { readonly room: DueRoom; readonly scan: Scan },
  versions: ScheduleVersionCache,
): Promise<DueTimers> {
  const { room, scan } = query;
  const claimable = sql`tenant_id <> all(${quotedLiteral(room.excluded)}::text::text[]) and ${ofActiveTenant(sql)}`;
  const columns = sql`schedule_id, tenant_id, version, slot, next_due, cursor, last_fired, fires, skip_next`;
  const lateBefore = sql`now() - ${LATE_AFTER_MS}::float8 * interval '1 ms'`;
  const rows = await sql<DueRow[]>`
    /* indexes timers_due, tenants_inactive */
    select schedule_id, tenant_id, version, date_part('epoch', slot) * 1000 as slot, date_part('epoch', next_due) * 1000 as due,
           date_part('epoch', cursor) * 1000 as cursor, date_part('epoch', last_fired) * 1000 as last_fired,
           fires::float8 as fires, skip_next, date_part('epoch', now()) * 1000 as now, is_late
    from (
      select * from (
        select ${columns}, false as is_late from timers
        where next_due <= now() and next_due >= greatest(to_timestamp(${scan.low}::float8 / 1000), ${lateBefore}) and ${claimable}
        order by next_due limit ${room.live} for update skip locked) live
      union all
      select * from (
        select ${columns}, true as is_late from timers
        where next_due < ${lateBefore} and next_due >= to_timestamp(${scan.lateLow}::float8 / 1000) and ${claimable}
        order by next_due limit ${room.late} for update skip locked) late
    ) as due`;
  const [first] = rows;
  if (first === undefined) return { now: null, due: [], late: 0 };
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
  return { now: Math.floor(first.now), due, late: rows.filter((row) => row.is_late).length };
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
