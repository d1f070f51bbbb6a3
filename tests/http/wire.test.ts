import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OTHER_TENANT, scheduleBody, startServer, type TestServer, tokenOf } from './support.ts';

const AUTHORIZATION = `Authorization: Bearer ${tokenOf()}`;

describe('on the wire', () => {
  let server: TestServer;
  /** Waits so little that a busy machine alone may be too slow for it. */
  let hasty: TestServer;
  let port = 0;
  beforeAll(async () => {
    server = await startServer({ limits: { keepAliveTimeoutMs: 200 } });
    hasty = await startServer({ limits: { headersTimeoutMs: 200, requestTimeoutMs: 400, keepAliveTimeoutMs: 200 } });
    for (const { app } of [server, hasty]) await app.listen({ port: 0, host: '127.0.0.1' });
    port = portOf(server);
  });
  afterAll(() => Promise.all([server.close(), hasty.close()]));

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
    const answer = await send(status === '408' ? portOf(hasty) : port, lines);
    expect(answer).toMatchObject({
      status: Number(status),
      type: 'application/problem+json',
      problem: { status: Number(status), traceId: expect.any(String) },
    });
  });

  it.each<[string, readonly string[]]>([
    ['a line feed alone', ['GET /live HTTP/1.1\nHost: a\n\n']],
    ['a folded header', ['GET /live HTTP/1.1', 'Host: a', 'X-A: 1', ' 2', '', '']],
    ['a space before the colon', ['GET /live HTTP/1.1', 'Host: a', 'Transfer-Encoding : chunked', '', '']],
    ['a control character in a header', ['GET /live HTTP/1.1', 'Host: a', 'X-A: \u0001', '', '']],
    ['two hosts', ['GET /live HTTP/1.1', 'Host: a', 'Host: b', '', '']],
    ['no host', ['GET /live HTTP/1.1', '', '']],
    ['two lengths', ['POST /echo HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Content-Length: 2', '', 'ab']],
    ['a length that is none', ['POST /echo HTTP/1.1', 'Host: a', 'Content-Length: +1', '', 'a']],
    ['chunked twice', ['POST /echo HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked, chunked, x', '', '0', '', '']],
    [
      'a chunk of endless size',
      ['POST /echo HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', '', 'f'.repeat(40), ''],
    ],
    ['a URL with a space', ['GET /li ve HTTP/1.1', 'Host: a', '', '']],
    ['another version', ['GET /live HTTP/9.9', 'Host: a', '', '']],
    ['HTTP/2', ['PRI * HTTP/2.0', '', 'SM', '', '']],
    ['TLS', ['\u0016\u0003\u0001\u0002\u0000\u0001']],
  ])('%s is no request, and the connection ends', async (_what, lines) => {
    const answer = await send(port, lines);
    expect(answer).toMatchObject({ status: 400, type: 'application/problem+json', problem: { status: 400 } });
  });

  it('headers that drip in are cut off, however busy they look', async () => {
    const socket = connect(portOf(hasty), '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write('GET /live HTTP/1.1\r\nHost: a\r\n');
    const drip = setInterval(() => socket.write('X-A: b\r\n'), 20);
    const answer = await untilClosed(socket).finally(() => clearInterval(drip));
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
  });

  it('answers to requests sent at once come in their order, each to its own', async () => {
    const { id } = (await server.request('POST', '/schedules', { body: scheduleBody({ name: 'Mine' }) })).json();
    const foreign = `Authorization: Bearer ${tokenOf({ tenants: [OTHER_TENANT] })}`;
    const get = (...more: string[]): string[] => [`GET /schedules/${id} HTTP/1.1`, 'Host: a', ...more, '', ''];
    const requests = Array.from({ length: 20 }, () =>
      [get(AUTHORIZATION), get(foreign), get()].map((one) => one.join('\r\n')),
    );
    const last = ['GET /live HTTP/1.1', 'Host: a', 'Connection: close', '', ''].join('\r\n');
    const answer = await exchange(port, `${requests.flat().join('')}${last}`);
    const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
    expect(statuses).toEqual([...requests.flatMap(() => [200, 404, 401]), 200]);
  });

  it('what follows a refused request on its connection is not read', async () => {
    const smuggled = ['GET /live HTTP/1.1', 'Host: a', '', ''].join('\r\n');
    for (const lines of [
      ['POST /echo HTTP/1.1', 'Host: a', 'Content-Length: 4', 'Transfer-Encoding: chunked', '', `0\r\n\r\n${smuggled}`],
      ['GET /live HTTP/1.1', 'Host: a', 'Content-Length: x', '', smuggled],
    ]) {
      const answer = await exchange(port, lines.join('\r\n'));
      expect([...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status)).toEqual(['400']);
    }
  });

  it('a connection too many is not served', async () => {
    const small = await startServer({ limits: { maxConnections: 2 } });
    await small.app.listen({ port: 0, host: '127.0.0.1' });
    const request = ['GET /live HTTP/1.1', 'Host: a', '', ''].join('\r\n');
    const held = await Promise.all([1, 2].map(() => openConnection(portOf(small), request)));
    expect(await exchange(portOf(small), request)).toBe('');
    held[0]?.destroy();
    await expect.poll(async () => (await exchange(portOf(small), closing(request))).slice(0, 12)).toBe('HTTP/1.1 200');
    held[1]?.destroy();
    await small.close();
  });

  it('what the parser refuses carries the headers that every error carries', async () => {
    const answer = await exchange(port, 'GARBAGE\r\n\r\n');
    expect(answer.toLowerCase()).toContain('\r\nx-content-type-options: nosniff\r\n');
    expect(answer.toLowerCase()).toContain('\r\ncache-control: no-store\r\n');
  });

  it('whatever bytes come, no failure of ours', async () => {
    const lines = ['POST /schedules HTTP/1.1', 'Host: a', 'Content-Type: application/json', 'Content-Length: 2', ''];
    const before = lines.join('\r\n');
    const whole = Buffer.from([`${before}${AUTHORIZATION}`, 'Connection: close', '', '{}'].join('\r\n'));
    // Not within the token, whose reader is a stand-in here.
    const behind = fc.integer({ min: before.length + AUTHORIZATION.length, max: whole.length });
    const change = fc.record({
      at: fc.oneof(fc.nat(before.length), behind),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }),
      isCut: fc.boolean(),
    });
    const seed = Math.floor(Math.random() * 2 ** 31);
    const texts = fc.sample(change, { seed, numRuns: 300 }).map((one) => changed(whole, one));
    for (let from = 0; from < texts.length; from += 50) {
      const answers = await Promise.all(texts.slice(from, from + 50).map((bytes) => exchange(portOf(hasty), bytes)));
      expect(
        answers.filter((answer) => !/^HTTP\/1.1 (2|4)\d\d /.test(answer)),
        `seed ${seed}`,
      ).toEqual([]);
    }
    expect(hasty.failures).toEqual([]);
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
    expect(await send(portOf(hasty), head)).toMatchObject({ status: 408, problem: { code: 'REQUEST_TIMEOUT' } });
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
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
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
  const answer = await exchange(port, lines.join('\r\n'));
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
  const type = /^content-type: (.*)$/im.exec(head)?.[1];
  return {
    status: Number(head.slice(9, 12)),
    type,
    problem: type === 'application/problem+json' ? JSON.parse(body) : undefined,
  };
}

/** Sends the bytes and reads until the server closes. */
async function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(bytes);
  return untilClosed(socket);
}

/** What the server said until the connection closed; what was still on its way to it may have closed it with a reset. */
async function untilClosed(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks).toString();
}

/** A connection that stays open behind its first answer. */
async function openConnection(port: number, request: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(request);
  await once(socket, 'data');
  return socket;
}

function closing(request: string): string {
  return request.replace('Host: a', 'Host: a\r\nConnection: close');
}

function changed(
  whole: Buffer,
  { at, bytes, isCut }: { readonly at: number; readonly bytes: Uint8Array; readonly isCut: boolean },
): Buffer {
  return Buffer.concat([whole.subarray(0, at), bytes, ...(isCut ? [] : [whole.subarray(at + bytes.length)])]);
}

function portOf(server: TestServer): number {
  const address: AddressInfo | string | null = server.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return address.port;
}
