import fc from 'fast-check';
import type { LightMyRequestResponse } from 'fastify';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { capabilityOf } from '../../src/app/middleware/authorize.ts';
import { type FuzzedRequest, fuzzed, unchanged } from './fuzz-requests.ts';
import { type Operation, operationsOf } from './operations.ts';
import { prepared } from './prepared.ts';
import { TENANT, type TestServer, useServer } from './support.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 20_000);
/** Changed requests for each that is prepared. */
const CHANGED = 39;
/** Requests under way at a time. */
const WIDTH = 8;
/** Operations without a name in their path and without a body have less that can be wrong. */
const SMALL_SHARE = 0.25;
/** HTTP says these of any request; all other answers stand in the document. */
const OF_HTTP = [404, 405, 408, 413, 415, 429, 431];
const CANARY = 'canary-5b1f0c';
/** What an answer of ours never holds: a stack, a statement, a role, a file, a secret. */
const LEAK = new RegExp(
  `${CANARY}|\\bat [^"]+:\\d+:\\d+|node_modules|\\.ts:\\d|(?:insert into|select .{1,80} from|update \\w+ set) |scheduler_(?:api|engine|owner)|PostgresError|ECONNREFUSED`,
);

/** How often each status was answered to one operation. */
type Tally = Record<string, number>;

describe('whatever is sent', () => {
  const server = useServer();

  it(`is done, or refused by a problem document (seed ${SEED})`, { timeout: 600_000 }, async () => {
    const { components } = (await server().request('GET', '/openapi.json')).json();
    const problem = problemSchema(components.schemas);
    await plantCanaries(server());
    const operations = await operationsOf(server());
    const share = REQUESTS / sum(operations.map(weightOf));
    const tallies = new Map<string, Tally>();
    for (const [index, operation] of operations.entries()) {
      const rounds = Math.max(1, Math.ceil((share * weightOf(operation)) / (CHANGED + 1)));
      const arbitrary = fuzzed(operation, components.schemas);
      const changes = fc.sample(arbitrary, { seed: SEED + index, numRuns: rounds * CHANGED });
      const tally: Tally = {};
      tallies.set(operation.operationId, tally);
      for (let round = 0; round < rounds; round += 1) {
        const base = await prepared(server(), operation);
        const changed = changes.slice(round * CHANGED, (round + 1) * CHANGED).map((change) => change(base));
        await inTurns([unchanged(base), ...changed], async (request) => {
          const answer = await send(server(), request);
          tally[answer.statusCode] = (tally[answer.statusCode] ?? 0) + 1;
          const fault = faultOf(operation, request, answer, problem) ?? server().failures[0];
          expect(
            fault,
            `seed ${SEED}: ${shown(request)}\n${answer.statusCode} ${answer.body.slice(0, 500)}`,
          ).toBeUndefined();
        });
      }
    }
    console.log(tableOf(tallies));
    expect([...tallies].filter(([, tally]) => !Object.keys(tally).some((status) => status.startsWith('2')))).toEqual(
      [],
    );
    expect(sum([...tallies.values()].flatMap((tally) => Object.values(tally)))).toBeGreaterThanOrEqual(REQUESTS);
  });
});

/** What is wrong with an answer; undefined when nothing is. */
function faultOf(
  operation: Operation,
  request: FuzzedRequest,
  answer: LightMyRequestResponse,
  problem: z.ZodType,
): string | undefined {
  const { statusCode, body, headers } = answer;
  if (statusCode >= 500) return 'a failure of ours';
  if (body.includes(CANARY)) return 'a secret leaves';
  if (operation.responses[statusCode] === undefined && !OF_HTTP.includes(statusCode))
    return 'a status out of the document';
  if (statusCode < 300) return isTrespass(operation, request) ? "another's object" : undefined;
  if (headers['content-type'] !== 'application/problem+json') return 'no problem document';
  if (!problem.safeParse(answer.json()).success) return 'a problem document that does not fit its schema';
  return LEAK.test(body) ? 'a look inside' : undefined;
}

/** Done for nobody, or on an object of TENANT for another. */
function isTrespass({ operationId, path }: Operation, { as, headers }: FuzzedRequest): boolean {
  if (capabilityOf(operationId) === 'PUBLIC') return false;
  if (as === null || as.roles?.length === 0) return true;
  return path.includes('{id}') && as.tenants?.includes(TENANT) === false && headers['x-tenant-id'] !== TENANT;
}

function problemSchema(schemas: Readonly<Record<string, unknown>>): z.ZodType {
  const text = JSON.stringify(schemas).replaceAll('#/components/schemas/', '#/$defs/');
  return z.fromJSONSchema({ $ref: '#/$defs/Problem', $defs: JSON.parse(text) });
}

/** Values that are written once and never to be seen again. */
async function plantCanaries(server: TestServer): Promise<void> {
  const as = { roles: ['admin'] } as const;
  await server.request('PUT', '/secrets/CANARY', { body: { value: CANARY }, as });
  const http = { url: 'https://example.com/', headers: { Authorization: CANARY, 'X-Key': '{{secret:CANARY}}' } };
  expect(await server.schedule({ target: { kind: 'HTTP', http } })).toBeDefined();
}

function send(server: TestServer, { method, url, headers, body, as }: FuzzedRequest): Promise<LightMyRequestResponse> {
  return server.request(method, url, { headers, as, ...(body !== undefined && { body }) });
}

async function inTurns<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const one = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: WIDTH }, one));
}

function weightOf({ path, requestBody }: Operation): number {
  return requestBody === undefined && !path.includes('{') ? SMALL_SHARE : 1;
}

function shown({ method, url, headers, body, as }: FuzzedRequest): string {
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body.toString() : JSON.stringify(body);
  return `${method} ${url} ${JSON.stringify(headers)} as ${JSON.stringify(as)}: ${text?.slice(0, 1_000)}`;
}

function tableOf(tallies: ReadonlyMap<string, Tally>): string {
  const lines = [...tallies].map(([id, tally]) => `${id.padEnd(24)} ${JSON.stringify(tally)}`);
  return [`requests by operation and status, seed ${SEED}:`, ...lines].join('\n');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
