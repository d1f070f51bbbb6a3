import { parseArgs } from 'node:util';
import { createScheduler } from '../src/index.ts';
import { openBenchIssuer } from './support/bench-issuer.ts';
import { freePort } from './support/free-port.ts';
import { load, WireClient, type WireRequest } from './support/http-load.ts';
import { recurringTrigger } from './support/schedules.ts';
import { startServers } from './support/servers.ts';
import { type Parts, sharesOf, THE_REST } from './support/shares.ts';
import { report } from './support/table.ts';
import { wallsInPostgres } from './support/walls-in-postgres.ts';

/*
 * What each wall around a request costs: in the process as its share of a CPU profile of the product under load, in PostgreSQL as the CPU time of
 * one backend with the wall and without. No wall is taken out of the product for it.
 */

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '4' } } });
const turn = { connections: 32, ms: Number(values.seconds) * 1000 };

/** The walls by the code that stands for them, as docs/security.md lists them. */
const WALLS: Parts = {
  'token (verified before)': ['/middleware/authenticate.ts', '/security/token-verifier.ts'],
  'tenant, role, rate': [
    '/middleware/access.ts',
    '/middleware/tenant.ts',
    '/middleware/authorize.ts',
    '/middleware/rate-limit.ts',
    '/services/tenant-policies.ts',
  ],
  'body: JSON that loses nothing': ['/middleware/json-body.ts', '/middleware/json-loss.ts'],
  'schema of the request': ['/middleware/field-problems.ts'],
  'schema and text of the answer': ['/fastify-type-provider-zod/'],
  'headers for browsers': ['/middleware/security-headers.ts'],
  deadlines: ['/db/client.ts#withinDeadline', '/fastify/lib/route.js#onAbort'],
  'transaction and its tenant': ['/repo/drizzle-unit-of-work.ts#enter', '#commit', '/repo/gathering.ts#'],
  'audit trail': ['/repo/drizzle-audit-trail.ts', '/entities/audit.ts', '#recordChange'],
};
const GENERATOR = ['/bench/support/http-load.ts'];
const target = { kind: 'HTTP', http: { url: 'https://example.com/hooks/bench' } };

await using servers = await startServers();
using issuer = await openBenchIssuer();
const { token } = issuer;
const port = await freePort();
{
  await using scheduler = await createScheduler({ environment: environment() });
  await scheduler.start();
  const id = await firstId();
  const get = await measured('GET one', () => ({ method: 'GET', path: `/schedules/${id}`, token }));
  const post = await measured('POST one', create);
  const database = await wallsInPostgres(servers.postgresUrl, id);
  const process = [...Object.keys(WALLS), THE_REST].map((wall) => ({
    wall,
    where: 'process',
    'GET one': get(wall),
    'POST one': post(wall),
  }));
  report('walls', [...process, ...database], [`${turn.connections} connections, ${turn.ms / 1000} s each.`]);
}

function environment(): Readonly<Record<string, string>> {
  return {
    POSTGRES_URL: servers.postgresUrl,
    JWKS_URL: issuer.jwksUrl,
    PORT: String(port),
    HOST: '127.0.0.1',
    ROLES: 'api',
    LOG_LEVEL: 'warn',
  };
}

function create(index: number): WireRequest {
  const body = JSON.stringify({ name: `schedule ${index}`, trigger: recurringTrigger(index), target });
  return { method: 'POST', path: '/schedules', token, body };
}

async function firstId(): Promise<string> {
  const client = await WireClient.open(port);
  const { id }: { readonly id: string } = JSON.parse(await client.send(create(0)));
  client.close();
  return id;
}

/** A turn to warm up, then one that is looked at. Answers what a wall had of it. */
async function measured(name: string, request: (index: number) => WireRequest): Promise<(wall: string) => string> {
  await load(port, request, turn);
  let [requests, usedUs] = [0, 0];
  const shares = await sharesOf(WALLS, GENERATOR, async () => {
    const before = process.cpuUsage();
    const { perSecond } = await load(port, request, turn);
    const { user, system } = process.cpuUsage(before);
    [requests, usedUs] = [(perSecond * turn.ms) / 1000, user + system];
  });
  console.log(
    `${name}: ${Math.round(usedUs / requests)} µs of the process each, its load generator and profile counted`,
  );
  return (wall) => `${((shares.get(wall) ?? 0) * 100).toFixed(1)} %`;
}
