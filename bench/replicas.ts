import { parseArgs } from 'node:util';
import { EngineProcess } from './support/engine-process.ts';
import { firedTogether } from './support/fired-together.ts';
import { ScheduleStore } from './support/schedule-store.ts';
import { startServers } from './support/servers.ts';
import { median, report } from './support/table.ts';

/*
 * What one, two and three engine processes fire a second in all, out of one database. All due at one instant; the clock stops when the
 * last run is settled. Numbers of processes take turns. `--quick`: 5,000 schedules, one round.
 */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const jobs = Number(values.jobs ?? (values.quick ? 5_000 : 50_000));
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const PROCESSES = [1, 2, 3] as const;
const WARM_UP = 1_000;

interface Turn {
  readonly perSecond: number;
  readonly nodeUs: number;
  readonly storeUs: number;
  /** The largest part of the fires that one process had. */
  readonly largestShare: number;
}

await using servers = await startServers();
await using store = await ScheduleStore.open(servers.postgresUrl);
await store.fill({ count: jobs, prefix: 'tenant', tenants: 128 });
const turns = new Map<number, Turn[]>(PROCESSES.map((count) => [count, []]));
for (let round = 1; round <= rounds; round += 1) {
  for (const count of PROCESSES) {
    const turn = await measured(count);
    console.log(`round ${round}, ${count} processes: ${JSON.stringify(turn)}`);
    turns.get(count)?.push(turn);
  }
}
report(
  'replicas',
  PROCESSES.map((count) => rowOf(count)),
  [
    `${jobs} recurring schedules due at one instant, no-op COMMAND, ${rounds} rounds, medians; every process starts with an empty cache.`,
    'Must: no less in all with more processes; goal +20 %.',
  ],
);

async function measured(count: number): Promise<Turn> {
  await using running = new AsyncDisposableStack();
  const engines = await Promise.all(
    Array.from({ length: count }, async () => running.use(await EngineProcess.start(servers.postgresUrl))),
  );
  await firedTogether(WARM_UP * count, { servers, store });
  const before = await Promise.all(engines.map((engine) => engine.read()));
  const { storeMs, wallMs } = await firedTogether(jobs, { servers, store });
  const after = await Promise.all(engines.map((engine) => engine.read()));
  const fired = after.reduce((sum, reading) => sum + reading.fired, 0);
  const nodeMs = after.reduce((sum, reading, index) => sum + reading.cpuMs - (before[index]?.cpuMs ?? 0), 0);
  return {
    perSecond: Math.round((jobs / wallMs) * 1000),
    nodeUs: Number(((nodeMs * 1000) / fired).toFixed(1)),
    storeUs: Number(((storeMs * 1000) / fired).toFixed(1)),
    largestShare: Number((Math.max(...after.map((reading) => reading.fired)) / fired).toFixed(2)),
  };
}

function rowOf(count: number): Readonly<Record<string, string | number>> {
  const of = (which: number, value: (turn: Turn) => number): number => median((turns.get(which) ?? []).map(value));
  const perSecond = of(count, (turn) => turn.perSecond);
  const cpuUs = (turn: Turn): number => turn.nodeUs + turn.storeUs;
  return {
    processes: count,
    'fires/s (median)': Math.round(perSecond),
    'all rounds': (turns.get(count) ?? []).map((turn) => turn.perSecond).join(' '),
    '× one': Number((perSecond / of(1, (turn) => turn.perSecond)).toFixed(2)),
    'node µs/fire': of(count, (turn) => turn.nodeUs),
    'store µs/fire': of(count, (turn) => turn.storeUs),
    'CPU × one': Number((of(count, cpuUs) / of(1, cpuUs)).toFixed(2)),
    'largest share': of(count, (turn) => turn.largestShare),
  };
}
