import { parseArgs } from 'node:util';
import { Contender, type Round } from './support/contender.ts';
import { startReceiver } from './support/receiver.ts';
import { startServers } from './support/servers.ts';
import { median, ratioByRound, report } from './support/table.ts';
import { CONNECTIONS } from './support/webhook-client.ts';

/*
 * POSTs a second to a receiver on this machine: through the product (recurring schedules, history kept), through BullMQ with the same HTTP
 * client, and by that client alone. Contenders take turns; the receiver is this process. A first round warms up and is not counted.
 * `--quick`: 3,000, one round.
 */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const jobs = Number(values.jobs ?? (values.quick ? 3_000 : 20_000));
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));

await using servers = await startServers();
await using receiver = await startReceiver();
const environment = {
  BENCH_POSTGRES_URL: servers.postgresUrl,
  BENCH_REDIS_URL: servers.redisUrl ?? '',
  BENCH_WEBHOOK_URL: receiver.url,
  BENCH_JOBS: String(jobs),
};
const plans = [
  { name: 'scheduler', file: 'scheduler-herd', environment },
  { name: 'undici', file: 'undici', environment },
  { name: 'bullmq', file: 'bullmq', environment },
].filter(({ name }) => name !== 'bullmq' || servers.redisUrl !== null);
const measured = new Map<string, Round[]>(plans.map(({ name }) => [name, []]));
{
  await using running = new AsyncDisposableStack();
  const contenders = await Promise.all(plans.map(async (plan) => running.use(await Contender.start(plan))));
  for (let round = 0; round <= rounds; round += 1) {
    for (const contender of contenders) {
      const before = receiver.arrived;
      const turn = await contender.turn(servers);
      const arrived = receiver.arrived - before;
      // More may: schedules whose own slot comes meanwhile fire too.
      if (arrived < jobs) throw new Error(`${arrived} POSTs of ${contender.name} arrived instead of ${jobs}`);
      console.log(
        `${round === 0 ? 'warm-up' : `round ${round}`} ${contender.name}: ${Math.round(perSecond(turn))} POSTs/s, ${arrived - jobs} beyond them`,
      );
      if (round > 0) measured.get(contender.name)?.push(turn);
    }
  }
}
report(
  'webhook',
  [...measured].map(([name, turns]) => rowOf(name, turns)),
  [
    `${jobs} POSTs without a body, with the same headers, to one receiver, ${CONNECTIONS} connections, ${rounds} rounds. undici: nothing stored. bullmq: one-shot, no history.`,
    'CPU without the receiver’s. Must: ours at least 0.5 × undici and 1.5 × bullmq; goal 0.7 × and 2.5 ×.',
  ],
);

function rowOf(name: string, turns: readonly Round[]): Readonly<Record<string, string | number>> {
  const ours = measured.get('scheduler') ?? [];
  const each = (of: (turn: Round) => number): number => Number(((median(turns.map(of)) * 1000) / jobs).toFixed(1));
  return {
    contender: name,
    'POSTs/s (median)': Math.round(median(turns.map(perSecond))),
    'all rounds': turns.map((turn) => Math.round(perSecond(turn))).join(' '),
    'ours / theirs': ratioByRound(ours, turns, perSecond),
    'node µs/POST': each(({ nodeCpuMs }) => nodeCpuMs),
    'store µs/POST': each((turn) => turn.postgresCpuMs + turn.redisCpuMs),
    'CPU µs/POST': each((turn) => turn.nodeCpuMs + turn.postgresCpuMs + turn.redisCpuMs),
  };
}

function perSecond(turn: Round): number {
  return (turn.jobs / turn.wallMs) * 1000;
}
