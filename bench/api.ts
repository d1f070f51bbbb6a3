import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { v7 as newId } from 'uuid';
import { openBenchIssuer } from './support/bench-issuer.ts';
import { freePort } from './support/free-port.ts';
import { load, WireClient, type WireRequest } from './support/http-load.ts';
import { treeCpuMs } from './support/process-cpu.ts';
import { recurringTrigger } from './support/schedules.ts';
import { startServers } from './support/servers.ts';
import { median, report } from './support/table.ts';

/*
 * The API with all its walls (signed token, tenant, role, row-level security, audit trail) against a bare server on the same PostgreSQL. Turns
 * alternate; ratios in one run are the result. The bulk comes before the list, which reads what it made.
 */

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
  },
});
const rows = Number(values.rows);
const rounds = Number(values.rounds);
const turn = { connections: 32, ms: Number(values.seconds) * 1000 };
const BULK_ITEMS = 1000;
const BULK_MEASURED = 30;
const BULK_CONNECTIONS = 3;
const DEEP_PAGES = 200;
const READ_IDS = 200;
const target = { kind: 'HTTP', http: { url: 'https://example.com/hooks/bench' } };

await using servers = await startServers();
using issuer = await openBenchIssuer();
const { token } = issuer;
const ours = await start('api-scheduler', servers.postgresUrl);
const bare = await start('api-bare', servers.postgresUrl);
let made = 0;

const get = await compared('GET one', 0.35, 0.6, await oneOf(ours.port), await oneOf(bare.port));
const post = await compared('POST one', 0.4, 0.8, create, create);
const bulk = await bulkRow();
const list = await listRow();
report(
  'api',
  [get, post, bulk, list],
  [
    `${turn.connections} connections, ${turn.ms / 1000} s a turn, median of ${rounds}; bare: Fastify and postgres.js, one table, no token, no tenant, no checks.`,
    `Bulk: ${BULK_ITEMS} distinct CRON and RRULE creates a request, ${BULK_CONNECTIONS} requests at once. List: pages of 50 by cursor over ${made} schedules of one tenant.`,
  ],
);
for (const { child } of [ours, bare]) child.send('close');

async function start(file: string, url: string): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const port = await freePort();
  const environment = {
    BENCH_POSTGRES_URL: url,
    BENCH_JWKS_URL: issuer.jwksUrl,
    BENCH_PORT: String(port),
  };
  const path = fileURLToPath(new URL(`contenders/${file}.ts`, import.meta.url));
  const child = fork(path, [], { env: { ...process.env, ...environment }, execArgv: process.execArgv });
  process.once('exit', () => child.kill('SIGKILL'));
  await once(child, 'message');
  return { port, child };
}

function create(index: number): WireRequest {
  made += 1;
  const body = JSON.stringify({ name: `schedule ${index}`, trigger: recurringTrigger(index), target });
  return { method: 'POST', path: '/schedules', token, body };
}

/** A GET of one of the schedules that were made there just now, each in its turn. */
async function oneOf(port: number): Promise<(index: number) => WireRequest> {
  const maker = await WireClient.open(port);
  const ids: string[] = [];
  while (ids.length < READ_IDS) {
    const { id }: { readonly id: string } = JSON.parse(await maker.send(bareBody(port, create(ids.length))));
    ids.push(id);
  }
  maker.close();
  return (index) => ({ method: 'GET', path: `/schedules/${ids[index % READ_IDS]}`, token });
}

/** A turn of one side: what it answered in a second, and the CPU time of it and of PostgreSQL for one answer. */
async function turnOf(
  side: typeof ours,
  requestOf: (index: number) => WireRequest,
): Promise<{ readonly perSecond: number; readonly cpuUs: number }> {
  const [before, ownMs] = [await servers.usage(), treeCpuMs(side.child.pid ?? 0)];
  const { perSecond } = await load(side.port, (index) => bareBody(side.port, requestOf(index)), turn);
  const usedMs = (await servers.usedSince(before)).postgresCpuMs + treeCpuMs(side.child.pid ?? 0) - ownMs;
  return { perSecond, cpuUs: (usedMs * 1000) / ((perSecond * turn.ms) / 1000) };
}

/** The bare server takes ids from its callers. */
function bareBody(port: number, request: WireRequest): WireRequest {
  if (port !== bare.port || request.body === undefined) return request;
  return { ...request, body: JSON.stringify({ id: newId(), ...JSON.parse(request.body) }) };
}

