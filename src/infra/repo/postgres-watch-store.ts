import { decodeRunId, encodeRunId, type RunKey, type ScheduleId } from '../../domain/ids.ts';
import type { Found, Round, RoundFound, WatchStore } from '../../domain/ports/watch-store.ts';
import type { EnginePool } from '../db/engine-pool.ts';
import { arrayLiteral, ofActiveTenant } from './engine-rows.ts';

const NO_ID = '00000000-0000-0000-0000-000000000000';
/** Chains whose run is under way are looked at in every round, up to so many. */
const CHAINS = 5_000;

interface RunRow {
  readonly s: ScheduleId;
  readonly t: number;
  readonly p: number;
  /** Not found: where the round ended. */
  readonly last: boolean;
}

/** The watchmen's statements on PostgreSQL. What belongs together is written in one transaction, so one snapshot shows it whole. */
export class PostgresWatchStore implements WatchStore {
  readonly #pool: EnginePool;

  constructor(pool: EnginePool) {
    this.#pool = pool;
  }

  async overdueTimers(patienceMs: number, limit: number): Promise<Found> {
    const rows = await this.#pool.query(
      (sql) => sql<{ id: string }[]>`
        /* index timers_due */
        select schedule_id as id from timers where next_due < now() - ${patienceMs}::float8 * interval '1 millisecond' and ${ofActiveTenant(sql)}
        order by next_due limit ${limit}`,
    );
    return rows.map((row) => row.id);
  }

  async untakenClaims(patienceMs: number, limit: number): Promise<Found> {
    const rows = await this.#pool.query(
      (sql) => sql<{ id: string }[]>`
        /* index claims_lease */
        select id from claims where lease_until < now() - ${patienceMs}::float8 * interval '1 millisecond' order by lease_until limit ${limit}`,
    );
    return rows.map((row) => row.id);
  }

  async stuckSchedules({ after, known, rows: limit }: Round): Promise<RoundFound> {
    const rows = await this.#pool.query(
      (sql) => sql<{ id: ScheduleId | null; last: ScheduleId | null }[]>`
        /* schedules, timers, retries by primary key; index timers_due; claims: few rows */
        with round as materialized (
          select id from schedules where id > ${after ?? NO_ID} order by id limit ${limit}
        ), looked as (
          select id from round
          union select unnest(${arrayLiteral(known)}::text::uuid[])
          union (select schedule_id from timers where next_due = 'infinity' limit ${CHAINS})
        ), timed as materialized (
          -- One by one: joined, the planner would read both tables whole.
          select l.id, (select t.next_due from timers t where t.schedule_id = l.id) as due
          from looked l where (select s.state = 'ACTIVE' and s.deleted_at is null from schedules s where s.id = l.id)
        ), stuck as (
          select i.id from timed i
          where i.due is null
             or (i.due = 'infinity' and not exists (select from retries w where w.schedule_id = i.id)
                 and (i.id in (select unnest(schedule_ids) from claims)) is not true)
        )
        select null::uuid as id, (select id from round order by id desc limit 1) as last where (select count(*) from round) = ${limit}
        union all (select id, null from stuck order by id)`,
    );
    return {
      found: rows.flatMap(({ id }) => id ?? []),
      after: rows.find(({ id }) => id === null)?.last ?? null,
    };
  }

  async endlessRuns({ after, known, rows: limit }: Round): Promise<RoundFound> {
    const from = after === null ? { scheduleId: NO_ID, slot: 0, space: 0 } : keyOf(after);
    const again = known.map(keyOf);
    const rows = await this.#pool.query(
      (sql) => sql<RunRow[]>`
        /* index runs_open; claims and retries by primary key */
        with round as materialized (
          select schedule_id, slot, space, state, claim_id from runs
          where state in ('PENDING', 'RUNNING', 'RETRYING')
            and (schedule_id, slot, space) > (${from.scheduleId}::uuid, to_timestamp(${from.slot}::float8 / 1000), ${from.space}::int)
          order by schedule_id, slot, space limit ${limit}
        ), looked as (
          select * from round
          union
          select r.schedule_id, r.slot, r.space, r.state, r.claim_id
          from unnest(${arrayLiteral(again.map((key) => key.scheduleId))}::text::uuid[], ${arrayLiteral(again.map((key) => key.slot))}::text::float8[],
                      ${arrayLiteral(again.map((key) => key.space))}::text::int[]) as k(s, t, p)
          join runs r on r.schedule_id = k.s and r.slot = to_timestamp(k.t / 1000) and r.space = k.p
          where r.state in ('PENDING', 'RUNNING', 'RETRYING')
        ), endless as (
          select l.schedule_id, l.slot, l.space from looked l
          where case when l.state = 'RUNNING' then not exists (select from claims c where c.id = l.claim_id)
                     else not exists (select from retries w where w.schedule_id = l.schedule_id and w.slot = l.slot and w.space = l.space) end
        ), ending as (
          select schedule_id, slot, space from round order by schedule_id desc, slot desc, space desc limit 1
        )
        select schedule_id as s, date_part('epoch', slot) * 1000 as t, space as p, true as last from ending where (select count(*) from round) = ${limit}
        union all (select schedule_id, date_part('epoch', slot) * 1000, space, false from endless order by schedule_id, slot, space)`,
    );
    const last = rows.find((row) => row.last);
    return { found: rows.filter((row) => !row.last).map(runIdOf), after: last === undefined ? null : runIdOf(last) };
  }
}

function runIdOf({ s, t, p }: RunRow): string {
  return encodeRunId({ scheduleId: s, slot: Math.round(t), space: p });
}

function keyOf(id: string): RunKey {
  const key = decodeRunId(id);
  if (key === null) throw new Error(`${id} is not the id of a run`);
  return key;
}
