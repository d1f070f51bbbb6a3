import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { EngineProcess } from './support/engine-process.ts';
import { reached } from './support/instant.ts';
import { ScheduleStore } from './support/schedule-store.ts';
import { type BenchServers, startServers } from './support/servers.ts';
import { report } from './support/table.ts';

/*
 * What grows with schedules and with fires: bytes of a schedule and of a run, table by table, and what it costs to vacuum the hot table
 * once, which autovacuum does whenever 2,000 of its rows have changed. docs/architecture.md computes with these.
 * `--quick`: 20,000 schedules.
 */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    sizes: { type: 'string' },
  },
});
const sizes = (values.sizes ?? (values.quick ? '10000,20000' : '100000,1000000')).split(',').map(Number);
const FIRES = 5_000;
const LEAD_MS = 4_000;
const LEAD_MS_EACH = 0.006;
/** As many changed rows wake autovacuum. */
const CHANGED = 2_000;

await using servers = await startServers();
await using store = await ScheduleStore.open(servers.postgresUrl);
const sql = postgres(servers.postgresUrl, { max: 1, onnotice: () => undefined });
await sql`set role scheduler_owner`;
const rows: Readonly<Record<string, string | number>>[] = [];
let made = 0;
for (const size of sizes) {
  await store.fill({ count: size - made, prefix: 'tenant', tenants: 128 });
  made = size;
  const perSchedule = async (table: string): Promise<number> => Math.round((await bytesOf(table)) / size);
  rows.push({
    schedules: size,
    'schedules B each': await perSchedule('schedules'),
    'versions B each': await perSchedule('schedule_versions'),
    'timers B each': await perSchedule('timers'),
    'index of due B each': await perSchedule('timers_due'),
    ...(await vacuumed(servers)),
  });
}
const runs = await runBytes();
await sql.end();
report('size', rows, [
  `A run that succeeded at its first attempt takes ${runs} B in all, its key included (${FIRES} of them, one partition).`,
  'Bytes with indexes. Vacuum: one pass over timers after 2,000 random rows have moved, with 1 GB of shared buffers.',
]);

/** A table with its indexes and partitions, or an index alone. */
async function bytesOf(relation: string): Promise<number> {
  const [row] = await sql<{ bytes: number }[]>`
    select sum(pg_total_relation_size(relid))::float8 as bytes
    from (select relid from pg_partition_tree(${relation}::regclass) union select ${relation}::regclass) parts(relid)`;
  return row?.bytes ?? 0;
}

async function vacuumed(of: BenchServers): Promise<Readonly<Record<string, number>>> {
  await sql`set role scheduler_engine`;
  const moved = await sql`
    update timers set next_due = next_due + interval '1 second'
    where schedule_id in (select schedule_id from timers order by right(schedule_id::text, 8) limit ${CHANGED})`;
  await sql`set role scheduler_owner`;
  if (moved.count !== CHANGED) throw new Error(`${moved.count} timers moved instead of ${CHANGED}`);
  const before = await of.usage();
  const startedAt = performance.now();
  await sql`vacuum (analyze off) timers`;
  const vacuumMs = Math.round(performance.now() - startedAt);
  const { postgresCpuMs } = await of.usedSince(before);
  return { 'vacuum ms': vacuumMs, 'vacuum CPU ms': Math.round(postgresCpuMs) };
}

async function runBytes(): Promise<number> {
  await using engine = await EngineProcess.start(servers.postgresUrl);
  await engine.read();
  const before = await bytesOf('runs');
  const at = Date.now() + LEAD_MS + Math.ceil(made * LEAD_MS_EACH);
  await store.move({ count: FIRES, prefix: 'tenant', at });
  await reached(at);
  await store.drained(at);
  return Math.round(((await bytesOf('runs')) - before) / FIRES);
}
