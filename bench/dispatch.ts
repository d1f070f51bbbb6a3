import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Broker } from '../tests/chaos/broker.ts';
import { EngineProcess, type Reading } from './support/engine-process.ts';
import { firedTogether } from './support/fired-together.ts';
import { threadsCpuMs } from './support/process-cpu.ts';
import { ScheduleStore } from './support/schedule-store.ts';
import { type BenchServers, startServers } from './support/servers.ts';
import { median, report } from './support/table.ts';

/*
 * What an engine and the machine pay for a webhook that the engine makes itself, and for one that it passes on to workers through
 * JetStream. All due at one instant, one receiver; set-ups take turns. `--quick`: 2,000, one round.
 */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    rounds: { type: 'string' },
    'answer-ms': { type: 'string', default: '0' },
  },
});
const jobs = Number(values.jobs ?? (values.quick ? 2_000 : 20_000));
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const answerMs = Number(values['answer-ms']);
/** 0: the engine delivers by itself. */
const WORKERS = [0, 1, 2, 3] as const;
const TENANTS = 16;
const WARM_UP = 1_000;

interface Turn {
  readonly perSecond: number;
  readonly engineUs: number;
  readonly workersUs: number;
  readonly brokerUs: number;
  readonly storeUs: number;
  /** That came due meanwhile by themselves. */
  readonly others: number;
}

const broker = await Broker.prepare();
if (broker === null) throw new Error('nats-server is not installed');
await broker.start();
let arrived = 0;
const receiver = createServer((request, response) => {
  arrived += 1;
  request.resume();
  if (answerMs === 0) response.end();
  else setTimeout(() => response.end(), answerMs);
}).listen(0, '127.0.0.1');
await once(receiver, 'listening');
const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;

const turns = new Map<number, Turn[]>(WORKERS.map((count) => [count, []]));
{
  await using servers = await startServers();
  await using store = await ScheduleStore.open(servers.postgresUrl);
  const target = { kind: 'HTTP', http: { url, method: 'POST', headers: {} } } as const;
  await store.fill({ count: jobs, prefix: 'tenant', tenants: TENANTS, target });
  for (let round = 1; round <= rounds; round += 1) {
    for (const count of WORKERS) {
      const turn = await measured(count, servers, store);
      console.log(`round ${round}, ${count} workers: ${JSON.stringify(turn)}`);
      turns.get(count)?.push(turn);
    }
  }
}
receiver.close();
receiver.closeAllConnections();
await broker[Symbol.asyncDispose]();
report('dispatch', WORKERS.map(rowOf), [
  `${jobs} POSTs of one engine to one receiver that answers after ${answerMs} ms, ${rounds} rounds, medians; nobody has cached a definition.`,
  '0 workers: DISPATCH=local. Else DISPATCH=nats, JetStream on files on the same machine.',
]);

async function measured(count: number, servers: BenchServers, store: ScheduleStore): Promise<Turn> {
  await using running = new AsyncDisposableStack();
  const common = { DISPATCH: count === 0 ? 'local' : 'nats', NATS_URL: broker?.url ?? '' };
  const start = async (roles: string): Promise<EngineProcess> =>
    running.use(await EngineProcess.start(servers.postgresUrl, { ...common, ROLES: roles }));
  const engine = await start('engine');
  const workers = await Promise.all(Array.from({ length: count }, () => start('worker')));
  await firedTogether(WARM_UP, { servers, store });
  const all = [engine, ...workers];
  const before = await Promise.all(all.map((one) => one.read()));
  const brokerBefore = threadsCpuMs(broker?.pid ?? 0);
  arrived = 0;
  const { storeMs, wallMs } = await firedTogether(jobs, { servers, store });
  // What is acknowledged after settlement belongs to the round too.
  await delay(200);
  const brokerMs = threadsCpuMs(broker?.pid ?? 0) - brokerBefore;
  const after = await Promise.all(all.map((one) => one.read()));
  const [engineMs = 0, ...workerMs] = after.map((reading, index) => cpuSince(before[index], reading));
  if (arrived < jobs) throw new Error(`${arrived} POSTs arrived instead of ${jobs}`);
  return {
    perSecond: Math.round((jobs / wallMs) * 1000),
    engineUs: each(engineMs),
    workersUs: each(workerMs.reduce((sum, ms) => sum + ms, 0)),
    brokerUs: each(brokerMs),
    storeUs: each(storeMs),
    others: arrived - jobs,
  };
}

function cpuSince(before: Reading | undefined, after: Reading): number {
  return after.cpuMs - (before?.cpuMs ?? 0);
}

function each(ms: number): number {
  return Number(((ms * 1000) / jobs).toFixed(1));
}

function rowOf(count: number): Readonly<Record<string, string | number>> {
  const of = (which: number, value: (turn: Turn) => number): number =>
    Number(median((turns.get(which) ?? []).map(value)).toFixed(1));
  return {
    workers: count,
    'POSTs/s (median)': Math.round(of(count, (turn) => turn.perSecond)),
    'all rounds': (turns.get(count) ?? []).map((turn) => turn.perSecond).join(' '),
    'engine µs/POST': of(count, (turn) => turn.engineUs),
    'engine × local': Number((of(count, (turn) => turn.engineUs) / of(0, (turn) => turn.engineUs)).toFixed(2)),
    'workers µs/POST': of(count, (turn) => turn.workersUs),
    'NATS µs/POST': of(count, (turn) => turn.brokerUs),
    'store µs/POST': of(count, (turn) => turn.storeUs),
    'other slots': Math.max(...(turns.get(count) ?? []).map((turn) => turn.others)),
  };
}
