import type { ScheduleVersion } from '../../domain/entities/schedule-version.ts';
import type { TimerState } from '../../domain/entities/timer.ts';
import type { ScheduleId } from '../../domain/ids.ts';
import type { ZoneDataStore } from '../../domain/ports/zone-data-store.ts';
import type { EnginePool } from '../db/engine-pool.ts';
import { arrayLiteral, type EngineSql } from './engine-rows.ts';
import type { ScheduleVersionCache } from './schedule-version-cache.ts';

const NO_ID = '00000000-0000-0000-0000-000000000000';

interface TimerRow {
  readonly schedule_id: ScheduleId;
  readonly version: number;
  readonly slot: number;
  readonly due: number;
  readonly cursor: number;
  readonly last_fired: number | null;
  readonly fires: number;
  readonly now: number;
}

/** Zone data versions of timers and nodes on PostgreSQL. */
export class PostgresZoneDataStore implements ZoneDataStore {
  readonly #pool: EnginePool;
  readonly #versions: ScheduleVersionCache;

  constructor(pool: EnginePool, versions: ScheduleVersionCache) {
    this.#pool = pool;
    this.#versions = versions;
  }

  async newestOfLiveNodes(): Promise<string | null> {
    const [row] = await this.#pool.query(
      (sql) => sql<{ newest: string | null }[]>`
        select max(tzdata) as newest from nodes where 'engine' = any(roles) and heartbeat > now() - interval '30 seconds' and tzdata ~ '^[0-9]{4}[a-z]+$'`,
    );
    return row?.newest ?? null;
  }

  retime(
    chunk: { readonly version: string; readonly after: ScheduleId | null; readonly limit: number },
    recompute: (timer: TimerState, version: ScheduleVersion, now: number) => TimerState | null,
  ): Promise<{ readonly last: ScheduleId | null; readonly moved: number }> {
    return this.#pool.transaction(async (sql) => {
      const ids = await nextIds(sql, chunk);
      const stale = await lockStale(sql, ids, chunk.version);
      const lookup = await this.#versions.load(
        sql,
        stale.map((row) => ({ scheduleId: row.schedule_id, version: row.version })),
      );
      const moved = stale.flatMap((row) => {
        const { version } = lookup.of(row.schedule_id, row.version);
        const timer = version === null ? null : recompute(timerOf(row), version, Math.floor(row.now));
        return timer === null ? [] : [{ s: row.schedule_id, slot: timer.slot, due: timer.due, cursor: timer.cursor }];
      });
      if (stale.length > 0) await stamp(sql, stale, chunk.version);
      if (moved.length > 0) await move(sql, moved);
      const last = ids.length < chunk.limit ? null : (ids.at(-1) ?? null);
      return { last, moved: moved.length };
    });
  }
}

/** The next timers in id order. */
async function nextIds(
  sql: EngineSql,
  chunk: { readonly after: ScheduleId | null; readonly limit: number },
): Promise<readonly ScheduleId[]> {
  const rows = await sql<{ schedule_id: ScheduleId }[]>`
    /* timers by primary key */
    select schedule_id from timers where schedule_id > ${chunk.after ?? NO_ID} order by schedule_id limit ${chunk.limit}`;
  return rows.map((row) => row.schedule_id);
}

/** Those of them whose slot was computed with other zone data; one that a claim holds is waited for, briefly: claims last milliseconds. */
function lockStale(sql: EngineSql, ids: readonly ScheduleId[], version: string): Promise<readonly TimerRow[]> {
  return sql<TimerRow[]>`
    /* timers by primary key */
    select schedule_id, version, date_part('epoch', slot) * 1000 as slot, date_part('epoch', next_due) * 1000 as due,
           date_part('epoch', cursor) * 1000 as cursor, date_part('epoch', last_fired) * 1000 as last_fired, fires::float8 as fires,
           date_part('epoch', now()) * 1000 as now
    from timers where schedule_id = any(${arrayLiteral(ids)}::text::uuid[]) and tzdata is distinct from ${version} order by schedule_id for update`;
}

async function stamp(sql: EngineSql, stale: readonly TimerRow[], version: string): Promise<void> {
  await sql`update timers set tzdata = ${version} where schedule_id = any(${arrayLiteral(stale.map((row) => row.schedule_id))}::text::uuid[])`;
}

async function move(
  sql: EngineSql,
  moved: readonly {
    readonly s: ScheduleId;
    readonly slot: number;
    readonly due: number;
    readonly cursor: number;
  }[],
): Promise<void> {
  await sql`
    update timers t set slot = to_timestamp(r.slot / 1000), next_due = to_timestamp(r.due / 1000),
           cursor = to_timestamp(r.cursor / 1000)
    from jsonb_to_recordset(${JSON.stringify(moved)}::text::jsonb) as r(s uuid, slot float8, due float8, cursor float8) where t.schedule_id = r.s`;
}

function timerOf(row: TimerRow): TimerState {
  const lastFired = row.last_fired === null ? null : Math.round(row.last_fired);
  return { slot: Math.round(row.slot), due: row.due, cursor: Math.round(row.cursor), lastFired, fires: row.fires };
}
