import { parseArgs } from 'node:util';
import { Contender, type Round } from './support/contender.ts';
import { startServers } from './support/servers.ts';
import { median, report } from './support/table.ts';

/*
 * Very many recurring schedules that are due in one second, as at every full hour: how long until the last has ended, against
 * BullMQ's job schedulers, in turns. A first round of each warms up and is not counted. `--quick`: 2,000, one round.
 */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const jobs = Number(values.jobs ?? (values.quick ? 1_000 : 10_000));
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));

await using servers = await startServers();
if (servers.redisUrl === null) throw new Error('redis-server is not installed: there is nothing to compare with');
await using running = new AsyncDisposableStack();
const environment = {
  BENCH_POSTGRES_URL: servers.postgresUrl,
  BENCH_REDIS_URL: servers.redisUrl,
  BENCH_JOBS: String(jobs),
};
const plans = [
  { name: 'scheduler', file: 'scheduler-herd', environment },
  { name: 'bullmq', file: 'bullmq-schedulers', environment },
];
const contenders = await Promise.all(plans.map(async (plan) => running.use(await Contender.start(plan))));
const measured = new Map<string, Round[]>(plans.map(({ name }) => [name, []]));
for (let round = 0; round <= rounds; round += 1) {
  for (const contender of contenders) {
    const turn = await contender.turn(servers);
    console.log(
      `${round === 0 ? 'warm-up' : `round ${round}`} ${contender.name}: ${Math.round(turn.wallMs)} ms, CPU ${cpuMs(turn).toFixed(0)} ms`,
    );
    if (round > 0) measured.get(contender.name)?.push(turn);
  }
}
report(
  'herd',
  [...measured].map(([name, turns]) => rowOf(name, turns)),
  [
    `${jobs} due in one second, ${rounds} rounds. scheduler: history kept. bullmq: upsertJobScheduler, a cron pattern each, no history. Both compute the next slot.`,
    'Must: ours / theirs at most 0.35; goal 0.15.',
  ],
);

function rowOf(name: string, turns: readonly Round[]): Readonly<Record<string, string | number>> {
  const ours = measured.get('scheduler') ?? [];
  const each = (ms: number): number => Number(((ms * 1000) / jobs).toFixed(1));
  const ratio = (of: (turn: Round) => number): number =>
    Number((median(ours.map(of)) / median(turns.map(of))).toFixed(2));
  return {
    contender: name,
    'drained in ms': Math.round(median(turns.map(({ wallMs }) => wallMs))),
    'all rounds': turns.map(({ wallMs }) => Math.round(wallMs)).join(' '),
    'ours / theirs': ratio(({ wallMs }) => wallMs),
    'node µs/job': each(median(turns.map(({ nodeCpuMs }) => nodeCpuMs))),
    'store µs/job': each(median(turns.map(storeCpuMs))),
    'CPU ours / theirs': ratio(cpuMs),
  };
}

function storeCpuMs(turn: Round): number {
  return turn.postgresCpuMs + turn.redisCpuMs;
}

function cpuMs(turn: Round): number {
  return turn.nodeCpuMs + storeCpuMs(turn);
}
