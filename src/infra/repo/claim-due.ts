import type { PreviousRun, TimerState } from '../../domain/entities/timer.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { DueRoom, DueSlot } from '../../domain/ports/engine-store.ts';
import { type EngineSql, ofActiveTenant, quotedLiteral } from './engine-rows.ts';
import type { ScheduleVersionCache } from './schedule-version-cache.ts';
import type { Scan } from './watermarks.ts';

/** A due timer as the claiming statement returns it. */
interface DueTimer {
  readonly scheduleId: ScheduleId;
  readonly tenantId: TenantId;
  readonly version: number;
  readonly isLate: boolean;
  readonly timer: TimerState;
  readonly place: string;
}

/** A slot due for longer is late: it is claimed beside the live ones, at a pace of its own. The default of `misfire.thresholdSec`. */
export const LATE_AFTER_MS = 60_000;

export interface DueTimers {
  /** The database's time at the transaction's start; null when nothing was due. */
  readonly now: number | null;
  /** Live slots first, each kind oldest first. */
  readonly due: readonly DueSlot[];
  /** Where the row of each lies in `timers` until the transaction ends, as it is locked. */
  readonly places: readonly string[];
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
  const columns = sql`ctid as place, schedule_id, tenant_id, version, slot, next_due, cursor, last_fired, fires, skip_next`;
  const lateBefore = sql`now() - ${LATE_AFTER_MS}::float8 * interval '1 ms'`;
  const [row] = await sql<{ now: number; timers: string | null }[]>`
    /* indexes timers_due, tenants_inactive; one text, as a thousand rows of eleven columns cost the driver twice as much as all of this costs the server; whole milliseconds, as a float's text takes longer */
    select date_part('epoch', now()) * 1000 as now,
           string_agg(concat_ws('|', place, schedule_id, tenant_id, version, is_late, skip_next, fires, (date_part('epoch', slot) * 1000)::bigint, (date_part('epoch', next_due) * 1000)::bigint,
                                (date_part('epoch', cursor) * 1000)::bigint, (date_part('epoch', last_fired) * 1000)::bigint), chr(10)) as timers
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
  if (row === undefined || row.timers === null) return { now: null, due: [], places: [], late: 0 };
  const timers = row.timers.split('\n').map(dueTimer);
  const [lookup, previous] = await Promise.all([versions.load(sql, timers), previousRuns(sql, timers)]);
  const due = timers.map(({ scheduleId, tenantId, version: at, timer }): DueSlot => {
    const { version, problem } = lookup.of(scheduleId, at);
    // The tenant's name that is known already: each text that is new costs its first search in a map.
    const tenant = version?.tenantId ?? tenantId;
    const open = previous.get(scheduleId);
    const isBusy = open !== undefined && (open.isLast || version?.runsQueue === true);
    return { scheduleId, tenantId: tenant, timer, version, problem, previous: isBusy ? open.state : 'ENDED' };
  });
  const places = timers.map(({ place }) => place);
  return { now: Math.floor(row.now), due, places, late: timers.filter(({ isLate }) => isLate).length };
}

/** The fields of a line, none of which holds a bar. The last is missing where nothing was fired yet. */
function dueTimer(line: string): DueTimer {
  const [place = '', scheduleId, tenantId, version, isLate, skipNext, fires, slot, due, cursor, lastFired] =
    line.split('|');
  return {
    scheduleId: scheduleId as ScheduleId,
    tenantId: tenantId as TenantId,
    version: Number(version),
    isLate: isLate === 't',
    place,
    timer: {
      slot: Number(slot),
      due: Number(due),
      cursor: Number(cursor),
      lastFired: lastFired === undefined ? null : Number(lastFired),
      fires: Number(fires),
      skipNext: skipNext === 't',
    },
  };
}

/** The slots of a schedule that are still open: whether the one it fired last is among them, and whether one is buffered. */
interface OpenSlots {
  readonly isLast: boolean;
  readonly state: Exclude<PreviousRun, 'ENDED'>;
}

/**
 * What timers have fired and is still open. An open slot is named by a live claim, or waits in `retries`; a claim's slots
 * that have ended meanwhile have their final row. Nothing else is read: rows of the past are cold, and retention drops them.
 */
async function previousRuns(sql: EngineSql, timers: readonly DueTimer[]): Promise<ReadonlyMap<ScheduleId, OpenSlots>> {
  const fired = timers.filter(({ timer }) => timer.lastFired !== null);
  if (fired.length === 0) return new Map();
  const places = quotedLiteral(fired.map(({ place }) => place));
  const found = await sql<{ schedule_id: ScheduleId; slot: number; buffered: boolean }[]>`
    /* timers by place: a thousand ids cost more to read from text than to fetch. By a join: a condition on an array is read anew for each row where timers are few.
       claims: few rows; retries and runs by primary key. IS TRUE keeps the ids a hashed subplan. */
    with fired as materialized (select t.schedule_id from (select unnest(${places}::text::tid[]) as place) p join timers t on t.ctid = p.place)
    select o.schedule_id, date_part('epoch', o.slot) * 1000 as slot, o.buffered
    from (
      select u.schedule_id, u.slot, false as buffered
      from (select unnest(schedule_ids) as schedule_id, unnest(slots) as slot, unnest(spaces) as space from claims) u
      where u.space = 0 and (u.schedule_id in (select schedule_id from fired)) is true
      union all
      select w.schedule_id, w.slot, w.next_due = 'infinity' from retries w where w.space = 0 and w.schedule_id = any(array(select schedule_id from fired))
    ) o
    left join runs r on r.schedule_id = o.schedule_id and r.slot = o.slot and r.space = 0
    where r.state is null or r.state in ('PENDING', 'RUNNING', 'RETRYING')`;
  if (found.length === 0) return new Map();
  const lastOf = new Map(fired.map(({ scheduleId, timer }) => [scheduleId, timer.lastFired]));
  const open = new Map<ScheduleId, OpenSlots>();
  for (const { schedule_id: id, slot, buffered } of found) {
    const before = open.get(id);
    const isLast = Math.round(slot) === lastOf.get(id);
    const state = buffered || before?.state === 'BUFFERED' ? 'BUFFERED' : 'OPEN';
    open.set(id, { isLast: isLast || before?.isLast === true, state });
  }
  return open;
}
