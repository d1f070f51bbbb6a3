import { parseArgs } from 'node:util';
import { Contender, type ContenderPlan, type Round } from './support/contender.ts';
import { startServers } from './support/servers.ts';
import { median, ratioByRound, report } from './support/table.ts';

/*
 * Recurring schedules due now, no-op target, durable, history kept; against jobs of the peers, most of which keep less.
 * Contenders take turns, so that a noisy machine is equally noisy to each. Ratios in one run are the result. A first round
 * of each warms up and is not counted.
 */

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '50000' },
    rounds: { type: 'string', default: '3' },
    peers: { type: 'string', default: 'bullmq,pgboss,graphile,graphile-readd' },
  },
});
const jobs = Number(values.jobs);
const rounds = Number(values.rounds);
/** Re-adding is so slow that more jobs would only take longer. */
const READD_JOBS = Math.min(jobs, 3000);

await using servers = await startServers();
if (servers.redisUrl === null) console.log('redis-server is not installed: BullMQ is left out');
await using running = new AsyncDisposableStack();
const contenders = await Promise.all(plans().map(async (plan) => running.use(await Contender.start(plan))));
const results = new Map<string, Round[]>(contenders.map((contender) => [contender.name, []]));
for (let round = 0; round <= rounds; round += 1) {
  for (const contender of contenders) {
    const measured = await contender.turn(servers);
    console.log(
      `${round === 0 ? 'warm-up' : `round ${round}`} ${contender.name}: ${Math.round(rateOf(measured))} jobs/s ${JSON.stringify(measured.notes)}`,
    );
    if (round > 0) results.get(contender.name)?.push(measured);
  }
}
const ours = results.get('scheduler') ?? [];
report(
  'fire',
  [...results].map(([name, measured]) => rowOf(name, measured)),
  [
    `${jobs} jobs (graphile-readd: ${READD_JOBS}), ${rounds} rounds. scheduler: recurring, next slot computed, overlap looked up, run rows kept and counted.`,
    'bullmq, graphile: one-shot, no history. pgboss: inserts its next job again, completed rows kept. graphile-readd: adds its next job, no history.',
    `${Number(results.get('scheduler')?.[0]?.notes['createdPerSecond'])} schedules/s created one by one through the service. Store: PostgreSQL or Redis.`,
  ],
);

function plans(): readonly ContenderPlan[] {
  const shared = {
    BENCH_POSTGRES_URL: servers.postgresUrl,
    BENCH_PEER_POSTGRES_URL: servers.peerPostgresUrl,
    BENCH_REDIS_URL: servers.redisUrl ?? '',
  };
  const peers = values.peers
    .split(',')
    .filter((peer) => peer !== '' && (peer !== 'bullmq' || servers.redisUrl !== null));
  return ['scheduler', ...peers].map((name) => {
    const isReadding = name === 'graphile-readd';
    const environment = {
      ...shared,
      BENCH_JOBS: String(isReadding ? READD_JOBS : jobs),
      BENCH_READD: String(isReadding),
    };
    return { name, file: isReadding ? 'graphile' : name, environment };
  });
}

function rowOf(name: string, measured: readonly Round[]): Readonly<Record<string, string | number>> {
  const each = (value: (round: Round) => number): number =>
    Number(median(measured.map((round) => value(round) / round.jobs)).toFixed(1));
  return {
    contender: name,
    'jobs/s (median)': Math.round(median(measured.map(rateOf))),
    'all rounds': measured.map((round) => Math.round(rateOf(round))).join(' '),
    'ours / theirs': ratioByRound(ours, measured, rateOf),
    'node µs/job': each((round) => round.nodeCpuMs * 1000),
    'store µs/job': each((round) => storeCpuMs(round) * 1000),
    'CPU µs/job': each((round) => (round.nodeCpuMs + storeCpuMs(round)) * 1000),
    'WAL B/job': name === 'bullmq' ? 0 : Math.round(each((round) => round.walBytes)),
    'run rows': median(measured.map((round) => Number(round.notes['runRows'] ?? 0))),
  };
}

function rateOf(round: Round): number {
  return (round.jobs / round.wallMs) * 1000;
}

function storeCpuMs(round: Round): number {
  return round.postgresCpuMs + round.redisCpuMs;
}
