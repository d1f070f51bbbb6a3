import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, it } from 'vitest';
import { connectPool } from '../../src/infra/db/client.ts';
import { createTestDatabase } from '../support/database.ts';
import { freePort } from '../support/external-services.ts';
import { startNode } from '../support/nodes.ts';
import { until } from '../support/until.ts';

/*
 * Words that must stay where they are kept: planted as a secret, as a header value and as a signing key, then delivered to
 * receivers that echo, hang and fail, with an API that refuses and fails. No sink of the service may hold one of them.
 */

const TENANT = 'tenant-123';
const word = (what: string): string => `canary-${what}-${randomBytes(6).toString('hex')}`;
const SECRET = word('secret');
const ROTATED = word('rotated');
const LITERAL = word('literal');
const BASIC = word('basic');
const PAYLOAD = word('payload');

it('secrets, header values and signing keys are in no log, span, metric, answer or row', async () => {
  await using closing = new AsyncDisposableStack();
  const database = closing.adopt(await createTestDatabase(), (made) => made.drop());
  const received: IncomingMessage['headers'][] = [];
  const answering = (request: IncomingMessage, response: ServerResponse): void => {
    received.push(request.headers);
    echo(request, response);
  };
  const receiver = await listening(closing, answering);
  const spans: string[] = [];
  const collector = await listening(closing, (request, response) => {
    text(request).then((body) => spans.push(body), String);
    response.end('{}');
  });
  const keys = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
  const issuer = await listening(closing, (_request, response) => response.end(JSON.stringify({ keys: [jwk] })));
  const token = await new SignJWT({ sub: 'ada', tenant_id: TENANT, roles: ['admin'] })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setExpirationTime('1h')
    .sign(keys.privateKey);

  const [port, opsPort] = [await freePort(), await freePort()];
  const node = startNode({
    POSTGRES_URL: database.url,
    JWKS_URL: issuer,
    PORT: String(port),
    OPS_PORT: String(opsPort),
    HOST: '127.0.0.1',
    LOG_LEVEL: 'trace',
    HTTP_ALLOW_PRIVATE_NETWORKS: 'true',
    SECRETS_KEY: randomBytes(32).toString('base64'),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  });
  closing.defer(() => node.signal('SIGKILL'));

  const answers: string[] = [];
  const ask = async (method: string, path: string, body?: unknown): Promise<{ status: number; json: Answer }> => {
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const init = { method, headers, ...(body !== undefined && { body: payload }) };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
    const told = await answer.text();
    answers.push(`${[...answer.headers].join('\n')}\n${told}`);
    return { status: answer.status, json: told === '' ? {} : JSON.parse(told) };
  };
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/ready`).then(
      (answer) => answer.ok,
      () => false,
    );
  await until('the service is ready', isReady, 60_000, 50);

  // Planted.
  const signing = String((await ask('POST', '/tenant/signing-keys')).json['key']);
  answers.length = 0;
  expect((await ask('PUT', '/secrets/CANARY', { value: SECRET })).status).toBe(201);
  expect((await ask('PUT', '/secrets/BASIC', { value: btoa(`user:${BASIC}`) })).status).toBe(201);
  const target = (url: string) => ({
    kind: 'HTTP',
    http: {
      url,
      headers: {
        Authorization: `Bearer ${LITERAL}`,
        Cookie: 'session={{secret:CANARY}}; lang=en',
        'X-Basic': 'Basic {{secret:BASIC}}',
      },
    },
  });
  const retry = { maxAttempts: 2, initialDelaySec: 1, maxDelaySec: 1, jitter: 0 };
  const trigger = { type: 'CRON', cron: '0 0 1 1 *' };
  const schedule = (path: string, origin = receiver) => ({
    name: path,
    trigger,
    target: target(origin + path),
    payload: PAYLOAD,
    retry,
    timeoutSec: 1,
  });
  const paths = ['/200', '/400', '/500', '/302', '/410', '/cut', '/html', '/hang', '/reset'];
  const runs = await Promise.all(
    paths.map(async (path) => {
      // An origin for each: where failures of several add up, a breaker puts the rest off for half a minute.
      const origin = await listening(closing, answering);
      const { json } = await ask('POST', '/schedules', schedule(path, origin));
      const id = String(json['id']);
      await ask('PATCH', `/schedules/${id}`, { target: { http: { headers: { 'X-Key': LITERAL } } } });
      return String((await ask('POST', `/schedules/${id}/trigger`, {})).json['id']);
    }),
  );
  await ask('POST', '/schedules/bulk', { items: [{ op: 'CREATE', schedule: schedule('/bulk') }] });

  // Refused, and failed.
  const refused = [
    await ask('PUT', '/secrets/CANARY', { value: `${SECRET}\r\nX-Injected: 1` }),
    await ask('PUT', '/secrets/CANARY', { value: [SECRET] }),
    await ask('PUT', '/secrets/CANARY', `{"value": "${SECRET}`),
    await ask('POST', '/schedules', {
      ...schedule('/200'),
      target: { kind: 'HTTP', http: { url: receiver, headers: { 'X-A': `${LITERAL}\r\n` } } },
    }),
    await ask('POST', '/schedules', { ...schedule('/200'), trigger: { type: 'CRON', cron: 'x' } }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400]);
  const owner = connectPool(database.url, { max: 1, applicationName: 'test' });
  closing.defer(() => owner.end());
  await owner`set role scheduler_owner`;
  await owner`revoke insert on secrets, schedules from scheduler_api`;
  expect((await ask('PUT', '/secrets/OTHER', { value: SECRET })).status).toBe(500);
  expect((await ask('POST', '/schedules', schedule('/200'))).status).toBe(500);
  await owner`grant insert on secrets, schedules to scheduler_api`;

  // Delivered.
  const isOver = async (run: string): Promise<boolean> => {
    const { json } = await ask('GET', `/runs/${run}`);
    return json['state'] === 'SUCCEEDED' || json['state'] === 'DEAD';
  };
  for (const run of runs) await until(`run ${run} has ended`, () => isOver(run), 30_000, 250);
  await ask('PUT', '/secrets/CANARY', { value: ROTATED });
  const all = [
    '/schedules',
    '/runs',
    '/dead-letters',
    '/secrets',
    '/secrets/CANARY',
    '/tenant',
    '/tenant/signing-keys',
    '/audit?limit=200',
    '/health',
    '/nothing',
  ];
  for (const path of all) await ask('GET', path);
  const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  node.signal('SIGTERM');
  expect(await node.gone()).toBe(0);

  // It was all there to be told.
  const sent = received.map((headers) => JSON.stringify(headers)).join('\n');
  for (const canary of [SECRET, LITERAL, btoa(`user:${BASIC}`)]) expect(sent).toContain(canary);
  expect(sent).toContain('webhook-signature');
  expect([
    spans.join('').includes('attempt'),
    node.output().includes('run.settled'),
    metrics.includes('runs_settled'),
  ]).toEqual([true, true, true]);
  expect(answers.join('\n')).toContain('responseSnippet');

  const kept = [SECRET, ROTATED, LITERAL, BASIC, btoa(`user:${BASIC}`), signing, signing.replace('whsec_', '')];
  const sinks = {
    logs: node.output(),
    spans: spans.join('\n'),
    metrics,
    answers: answers.join('\n'),
    rows: await dump(database.url),
  };
  expect(leaksOf(sinks, kept)).toEqual([]);
  const { logs, spans: traced, metrics: counted } = { ...sinks };
  expect(leaksOf({ logs, traced, counted }, [PAYLOAD])).toEqual([]);
  // Sealed texts are for rows alone.
  expect(leaksOf({ logs, traced, counted, answers: sinks.answers }, ['{{sealed:', '"v1.'])).toEqual([]);
});

