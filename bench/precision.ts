import { setTimeout as delay } from 'node:timers/promises';
import { Contender, type Round } from './support/contender.ts';
import { IDLE_MS } from './support/idle-side.ts';
import { startServers, type Usage } from './support/servers.ts';
import { median, percentile, report } from './support/table.ts';

/*
 * How late one slot at a random instant starts on an idle engine, by the clock of the machine that holds both, and what the
 * idle engine costs. Contenders take turns: samples, then a stretch in which nothing happens.
 */

const ROUNDS = 3;

await using servers = await startServers();
const alone = await usedWhileIdle();
await using running = new AsyncDisposableStack();
const environment = { BENCH_POSTGRES_URL: servers.postgresUrl, BENCH_REDIS_URL: servers.redisUrl ?? '' };
const names = servers.redisUrl === null ? ['scheduler'] : ['scheduler', 'bullmq'];
const contenders = await Promise.all(
  names.map(async (name) => running.use(await Contender.start({ name, file: `${name}-idle`, environment }))),
);
const sampled = new Map<string, Round[]>(names.map((name) => [name, []]));
const idle = new Map<string, Round[]>(names.map((name) => [name, []]));
for (let round = 1; round <= ROUNDS; round += 1) {
  for (const kind of [sampled, idle]) {
    for (const contender of contenders) kind.get(contender.name)?.push(await contender.turn(servers));
  }
}
report(
  'precision',
  names.map((name) => rowOf(name, sampled.get(name) ?? [], idle.get(name) ?? [])),
  [
    'Lateness: from the slot to the first line of the command, ms. Idle: per second, over stretches of 10 s, both contenders up.',
    `Store: all processes of PostgreSQL (or Redis); PostgreSQL with nobody connected used ${(alone.postgresCpuMs / (IDLE_MS / 1000)).toFixed(2)} ms/s.`,
    'Transactions: those of our database, by anybody, autovacuum included.',
  ],
);

function rowOf(
  name: string,
  samples: readonly Round[],
  rests: readonly Round[],
): Readonly<Record<string, string | number>> {
  const lateness = samples.flatMap((round) => [round.notes['latenessMs'] ?? []].flat());
  const perSecond = (value: (round: Round) => number): number =>
    Number(median(rests.map((round) => value(round) / (round.wallMs / 1000))).toFixed(2));
  const rounded = (ms: number): number => Number(ms.toFixed(1));
  const isOurs = name === 'scheduler';
  return {
    contender: name,
    samples: lateness.length,
    'p50 ms': rounded(percentile(lateness, 0.5)),
    'p90 ms': rounded(percentile(lateness, 0.9)),
    'p99 ms': rounded(percentile(lateness, 0.99)),
    'max ms': rounded(Math.max(...lateness)),
    'idle node ms/s': perSecond((round) => round.nodeCpuMs),
    'idle store ms/s': perSecond((round) => (isOurs ? round.postgresCpuMs : round.redisCpuMs)),
    'idle transactions/s': isOurs ? perSecond((round) => round.transactions) : 0,
  };
}

async function usedWhileIdle(): Promise<Usage> {
  const before = await servers.usage();
  await delay(IDLE_MS);
  return servers.usedSince(before);
}
