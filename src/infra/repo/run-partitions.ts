import postgres from 'postgres';
import type { EnginePool } from '../db/engine-pool.ts';
import type { EngineSql } from './engine-rows.ts';

/*
 * Runs lie in a partition for each UTC day of their slot, and in the default one where a day has none. Making and dropping a
 * partition locks all of them, and everybody else waits behind who waits for that lock: so nobody waits longer than two seconds.
 */

/** SQLSTATE of a partition that would leave rows behind in the default one. */
const CHECK_VIOLATION = '23514';
/** SQLSTATE of a partition that another node made at the same time. */
const DUPLICATE_TABLE = '42P07';
/** Rows that can be moved out of the default partition while all wait. A day with more stays there until its runs are swept. */
const MOVABLE = 50_000;

/** The partitions from yesterday to `daysAhead`, each by itself. Throws the first failure once all were tried. */
export async function makeRunPartitions(pool: EnginePool, daysAhead: number): Promise<void> {
  const missing = await pool.query(
    (sql) => sql<{ day: string }[]>`
      select to_char(day, 'YYYY-MM-DD') as day
      from (select (now() at time zone 'UTC')::date + step as day from generate_series(-1, ${daysAhead}::int) as step) as days
      where to_regclass('runs_' || to_char(day, 'YYYYMMDD')) is null order by day`,
  );
  const failures: unknown[] = [];
  for (const { day } of missing) await makePartition(pool, day).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** Drops whole days of slots, at most ten, then rows of that age in the default partition, at most `limit`. Answers how many days went. */
export async function dropRunsOlderThan(pool: EnginePool, days: number, limit: number): Promise<number> {
  const old = await pool.query(
    (sql) => sql<{ day: string }[]>`
      select to_char(to_date(substr(c.relname, 6), 'YYYYMMDD'), 'YYYY-MM-DD') as day
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'runs'::regclass and c.relname ~ '^runs_[0-9]{8}$'
        and to_date(substr(c.relname, 6), 'YYYYMMDD') < (now() at time zone 'UTC')::date - ${days}::int
      order by 1 limit 10`,
  );
  let dropped = 0;
  for (const { day } of old) {
    const isGone = await pool.transaction(async (sql) => {
      await waitBriefly(sql);
      const [row] = await sql<{ gone: boolean }[]>`select drop_run_partition(${day}::date) as gone`;
      return row?.gone === true;
    });
    if (isGone) dropped += 1;
  }
  await pool.query(
    (sql) => sql`
      delete from runs where (schedule_id, slot, space) in (
        select schedule_id, slot, space from runs
        where tableoid = 'runs_default'::regclass and ended_at < now() - ${days}::int * interval '1 day' and state in ('SUCCEEDED', 'CANCELLED', 'SKIPPED', 'DEAD') limit ${limit})`,
  );
  return dropped;
}

async function makePartition(pool: EnginePool, day: string): Promise<void> {
  const failure = await pool
    .transaction(async (sql) => {
      await waitBriefly(sql);
      await sql`select make_run_partition(${day}::date)`;
    })
    .then(() => null, codeOf);
  if (failure !== CHECK_VIOLATION) return;
  // Not in the transaction that moves them: who has read a table waits for others who have, and want to lock it as well.
  const found = await pool.query((sql) => sql`select from runs where ${isOfDay(sql, day)} limit ${MOVABLE + 1}`);
  if (found.length <= MOVABLE) await pool.transaction((sql) => makePartitionOfDefault(sql, day));
}

function isOfDay(sql: EngineSql, day: string): postgres.PendingQuery<postgres.Row[]> {
  return sql`slot >= ${day}::date::timestamp at time zone 'UTC' and slot < (${day}::date + 1)::timestamp at time zone 'UTC'`;
}

async function waitBriefly(sql: EngineSql): Promise<void> {
  await sql`set local lock_timeout = '2s'`;
}

/** The SQLSTATE of a failure that does not matter or can be mended; throws any other. */
function codeOf(error: unknown): string {
  const code = error instanceof postgres.PostgresError ? error.code : null;
  if (code === CHECK_VIOLATION || code === DUPLICATE_TABLE) return code;
  throw error;
}

/**
 * The partition of a day of which the default partition holds runs, as after a time in which no engine ran: they move into
 * it. The lock keeps out writers, who would put more of them into the default partition meanwhile.
 */
async function makePartitionOfDefault(sql: EngineSql, day: string): Promise<void> {
  await waitBriefly(sql);
  // In this order, as `make_run_partition` takes them.
  await sql`select pg_advisory_xact_lock(hashtext('make_run_partition'))`;
  await sql`lock table runs in access exclusive mode`;
  await sql`create temp table moved (like runs) on commit drop`;
  await sql`with gone as (delete from runs where ${isOfDay(sql, day)} returning *) insert into moved select * from gone`;
  await sql`select make_run_partition(${day}::date)`;
  await sql`insert into runs select * from moved`;
}