type Answer = Readonly<Record<string, unknown>>;

/** `sink: what stands around it`, for each canary that is in a sink. */
function leaksOf(sinks: Readonly<Record<string, string>>, canaries: readonly string[]): string[] {
  return Object.entries(sinks).flatMap(([sink, held]) =>
    canaries
      .map((canary) => held.indexOf(canary))
      .filter((at) => at !== -1)
      .map((at) => `${sink}: ${held.slice(Math.max(0, at - 60), at + 60)}`),
  );
}

/** Answers as its path says, always with what was sent. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  const all = JSON.stringify(request.headers);
  switch (request.url) {
    case '/hang':
      response.writeHead(200).write(all);
      return;
    case '/reset':
      response.writeHead(500, { 'content-length': '9999' }).write(all);
      setImmediate(() => response.destroy());
      return;
    case '/cut':
      // The 4,096 bytes that are kept end within the value.
      response.writeHead(500).end(`${' '.repeat(4096 - 10)}${request.headers.authorization?.slice('Bearer '.length)}`);
      return;
    case '/html':
      response.writeHead(400).end(`<p>${request.headers.cookie}</p><p>${encodeURIComponent(all)}</p>`);
      return;
    case '/302':
      response.writeHead(302, { location: `/?${encodeURIComponent(all)}` }).end(all);
      return;
    default:
      response.writeHead(Number(request.url?.slice(1)) || 200, { 'x-echo': encodeURIComponent(all) }).end(all);
  }
}

/** Every row of every table, as text, as an engine sees it. */
async function dump(url: string): Promise<string> {
  const sql = connectPool(url, { role: 'scheduler_engine', max: 1, applicationName: 'test' });
  const tables = await sql<{ name: string }[]>`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and has_table_privilege(oid, 'SELECT')`;
  expect(tables.length).toBeGreaterThan(12);
  const rows: string[] = [];
  for (const { name } of tables) {
    for (const { row } of await sql.unsafe(`select t::text as row from ${name} t`)) rows.push(`${name} ${row}`);
  }
  await sql.end();
  return rows.join('\n');
}

async function listening(
  closing: AsyncDisposableStack,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
