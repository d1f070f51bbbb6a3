import { crashPoint } from '#crash-point';
import type { ScheduleVersion } from '../../domain/entities/schedule-version.ts';
import { BACKFILL_SPACE, type ScheduleId, type TenantId } from '../../domain/ids.ts';
import {
  type Backfill,
  type BackfillStore,
  type Emitted,
  MOST_WAITING,
} from '../../domain/ports/backfill-repository.ts';
import { LANES } from '../../domain/ports/run-repository.ts';
import type { EnginePool } from '../db/engine-pool.ts';
import { arrayLiteral, type EngineSql, ofActiveTenant } from './engine-rows.ts';
import type { ScheduleVersionCache } from './schedule-version-cache.ts';

interface OpenBackfill {
  readonly id: string;
  readonly tenant_id: TenantId;
  readonly schedule_id: ScheduleId;
  readonly version: number;
  readonly cursor: number;
  readonly until: number;
  readonly remaining: number;
  readonly created_at: number;
  readonly created_by: string;
  readonly waiting: number;
  readonly alive: boolean;
}

/** Emits backfills in chunks; cursor and runs move in one transaction, so a crash neither loses nor doubles a slot. */
export class PostgresBackfillStore implements BackfillStore {
  readonly #pool: EnginePool;
  readonly #versions: ScheduleVersionCache;

  constructor(pool: EnginePool, versions: ScheduleVersionCache) {
    this.#pool = pool;
    this.#versions = versions;
  }

  emit(
    limit: number,
    choose: (backfill: Backfill, version: ScheduleVersion, waiting: number) => readonly number[],
  ): Promise<Emitted> {
    return this.#pool.transaction(async (sql) => {
      crashPoint('backfill.before-lock');
      const open = await lockOpen(sql, limit);
      if (open.length > 0) crashPoint('backfill.after-lock');
      const keys = open.map((row) => ({ scheduleId: row.schedule_id, version: row.version }));
      const versions = await this.#versions.load(sql, keys);
      const runs: { readonly scheduleId: ScheduleId; readonly slot: number }[] = [];
      let left = 0;
      for (const row of open) {
        const { version } = versions.of(row.schedule_id, row.version);
        const slots = row.alive && version !== null ? choose(backfillOf(row), version, row.waiting) : [];
        const isOver = !row.alive || version === null || isEmitted(row, slots, version);
        if (slots.length > 0) await insertRuns(sql, row, slots);
        await moveOn(sql, row, slots, isOver);
        runs.push(...slots.map((slot) => ({ scheduleId: row.schedule_id, slot })));
        if (!isOver) left += 1;
      }
      if (open.length > 0) crashPoint('backfill.after-write');
      return { runs, isMoreLeft: left > 0 || (await areOthersOpen(sql)) };
    });
  }
}

/** The oldest backfills, full ones last, with how many of their schedule's backfilled runs still wait. */
function lockOpen(sql: EngineSql, limit: number): Promise<readonly OpenBackfill[]> {
  return sql<OpenBackfill[]>`
    /* index backfills_age */
    select b.id, b.tenant_id, b.schedule_id, b.version, date_part('epoch', b.cursor) * 1000 as cursor, date_part('epoch', b.until) * 1000 as until,
           b.remaining, date_part('epoch', b.created_at) * 1000 as created_at, b.created_by,
           w.waiting,
           exists (select from schedules s where s.id = b.schedule_id and s.deleted_at is null) as alive
    from backfills b cross join lateral (
      select count(*)::int as waiting from retries r where r.schedule_id = b.schedule_id and r.space = ${BACKFILL_SPACE}) as w
    where ${ofActiveTenant(sql)}
    order by w.waiting >= ${MOST_WAITING}, b.created_at limit ${limit} for update of b skip locked`;
}

/** Backfills beyond the limit, or in the hands of a process that may die before it commits. */
async function areOthersOpen(sql: EngineSql): Promise<boolean> {
  const [row] = await sql<{ open: boolean }[]>`select exists (select from backfills) as open`;
  return row?.open === true;
}

/** PENDING runs for the slots that have no run yet: none of their own but a skipped one, none in flight, and none backfilled. */
async function insertRuns(sql: EngineSql, row: OpenBackfill, slots: readonly number[]): Promise<void> {
  await sql`
    with flying as materialized (
      select u.slot from claims c cross join lateral unnest(c.schedule_ids, c.slots, c.spaces) as u(schedule_id, slot, space)
      where c.schedule_ids @> array[${row.schedule_id}::uuid] and u.schedule_id = ${row.schedule_id} and u.space = 0
    ), made as (
      insert into runs (schedule_id, slot, space, tenant_id, version, state, cause, due)
      select ${row.schedule_id}, to_timestamp(u.slot / 1000), ${BACKFILL_SPACE}, ${row.tenant_id}, ${row.version}, 'PENDING', 'BACKFILL', now()
      from unnest(${arrayLiteral(slots)}::text::float8[]) as u(slot)
      where not exists (select from runs r where r.schedule_id = ${row.schedule_id} and r.slot = to_timestamp(u.slot / 1000) and r.space = 0 and r.state <> 'SKIPPED')
        and not exists (select from flying f where f.slot = to_timestamp(u.slot / 1000))
      on conflict (schedule_id, slot, space) do nothing
      returning schedule_id, slot, space, tenant_id, version
    )
    insert into retries (schedule_id, slot, space, tenant_id, version, lane, next_due)
    select schedule_id, slot, space, tenant_id, version, ${LANES.catchUp}, now() from made`;
}

async function moveOn(sql: EngineSql, row: OpenBackfill, slots: readonly number[], isOver: boolean): Promise<void> {
  if (isOver) {
    await sql`delete from backfills where id = ${row.id}`;
    return;
  }
  const last = slots.at(-1);
  if (last === undefined) return;
  await sql`
    update backfills set cursor = to_timestamp(${last}::float8 / 1000), remaining = greatest(remaining - ${slots.length}::int, 0) where id = ${row.id}`;
}

function isEmitted(row: OpenBackfill, slots: readonly number[], version: ScheduleVersion): boolean {
  if (row.remaining <= slots.length) return true;
  const next = version.slotAfter(slots.at(-1) ?? Math.round(row.cursor));
  return next === null || next > Math.round(row.until);
}

function backfillOf(row: OpenBackfill): Backfill {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    scheduleId: row.schedule_id,
    version: row.version,
    cursor: Math.round(row.cursor),
    until: Math.round(row.until),
    remaining: row.remaining,
    createdAt: new Date(Math.round(row.created_at)),
    createdBy: row.created_by,
  };
}
