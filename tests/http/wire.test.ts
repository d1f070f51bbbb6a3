import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scheduleBody, startServer, type TestServer, tokenOf } from './support.ts';

const AUTHORIZATION = `Authorization: Bearer ${tokenOf()}`;

describe('on the wire', () => {
  let server: TestServer;
  let port = 0;
  beforeAll(async () => {
    server = await startServer({ limits: { headersTimeoutMs: 200, requestTimeoutMs: 400 } });
    await server.app.listen({ port: 0, host: '127.0.0.1' });
    port = portOf(server);
  });
  afterAll(() => server.close());

  it('two Authorization headers are refused', async () => {
    const answer = await send(port, [
      'GET /schedules HTTP/1.1',
      'Host: a',
      AUTHORIZATION,
      AUTHORIZATION,
      'Connection: close',
      '',
      '',
    ]);
    expect(answer).toMatchObject({
      status: 401,
      problem: { code: 'UNAUTHENTICATED', detail: 'more than one Authorization header was sent' },
    });
    const once = await send(port, ['GET /schedules HTTP/1.1', 'Host: a', AUTHORIZATION, 'Connection: close', '', '']);
    expect(once.status).toBe(200);
  });

  it.each([
    ['400', ['GARBAGE', '', '']],
    ['400', ['GET / HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Transfer-Encoding: chunked', '', '']],
    ['431', ['GET / HTTP/1.1', 'Host: a', `X-Long: ${'x'.repeat(20_000)}`, '', '']],
    ['408', ['GET / HTTP/1.1', 'Host: a', '']],
    ['405', ['TRACE /schedules HTTP/1.1', 'Host: a', 'Connection: close', '', '']],
    ['404', ['PROPFIND /schedules HTTP/1.1', 'Host: a', 'Connection: close', '', '']],
  ])('%s is a problem document too', async (status, lines) => {
    const answer = await send(port, lines);
    expect(answer).toMatchObject({
      status: Number(status),
      type: 'application/problem+json',
      problem: { status: Number(status), traceId: expect.any(String) },
    });
  });

  it('a body that never ends arriving is refused', async () => {
    const head = [
      'POST /schedules HTTP/1.1',
      'Host: a',
      AUTHORIZATION,
      'Content-Type: application/json',
      'Content-Length: 100',
      '',
      '{',
    ];
    expect(await send(port, head)).toMatchObject({ status: 408, problem: { code: 'REQUEST_TIMEOUT' } });
  });

  it('a chunked body is bounded as any other', async () => {
    const chunk = 'x'.repeat(64 * 1024);
    const chunks = Array.from({ length: 17 }, () => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
    const head = [
      'POST /schedules HTTP/1.1',
      'Host: a',
      AUTHORIZATION,
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
      'Connection: close',
      '',
      '',
    ];
    expect(await send(port, [...head.slice(0, -1), `${chunks}0\r\n\r\n`])).toMatchObject({
      status: 413,
      problem: { code: 'PAYLOAD_TOO_LARGE' },
    });
  });

  it('HEAD answers as GET without a body', async () => {
    const { id } = (await server.request('POST', '/schedules', { body: scheduleBody() })).json();
    const answer = await fetch(`http://127.0.0.1:${port}/schedules/${id}`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${tokenOf()}` },
    });
    expect([answer.status, answer.headers.get('etag'), await answer.text()]).toEqual([200, '"1"', '']);
    expect((await fetch(`http://127.0.0.1:${port}/schedules`, { method: 'HEAD' })).status).toBe(401);
  });

  it('pages of other origins may not read answers unless they are allowed', async () => {
    const open = await startServer({ corsOrigins: ['https://ui.example.com'] });
    const headers = {
      origin: 'https://ui.example.com',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    const preflight = await open.request('OPTIONS', '/schedules', { as: null, headers });
    const allowed = await open.request('GET', '/schedules', { headers: { origin: 'https://ui.example.com' } });
    const other = await open.request('GET', '/schedules', { headers: { origin: 'https://evil.example.com' } });
    const closed = await server.request('GET', '/schedules', { headers: { origin: 'https://ui.example.com' } });
    await open.close();
    expect([preflight.statusCode, preflight.headers['access-control-allow-origin']]).toEqual([
      204,
      'https://ui.example.com',
    ]);
    expect([allowed, other, closed].map((answer) => answer.headers['access-control-allow-origin'])).toEqual([
      'https://ui.example.com',
      undefined,
      undefined,
    ]);
  });

  it('answers carry the headers that keep browsers out of trouble', async () => {
    const { headers } = await server.request('GET', '/schedules');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'cache-control': 'no-store',
    });
    expect(headers['x-powered-by']).toBeUndefined();
  });
});

interface WireAnswer {
  readonly status: number;
  readonly type: string | undefined;
  readonly problem: unknown;
}

/** Sends the lines as they are and reads until the server closes. */
async function send(port: number, lines: readonly string[]): Promise<WireAnswer> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.write(lines.join('\r\n'));
  const answer = await text(socket);
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
  const type = /^content-type: (.*)$/im.exec(head)?.[1];
  return {
    status: Number(head.slice(9, 12)),
    type,
    problem: type === 'application/problem+json' ? JSON.parse(body) : undefined,
  };
}

function portOf(server: TestServer): number {
  const address: AddressInfo | string | null = server.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return address.port;
}
