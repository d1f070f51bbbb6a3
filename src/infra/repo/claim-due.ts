import type { RunState } from '../../domain/entities/run.ts';
import type { PreviousRun } from '../../domain/entities/timer.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { DueSlot } from '../../domain/ports/engine-store.ts';
import { arrayLiteral, type EngineSql } from './engine-rows.ts';
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
    /* index timers_due */
    select schedule_id, tenant_id, version, date_part('epoch', slot) * 1000 as slot, date_part('epoch', next_due) * 1000 as due,
           date_part('epoch', cursor) * 1000 as cursor, date_part('epoch', last_fired) * 1000 as last_fired,
           fires::float8 as fires, skip_next, date_part('epoch', now()) * 1000 as now
    from timers
    where next_due <= now() and next_due >= to_timestamp(${query.low}::float8 / 1000)
    order by next_due limit ${query.limit} for update skip locked`;
  const [first] = rows;
  if (first === undefined) return { now: null, due: [] };
  const lookup = await versions.load(
    sql,
    rows.map((row) => ({ scheduleId: row.schedule_id, version: row.version })),
  );
  const previous = await previousRuns(sql, rows, (row) => {
    const policy = lookup.of(row.schedule_id, row.version).version?.definition.overlapPolicy;
    return policy !== undefined && policy !== 'ALLOW_ALL';
  });
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
 * What became of each timer's last fired slot, for those that ask: no final row means it is open, as nothing else ends a slot.
 * Retention removes rows after two days or more: of an older slot without a row only a claim says that it is open.
 */
async function previousRuns(
  sql: EngineSql,
  rows: readonly DueRow[],
  asks: (row: DueRow) => boolean,
): Promise<ReadonlyMap<ScheduleId, PreviousRun>> {
  const asked = rows.filter((row) => row.last_fired !== null && asks(row));
  if (asked.length === 0) return new Map();
  const found = await sql<{ schedule_id: ScheduleId; state: RunState | null; buffered: boolean | null }[]>`
    /* runs and retries by primary key */
    select k.schedule_id, r.state, w.next_due = 'infinity' as buffered
    from unnest(${arrayLiteral(asked.map((row) => row.schedule_id))}::text::uuid[], ${arrayLiteral(asked.map((row) => row.last_fired))}::text::float8[]) as k(schedule_id, slot)
    left join runs r on r.schedule_id = k.schedule_id and r.slot = to_timestamp(k.slot / 1000) and r.space = 0
    left join retries w on r.state = 'PENDING' and w.schedule_id = r.schedule_id and w.slot = r.slot and w.space = 0
    where r.state in ('PENDING', 'RUNNING', 'RETRYING')
       or (r.state is null and (k.slot > date_part('epoch', now() - interval '1 day') * 1000
           or (k.schedule_id, to_timestamp(k.slot / 1000)) in (select u.id, u.slot from claims c cross join lateral unnest(c.schedule_ids, c.slots) as u(id, slot))))`;
  return new Map(found.map((row) => [row.schedule_id, row.buffered === true ? 'BUFFERED' : 'OPEN']));
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}
