import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { EngineProcess } from './support/engine-process.ts';
import { reached } from './support/instant.ts';
import { ScheduleStore } from './support/schedule-store.ts';
import { startServers } from './support/servers.ts';
import { median, report } from './support/table.ts';

/*
 * What claiming and firing cost out of ever more schedules. Each round starts a fresh engine process, so that its cache of definitions is
 * equally cold whatever the size; a first batch warms up the program, the counted one is picked at random among schedules that have
 * fired least. `--quick`: 10 k and 40 k, one round.
 */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    sizes: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const sizes = (values.sizes ?? (values.quick ? '10000,40000' : '10000,100000,1000000')).split(',').map(Number);
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const WARM_UP = 1_000;
const FIRES = 5_000;
/** From moving timers to their instant; they are looked for among all. */
const LEAD_MS = 3_000;
const LEAD_MS_EACH = 0.006;
const READY_MS = 100;
/** The store rests when it uses less in each look. */
const LOOK_MS = 1_000;
const RESTING_MS = 20;
const CALM_WITHIN_MS = 60_000;

interface Cost {
  readonly claimMs: number;
  readonly nodeUs: number;
  readonly storeUs: number;
  readonly walBytes: number;
}

await using servers = await startServers();
await using store = await ScheduleStore.open(servers.postgresUrl);
const costs = new Map<number, Cost[]>();
let made = 0;
for (const size of sizes) {
  await store.fill({ count: size - made, prefix: 'tenant', tenants: 128 });
  made = size;
  costs.set(size, []);
  for (let round = 1; round <= rounds; round += 1) {
    const cost = await measured();
    console.log(`${size}, round ${round}: ${JSON.stringify(cost)}`);
    costs.get(size)?.push(cost);
  }
}
report(
  'scale',
  sizes.map((size) => rowOf(size)),
  [
    `${FIRES} schedules due at one instant, ${rounds} rounds each with a fresh engine process and no definition cached; medians.`,
    'Claim: from asking to the commit. Must: at most 1.5 × the smallest size; goal flat.',
    'Store: CPU of all processes of PostgreSQL from the instant to the last settled run, beside it: colder pages, so never flat.',
  ],
);

async function measured(): Promise<Cost> {
  await using engine = await EngineProcess.start(servers.postgresUrl);
  await fire(WARM_UP, () => Promise.resolve());
  await calm();
  const before = await engine.read();
  let from = await servers.usage();
  await fire(FIRES, async () => {
    from = await servers.usage();
  });
  const used = await servers.usedSince(from);
  const after = await engine.read();
  const each = (ms: number): number => Number(((ms * 1000) / FIRES).toFixed(1));
  return {
    claimMs: Number(((after.claimMs - before.claimMs) / (after.claims - before.claims)).toFixed(2)),
    nodeUs: each(after.cpuMs - before.cpuMs),
    storeUs: each(used.postgresCpuMs),
    walBytes: Math.round(used.walBytes / FIRES),
  };
}

/** Until the store rests: a process that has just started looks at all timers for those of other zone data. */
async function calm(): Promise<void> {
  for (let waitedMs = 0; waitedMs < CALM_WITHIN_MS; waitedMs += LOOK_MS) {
    const before = await servers.usage();
    await delay(LOOK_MS);
    if ((await servers.usedSince(before)).postgresCpuMs < RESTING_MS) return;
  }
  throw new Error('the store does not come to rest');
}

async function fire(count: number, begin: () => Promise<void>): Promise<void> {
  const at = Date.now() + LEAD_MS + Math.ceil(made * LEAD_MS_EACH);
  await store.move({ count, prefix: 'tenant', at });
  if (Date.now() > at - READY_MS) throw new Error('moving the timers took longer than their lead');
  await reached(at - READY_MS);
  await begin();
  await reached(at);
  await store.drained(at);
}

function rowOf(size: number): Readonly<Record<string, string | number>> {
  const of = (which: number, value: (cost: Cost) => number): number => median((costs.get(which) ?? []).map(value));
  const smallest = sizes[0] ?? size;
  const beside = (value: (cost: Cost) => number): number => Number((of(size, value) / of(smallest, value)).toFixed(2));
  return {
    schedules: size,
    'claim ms/batch': of(size, (cost) => cost.claimMs),
    'claim × smallest': beside((cost) => cost.claimMs),
    'store µs/fire': of(size, (cost) => cost.storeUs),
    'all rounds': (costs.get(size) ?? []).map((cost) => cost.storeUs).join(' '),
    'store × smallest': beside((cost) => cost.storeUs),
    'node µs/fire': of(size, (cost) => cost.nodeUs),
    'WAL B/fire': of(size, (cost) => cost.walBytes),
  };
}
