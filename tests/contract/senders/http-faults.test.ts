import { Agent } from 'undici';
import { afterAll, describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/domain/entities/run.ts';
import { HttpSender } from '../../../src/infra/messaging/http-sender.ts';
import { aDelivery, clock, httpTarget, noDeadline } from './deliveries.ts';
import { type Receiver, startRawReceiver, startReceiver } from './receiver.ts';

const dispatcher = new Agent({ allowH2: false });
const sender = new HttpSender({ egress: { checkUrl: () => null, dispatcher }, clock });
afterAll(() => dispatcher.close());

async function send(url: string): Promise<Outcome> {
  return sender.send(aDelivery(httpTarget({ url })), noDeadline());
}

describe('the world misbehaves', () => {
  test('nobody listens: tried again, and the target saw nothing', async () => {
    const receiver = await startReceiver((response) => response.end());
    await receiver[Symbol.asyncDispose]();
    expect(await send(receiver.url)).toEqual({
      kind: 'unanswered',
      attempt: 'NETWORK',
      reason: 'connection refused',
      possibleDuplicate: false,
    });
  });

  test('a reset after the request was sent may be a duplicate', async () => {
    await using receiver = await startRawReceiver((socket) => socket.resetAndDestroy());
    expect(await send(receiver.url)).toMatchObject({ kind: 'unanswered', attempt: 'NETWORK', possibleDuplicate: true });
  });

  test('a success whose body breaks off is no success', async () => {
    await using receiver = await startRawReceiver((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'),
    );
    expect(await send(receiver.url)).toMatchObject({ kind: 'unanswered', attempt: 'NETWORK', possibleDuplicate: true });
  });

  test('an endless success is accepted at 64 KiB and its connection closed', async () => {
    const closed = Promise.withResolvers<void>();
    await using receiver = await startRawReceiver((socket) => {
      socket.on('close', () => closed.resolve());
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
      const pour = (): void => {
        while (!socket.destroyed && socket.write(chunk));
        socket.once('drain', pour);
      };
      pour();
    });
    expect(await send(receiver.url)).toEqual({ kind: 'accepted', attempt: 'ACCEPTED', httpStatus: 200 });
    await closed.promise;
  });

  test.each([
    [
      'headers without end',
      `HTTP/1.1 200 OK\r\n${'x-fill: 0123456789012345678901234567890123456789\r\n'.repeat(2000)}`,
    ],
    ['words that are not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['two content lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
  ])('%s are a network fault', async (_what, bytes) => {
    await using receiver = await startRawReceiver((socket) => socket.write(bytes));
    expect(await send(receiver.url)).toMatchObject({ kind: 'unanswered', attempt: 'NETWORK' });
  });

  test('compressed bytes of a success are not unpacked', async () => {
    await using receiver = await startReceiver((response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip at all'),
    );
    expect(await send(receiver.url)).toEqual({ kind: 'accepted', attempt: 'ACCEPTED', httpStatus: 200 });
  });
});

describe('the signal ends an attempt', () => {
  const timeout = new DOMException('too late', 'TimeoutError');

  /** Sends, with a deadline so long after the request has come. */
  async function sendUntil(receiver: Receiver, ms: number): Promise<Outcome> {
    const controller = new AbortController();
    const sending = sender.send(aDelivery(httpTarget({ url: receiver.url })), controller.signal);
    await receiver.next();
    const deadline = AbortSignal.timeout(ms);
    deadline.addEventListener('abort', () => controller.abort(deadline.reason));
    return sending;
  }

  test('a deadline before an answer: tried again, possibly a duplicate', async () => {
    await using receiver = await startReceiver(() => undefined);
    const controller = new AbortController();
    const sending = sender.send(aDelivery(httpTarget({ url: receiver.url })), controller.signal);
    await receiver.next();
    controller.abort(timeout);
    expect(await sending).toEqual({
      kind: 'unanswered',
      attempt: 'TIMEOUT',
      reason: 'no answer before the deadline',
      possibleDuplicate: true,
    });
  });

  test('a deadline stops a body that drips, and a real timer counts as one', async () => {
    await using receiver = await startReceiver((response) => {
      response.writeHead(200);
      const dripping = setInterval(() => response.write('.'), 5);
      response.on('close', () => clearInterval(dripping));
    });
    const outcome = await sendUntil(receiver, 100);
    expect(outcome).toMatchObject({ kind: 'unanswered', attempt: 'TIMEOUT', possibleDuplicate: true });
  });

  test('a failure whose body never ends keeps its status', async () => {
    await using receiver = await startReceiver((response) => void response.writeHead(410).write('gone'));
    const outcome = await sendUntil(receiver, 1_000);
    expect(outcome).toEqual({
      kind: 'refused',
      attempt: 'HTTP_STATUS',
      httpStatus: 410,
      why: 'GONE',
      reason: 'HTTP 410',
      responseSnippet: 'gone',
    });
  });

  test('any other reason hands the run back', async () => {
    await using receiver = await startReceiver(() => undefined);
    const controller = new AbortController();
    const sending = sender.send(aDelivery(httpTarget({ url: receiver.url })), controller.signal);
    await receiver.next();
    controller.abort(new Error('shutting down'));
    expect(await sending).toEqual({
      kind: 'aborted',
      attempt: 'ABORTED',
      reason: 'stopped before an answer came',
      possibleDuplicate: true,
    });
  });

  test('before the request nothing is sent, and no duplicate is possible', async () => {
    await using receiver = await startReceiver((response) => response.end());
    const outcome = await sender.send(aDelivery(httpTarget({ url: receiver.url })), AbortSignal.abort(timeout));
    expect(outcome).toMatchObject({ kind: 'unanswered', attempt: 'TIMEOUT', possibleDuplicate: false });
    expect(receiver.received).toEqual([]);
  });

  test('while the request waits for a connection: it is never sent later', async () => {
    const narrow = new Agent({ connections: 1, allowH2: false });
    const queued = new HttpSender({ egress: { checkUrl: () => null, dispatcher: narrow }, clock });
    const answers: (() => void)[] = [];
    await using receiver = await startReceiver((response) => void answers.push(() => response.end()));
    const delivery = aDelivery(httpTarget({ url: receiver.url }));
    const first = queued.send(delivery, noDeadline());
    await receiver.next();
    const controller = new AbortController();
    const second = queued.send(delivery, controller.signal);
    controller.abort(timeout);
    expect(await second).toMatchObject({ attempt: 'TIMEOUT', possibleDuplicate: false });
    answers[0]?.();
    expect((await first).kind).toBe('accepted');
    await narrow.close();
    expect(receiver.received).toHaveLength(1);
  });
});
