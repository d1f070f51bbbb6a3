import { parseArgs } from 'node:util';
import { Contender, type Round } from './support/contender.ts';
import { startServers } from './support/servers.ts';
import { median, report } from './support/table.ts';

/*
 * 50,000 recurring schedules due now, no-op target, durable, history kept; against one-shot jobs of the peers, which keep
 * less. Contenders take turns, so that a noisy machine is equally noisy to each. Ratios in one run are the result.
 */

const { values } = parseArgs({
  options: { jobs: { type: 'string', default: '50000' }, rounds: { type: 'string', default: '3' }, peers: { type: 'string', default: 'bullmq,pgboss,graphile' } },
});
const jobs = Number(values.jobs);
const rounds = Number(values.rounds);

await using servers = await startServers();
const environment = {
  BENCH_JOBS: String(jobs),
  BENCH_POSTGRES_URL: servers.postgresUrl,
  BENCH_PEER_POSTGRES_URL: servers.peerPostgresUrl,
  BENCH_REDIS_URL: servers.redisUrl ?? '',
};
const peers = values.peers.split(',').filter((peer) => peer !== '' && (peer !== 'bullmq' || servers.redisUrl !== null));
if (servers.redisUrl === null) console.log('redis-server is not installed: BullMQ is left out');
const contenders = await Promise.all(['scheduler', ...peers].map((name) => Contender.start(name, environment)));
const results = new Map<string, Round[]>(contenders.map((contender) => [contender.name, []]));
for (let round = 0; round < rounds; round += 1) {
  for (const contender of contenders) {
    await contender.prepare();
    const measured = await contender.round();
    results.get(contender.name)?.push(measured);
    console.log(`round ${round + 1} ${contender.name}: ${Math.round((measured.jobs / measured.wallMs) * 1000)} jobs/s`);
  }
}
await Promise.all(contenders.map((contender) => contender.close()));

const ours = rateOf(results.get('scheduler') ?? []);
report(
  'fire',
  [...results].map(([name, measured]) => {
    const rates = measured.map((round) => Math.round((round.jobs / round.wallMs) * 1000));
    const extra = (key: string): number => Math.round(median(measured.map((round) => round.extra?.[key] ?? Number.NaN)));
    return {
      contender: name,
      'jobs/s (median)': Math.round(rateOf(measured)),
      'all rounds': rates.join(' '),
      'ours / theirs': Number((ours / rateOf(measured)).toFixed(2)),
      'node µs/job': Number(median(measured.map((round) => (round.nodeCpuMs * 1000) / round.jobs)).toFixed(1)),
      ...(name === 'scheduler' && { 'postgres µs/fire': extra('postgresUsPerFire'), 'WAL B/fire': extra('walBytesPerFire'), 'run rows': extra('runRows') }),
    };
  }),
  [`${jobs} jobs, ${rounds} rounds. Ours: recurring, next slot computed, run rows kept. Peers: pgboss re-inserts the next job; bullmq and graphile are one-shot and keep no history.`],
);

function rateOf(measured: readonly Round[]): number {
  return median(measured.map((round) => (round.jobs / round.wallMs) * 1000));
}
