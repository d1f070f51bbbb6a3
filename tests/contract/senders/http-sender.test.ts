import { Webhook } from 'standardwebhooks';
import { Agent } from 'undici';
import { afterAll, describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/domain/entities/run.ts';
import type { HttpTarget } from '../../../src/domain/entities/target.ts';
import { traceIdOf } from '../../../src/domain/ids.ts';
import type { Delivery } from '../../../src/domain/ports/sender.ts';
import { type Egress, HttpSender } from '../../../src/infra/messaging/http-sender.ts';
import { createWebhookSigner } from '../../../src/infra/security/signature.ts';
import { aDelivery, clock, httpTarget, NOW, noDeadline } from './deliveries.ts';
import { type Receiver, startReceiver } from './receiver.ts';

const dispatcher = new Agent({ allowH2: false });
const egress: Egress = { checkUrl: () => null, dispatcher };
const sender = new HttpSender({ egress, clock });
afterAll(() => dispatcher.close());

async function send(
  http: Partial<HttpTarget> & { readonly url: string },
  change: Partial<Delivery> = {},
): Promise<Outcome> {
  return sender.send(aDelivery(httpTarget(http), change), noDeadline());
}

function answering(status: number, headers: Record<string, string | string[]> = {}, body = ''): Promise<Receiver> {
  return startReceiver((response) => response.writeHead(status, headers).end(body));
}

describe('what a target receives', () => {
  test('a POST of the payload with the run in its headers', async () => {
    await using receiver = await answering(204);
    const delivery = aDelivery(httpTarget({ url: `${receiver.url}/hook?a=1` }), { attempt: 3 });
    const outcome = await sender.send(delivery, noDeadline());
    expect(outcome).toEqual({ kind: 'accepted', attempt: 'ACCEPTED', httpStatus: 204 });
    const [request] = receiver.received;
    const { traceparent, host: _host, connection: _connection, ...headers } = request?.headers ?? {};
    expect({ ...request, headers }).toEqual({
      method: 'POST',
      url: '/hook?a=1',
      body: '{"report":"daily"}',
      headers: {
        'content-length': '18',
        'content-type': 'application/json',
        'user-agent': 'scheduler-domain',
        'webhook-id': delivery.runId,
        'webhook-timestamp': String(Math.floor(NOW / 1000)),
        'idempotency-key': delivery.runId,
        'x-scheduler-schedule-id': delivery.key.scheduleId,
        'x-scheduler-run-id': delivery.runId,
        'x-scheduler-attempt': '3',
        'x-scheduler-scheduled-for': '2026-03-29T01:00:00.000Z',
      },
    });
    expect(traceparent).toMatch(new RegExp(`^00-${traceIdOf(delivery.key)}-(?!0{16})[0-9a-f]{16}-00$`));
  });

  test('the traceparent of the attempt where one is recorded', async () => {
    await using receiver = await answering(200);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await send(
      { url: receiver.url },
      { trace: { traceparent, attemptEnded: () => undefined, settled: () => undefined } },
    );
    expect(receiver.received[0]?.headers['traceparent']).toBe(traceparent);
  });

  test('a body of the target stands in for the payload, and its headers replace our defaults', async () => {
    await using receiver = await answering(200);
    const headers = { 'Content-Type': 'text/plain', 'User-Agent': 'mine', 'X-Team': 'billing' };
    await send({ url: receiver.url, method: 'PUT', headers, body: 'plain words' });
    const [request] = receiver.received;
    expect([
      request?.method,
      request?.body,
      request?.headers['content-type'],
      request?.headers['user-agent'],
      request?.headers['x-team'],
    ]).toEqual(['PUT', 'plain words', 'text/plain', 'mine', 'billing']);
  });

  test.each([
    ['GET', { report: 'daily' }, '', undefined],
    ['HEAD', { report: 'daily' }, '', undefined],
    ['DELETE', null, '', undefined],
    ['DELETE', [1], '[1]', '3'],
    ['POST', null, '', '0'],
    ['PATCH', 'text', '"text"', '6'],
  ] as const)('%s with the payload %j has the body %j', async (method, payload, body, length) => {
    await using receiver = await answering(200);
    const outcome = await send({ url: receiver.url, method }, { payload });
    expect(outcome.kind).toBe('accepted');
    expect([receiver.received[0]?.body, receiver.received[0]?.headers['content-length']]).toEqual([body, length]);
  });

  const keys = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'];
  test.each([
    ['at hand', () => keys],
    ['read first', async () => keys],
  ])('a signature for each live key, %s, which the reference verifier accepts', async (_how, signingKeys) => {
    await using receiver = await answering(200);
    const signing = new HttpSender({
      egress,
      clock: { now: () => Date.now() },
      sign: createWebhookSigner(signingKeys),
    });
    await signing.send(aDelivery(httpTarget({ url: receiver.url })), noDeadline());
    const request = await receiver.next();
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    for (const key of keys) expect(new Webhook(key).verify(request.body, headers)).toEqual({ report: 'daily' });
    expect(() => new Webhook('whsec_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').verify(request.body, headers)).toThrow(
      'No matching signature',
    );
  });

  test('no signature for a tenant without keys, and no request while the keys cannot be read', async () => {
    await using receiver = await answering(200);
    const keyless = new HttpSender({ egress, clock, sign: createWebhookSigner(async () => []) });
    expect((await keyless.send(aDelivery(httpTarget({ url: receiver.url })), noDeadline())).kind).toBe('accepted');
    expect(receiver.received[0]?.headers).not.toHaveProperty('webhook-signature');
    const unread = [
      () => Promise.reject(new Error('database down')),
      () => {
        throw new Error('not to be opened');
      },
    ];
    for (const signingKeys of unread) {
      const down = new HttpSender({ egress, clock, sign: createWebhookSigner(signingKeys) });
      expect(await down.send(aDelivery(httpTarget({ url: receiver.url })), noDeadline())).toMatchObject({
        kind: 'unanswered',
        attempt: 'FAILED',
      });
    }
    expect(receiver.received).toHaveLength(1);
  });
});

describe('what an answer means', () => {
  test.each([200, 201, 202, 204, 299])('%i is accepted', async (status) => {
    await using receiver = await answering(status);
    expect(await send({ url: receiver.url })).toEqual({ kind: 'accepted', attempt: 'ACCEPTED', httpStatus: status });
  });

  test.each([408, 425, 429, 500, 502, 503, 599])('%i is tried again', async (status) => {
    await using receiver = await answering(status, {}, 'try\u0000 later');
    expect(await send({ url: receiver.url })).toEqual({
      kind: 'unanswered',
      attempt: 'HTTP_STATUS',
      httpStatus: status,
      reason: `HTTP ${status}`,
      responseSnippet: 'try\ufffd later',
    });
  });

  test.each([
    [400, 'REFUSED'],
    [401, 'REFUSED'],
    [404, 'REFUSED'],
    [410, 'GONE'],
    [301, 'REFUSED'],
    [307, 'REFUSED'],
  ])('%i is final: %s', async (status, why) => {
    await using receiver = await answering(status, { location: 'http://127.0.0.1:1/elsewhere' });
    expect(await send({ url: receiver.url })).toEqual({
      kind: 'refused',
      why,
      attempt: 'HTTP_STATUS',
      httpStatus: status,
      reason: `HTTP ${status}`,
    });
    expect(receiver.received).toHaveLength(1);
  });

  test.each([
    ['120', 120_000],
    [new Date(Math.ceil(NOW / 1000) * 1000 + 60_000).toUTCString(), 60_766],
    [new Date(NOW - 60_000).toUTCString(), 0],
    ['99999999999', 30 * 86_400_000],
    ['soon', undefined],
    ['-5', undefined],
    // Said twice: the first counts.
    [['7', '9'], 7_000],
  ])('Retry-After: %s is %s ms', async (value, retryAfterMs) => {
    await using receiver = await answering(503, { 'retry-after': value });
    expect(await send({ url: receiver.url })).toMatchObject({ kind: 'unanswered', retryAfterMs });
  });

  test('of a long failure 4 KiB are kept, of a compressed one nothing', async () => {
    await using long = await answering(500, {}, 'é'.repeat(100_000));
    expect(await send({ url: long.url })).toMatchObject({ httpStatus: 500, responseSnippet: 'é'.repeat(2048) });
    await using compressed = await answering(500, { 'content-encoding': 'gzip' }, 'not really');
    expect(await send({ url: compressed.url })).not.toMatchObject({ responseSnippet: expect.anything() });
  });
});

describe('requests that cannot be made are refused', () => {
  test.each([
    'Host',
    'Connection',
    'Transfer-Encoding',
    'Content-Length',
    'webhook-id',
    'X-Scheduler-Attempt',
    'Idempotency-Key',
  ])('with the header %s', async (name) => {
    await using receiver = await answering(200);
    expect(await send({ url: receiver.url, headers: { [name]: '1' } })).toMatchObject({
      kind: 'refused',
      why: 'REFUSED',
      attempt: 'REFUSED',
    });
    expect(receiver.received).toEqual([]);
  });

  test.each([{ 'x-a': 'b\r\nx-c: d' }, { 'x a': 'b' }, { 'x-a': 'snow \u2603' }])(
    'with the headers %j',
    async (headers) => {
      await using receiver = await answering(200);
      expect(await send({ url: receiver.url, headers })).toMatchObject({
        kind: 'refused',
        why: 'REFUSED',
        attempt: 'REFUSED',
      });
      expect(receiver.received).toEqual([]);
    },
  );

  test('to a URL that egress denies', async () => {
    const denying = new HttpSender({ egress: { ...egress, checkUrl: () => 'the port is not allowed' }, clock });
    const outcome = await denying.send(aDelivery(httpTarget({ url: 'http://127.0.0.1:22/' })), noDeadline());
    expect(outcome).toEqual({
      kind: 'refused',
      attempt: 'EGRESS_DENIED',
      why: 'EGRESS',
      reason: 'the port is not allowed',
    });
  });
});
