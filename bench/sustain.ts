import { parseArgs } from 'node:util';
import { EngineProcess, latenessAt, type Reading } from './support/engine-process.ts';
import { reached } from './support/instant.ts';
import { ScheduleStore } from './support/schedule-store.ts';
import { startServers, type Usage } from './support/servers.ts';
import { report } from './support/table.ts';

/*
 * One engine process under a steady load out of very many schedules: how late they start, and whether a claim takes longer in the
 * last quarter of the time than in the first. Slots are spread evenly over the time, to the millisecond. `--quick`: 30,000
 * schedules, 12 s.
 */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    schedules: { type: 'string' },
    seconds: { type: 'string' },
    rate: { type: 'string' },
  },
});
const rate = Number(values.rate ?? (values.quick ? 1000 : 4000));
const seconds = Number(values.seconds ?? (values.quick ? 12 : 120));
const schedules = Math.max(Number(values.schedules ?? (values.quick ? 30_000 : 1_000_000)), rate * seconds);
const QUARTERS = 4;
const MIB = 1024 * 1024;
const QUARTER_MS = (seconds / QUARTERS) * 1000;
/** Before the first slot, and longer for each timer that is moved. */
const LEAD_MS = 3_000;
const LEAD_MS_EACH = 0.06;
/** They are looked for among all. */
const LEAD_MS_OF_ALL = 0.006;

await using servers = await startServers();
await using store = await ScheduleStore.open(servers.postgresUrl);
const filledPerSecond = await store.fill({ count: schedules, prefix: 'tenant', tenants: 128 });
console.log(`${schedules} schedules, made at ${filledPerSecond}/s`);
await using engine = await EngineProcess.start(servers.postgresUrl);
const at = Date.now() + LEAD_MS + Math.ceil(schedules * LEAD_MS_OF_ALL + rate * seconds * LEAD_MS_EACH);
await store.move({ count: rate * seconds, prefix: 'tenant', at, perSecond: rate });
if (Date.now() > at) throw new Error('moving the timers took longer than their lead');
await reached(at);

let before = { read: await engine.read(), used: await servers.usage() };
const quarters: { readonly read: Reading; readonly used: Usage; readonly since: Reading }[] = [];
for (let quarter = 1; quarter <= QUARTERS; quarter += 1) {
  await reached(at + quarter * QUARTER_MS);
  const now = { read: await engine.read(), used: await servers.usage() };
  quarters.push({ read: now.read, used: difference(now.used, before.used), since: before.read });
  console.log(`quarter ${quarter}: ${JSON.stringify(rowOf(quarters.slice(-1), String(quarter)))}`);
  before = now;
}
await store.drained(Date.now());
const [first, last] = [quarters.slice(0, 1), quarters.slice(-1)];
const drift = claimMsOf(last) / claimMsOf(first);
report(
  'sustain',
  [...quarters.map((quarter, index) => rowOf([quarter], `quarter ${index + 1}`)), rowOf(quarters, 'all')],
  [
    `${rate} fires/s for ${seconds} s out of ${schedules} schedules (made at ${filledPerSecond}/s), one engine process, no-op COMMAND, default policies.`,
    `Must: p50 20 ms, p99 250 ms, drift of the claim 1.5 ×; goal: 8 ms, 60 ms, flat. Drift here: ${drift.toFixed(2)} ×.`,
    `The process weighs ${Math.round(before.read.rss / MIB)} MiB (RSS), of which ${Math.round(before.read.heapUsed / MIB)} MiB are its heap.`,
    `${await store.succeeded(at, at + seconds * 1000)} runs have succeeded; ${rate * seconds} slots were set, some have their own besides.`,
  ],
);

type Quarter = (typeof quarters)[number];

function rowOf(measured: readonly Quarter[], name: string): Readonly<Record<string, string | number>> {
  const fired = sum(measured, ({ read }) => read.fired);
  const readings = measured.map(({ read }) => read);
  const each = (ms: number): number => Number(((ms * 1000) / fired).toFixed(1));
  return {
    stretch: name,
    'fires/s': Math.round(fired / ((QUARTER_MS * measured.length) / 1000)),
    'p50 ms': latenessAt(readings, 0.5),
    'p99 ms': latenessAt(readings, 0.99),
    'claim ms': Number(claimMsOf(measured).toFixed(2)),
    'fires/claim': Math.round(fired / sum(measured, ({ read, since }) => read.claims - since.claims)),
    'node µs/fire': each(sum(measured, ({ read, since }) => read.cpuMs - since.cpuMs)),
    'store µs/fire': each(sum(measured, ({ used }) => used.postgresCpuMs)),
    'WAL B/fire': Math.round(sum(measured, ({ used }) => used.walBytes) / fired),
  };
}

function claimMsOf(measured: readonly Quarter[]): number {
  const took = sum(measured, ({ read, since }) => read.claimMs - since.claimMs);
  return took / sum(measured, ({ read, since }) => read.claims - since.claims);
}

function difference(now: Usage, then: Usage): Usage {
  return {
    postgresCpuMs: now.postgresCpuMs - then.postgresCpuMs,
    redisCpuMs: now.redisCpuMs - then.redisCpuMs,
    walBytes: now.walBytes - then.walBytes,
    transactions: now.transactions - then.transactions,
  };
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
