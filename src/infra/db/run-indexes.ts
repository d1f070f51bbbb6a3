import postgres from 'postgres';

/*
 * A migration makes an index of `runs` on the whole alone (`on only`): days made from then on have it, and it counts once all have. Those that
 * were there get it here, one after the other, while runs go on being written.
 */

/** Any constant: the session lock that lets one process build at a time. Nobody waits for it, as a build waits for those who wait. */
const BUILDING_LOCK = 7_270_115_002;
/** A day of up to so many bytes is read in less time than a build beside its writers needs to begin. */
const SMALL_DAY = 8 * 1024 * 1024;

/** Of a day that was dropped, or somebody uses too long: lock_not_available, undefined_table, deadlock_detected. */
const LATER: readonly string[] = ['55P03', '42P01', '40P01'];

interface MissingIndex {
  readonly whole: string;
  readonly day: string;
  readonly definition: string;
  readonly bytes: number;
}

/**
 * Builds what is missing. Where another process does, nothing happens; a day that cannot be locked in time is left to the next
 * call. Until all are built, a list that needs the index reads more.
 */
export async function completeRunIndexes(sql: postgres.Sql, smallDay = SMALL_DAY): Promise<void> {
  const [lock] = await sql<{ isMine: boolean }[]>`select pg_try_advisory_lock(${BUILDING_LOCK}) as "isMine"`;
  if (lock?.isMine !== true) return;
  const missing = await sql<MissingIndex[]>`
    select x.indexrelid::regclass::text as whole, p.inhrelid::regclass::text as day, pg_get_indexdef(x.indexrelid) as definition,
           pg_relation_size(p.inhrelid)::float8 as bytes
    from pg_index x join pg_inherits p on p.inhparent = x.indrelid
    where x.indrelid = 'runs'::regclass and not x.indisvalid
      and not exists (select from pg_inherits i join pg_index c on c.indexrelid = i.inhrelid where i.inhparent = x.indexrelid and c.indrelid = p.inhrelid)
    order by 1, 2`;
  for (const index of missing) await indexDay(sql, index, index.bytes > smallDay).catch(unlessLater);
  await sql`select pg_advisory_unlock(${BUILDING_LOCK})`;
}

/** What a build that failed has left under the name is made anew. */
async function indexDay(
  sql: postgres.Sql,
  { whole, day, definition }: MissingIndex,
  isBesideWriters: boolean,
): Promise<void> {
  const name = `${day}_${whole.replace(/^runs_/, '')}`;
  const how = isBesideWriters ? 'concurrently' : '';
  await sql.unsafe(`drop index ${how} if exists ${name}`);
  await sql.unsafe(`create index ${how} ${name} on ${day} ${definition.slice(definition.indexOf(' USING '))}`);
  await sql.unsafe(`alter index ${whole} attach partition ${name}`);
}

function unlessLater(error: unknown): void {
  if (!(error instanceof postgres.PostgresError) || !LATER.includes(error.code)) throw error;
}