async function compared(
  row: string,
  must: number,
  goal: number,
  ...[ourRequest, bareRequest]: readonly ((index: number) => WireRequest)[]
): Promise<Readonly<Record<string, string | number>>> {
  if (ourRequest === undefined || bareRequest === undefined) throw new Error('two sides are compared');
  const taken: { readonly mine: Turn; readonly theirs: Turn }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const [mine, theirs] = [await turnOf(ours, ourRequest), await turnOf(bare, bareRequest)];
    console.log(`${row}: ${told(mine)}; bare ${told(theirs)}`);
    if (round > 0) taken.push({ mine, theirs });
  }
  return {
    row,
    ours: Math.round(median(taken.map(({ mine }) => mine.perSecond))),
    peer: Math.round(median(taken.map(({ theirs }) => theirs.perSecond))),
    result: spread(taken.map(({ mine, theirs }) => mine.perSecond / theirs.perSecond)),
    'by CPU': spread(taken.map(({ mine, theirs }) => theirs.cpuUs / mine.cpuUs)),
    must,
    goal,
  };
}

type Turn = Awaited<ReturnType<typeof turnOf>>;

function told({ perSecond, cpuUs }: Turn): string {
  return `${Math.round(perSecond)}/s at ${Math.round(cpuUs)} µs of CPU`;
}

async function bulkRow(): Promise<Readonly<Record<string, string | number>>> {
  const requestOf = (): WireRequest => {
    const items = Array.from({ length: BULK_ITEMS }, () => {
      made += 1;
      return { op: 'CREATE', schedule: { name: `schedule ${made}`, trigger: recurringTrigger(made), target } };
    });
    return { method: 'POST', path: '/schedules/bulk', token, body: JSON.stringify({ items }) };
  };
  const bulkOf = async (count: number): Promise<number> => {
    const requests = Array.from({ length: count }, requestOf);
    const startedAt = performance.now();
    const workers = Array.from({ length: BULK_CONNECTIONS }, async () => {
      const connection = await WireClient.open(ours.port);
      for (let request = requests.pop(); request !== undefined; request = requests.pop()) {
        const { refused }: { readonly refused: number } = JSON.parse(await connection.send(request));
        if (refused > 0) throw new Error(`${refused} items were refused`);
      }
      connection.close();
    });
    await Promise.all(workers);
    return (count * BULK_ITEMS) / ((performance.now() - startedAt) / 1000);
  };
  await bulkOf(BULK_CONNECTIONS);
  const rates: number[] = [];
  for (let round = 1; round <= rounds; round += 1) rates.push(await bulkOf(BULK_MEASURED));
  while (made < rows) await bulkOf(Math.min(BULK_MEASURED, Math.ceil((rows - made) / BULK_ITEMS)));
  return {
    row: 'bulk create',
    ours: Math.round(median(rates)),
    peer: '',
    result: spread(rates),
    must: 10_000,
    goal: 25_000,
  };
}

/** Walks the whole list and times pages of 50 on the way, at any depth alike. */
async function listRow(): Promise<Readonly<Record<string, string | number>>> {
  const client = await WireClient.open(ours.port);
  const every = Math.max(1, Math.floor(made / 200 / DEEP_PAGES));
  const tookMs: number[] = [];
  let cursor: string | null = '';
  for (let page = 0; cursor !== null; page += 1) {
    const at: string = cursor === '' ? '' : `&cursor=${cursor}`;
    if (page % every === 0) {
      const startedAt = performance.now();
      await client.send({ method: 'GET', path: `/schedules?sort=createdAt&limit=50${at}`, token });
      tookMs.push(performance.now() - startedAt);
    }
    const answer = await client.send({ method: 'GET', path: `/schedules?sort=createdAt&limit=200${at}`, token });
    cursor = JSON.parse(answer).nextCursor;
  }
  client.close();
  const tenth = Math.max(1, Math.floor(tookMs.length / 10));
  const [first, last] = [median(tookMs.slice(0, tenth)), median(tookMs.slice(-tenth))];
  const result = `first tenth ${first.toFixed(1)}, last ${last.toFixed(1)} ms`;
  return { row: 'list of 50', ours: Number(median(tookMs).toFixed(2)), peer: '', result, must: 5, goal: 1 };
}

function spread(numbers: readonly number[]): string {
  const digits = median(numbers) < 100 ? 2 : 0;
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return `${median(numbers).toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}
