import { expect, onTestFinished, test } from 'vitest';
import type { Outcome } from '../../../src/domain/entities/run.ts';
import type { Target } from '../../../src/domain/entities/target.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import type { Delivery, StopSignal } from '../../../src/domain/ports/sender.ts';
import { BrokerProxy } from './broker-proxy.ts';
import { aDelivery, noDeadline } from './deliveries.ts';
import { startRawReceiver } from './receiver.ts';

export const accepted = { kind: 'accepted', attempt: 'ACCEPTED' };
export const unreachable = {
  kind: 'unanswered',
  attempt: 'NETWORK',
  reason: 'the broker cannot be reached',
  possibleDuplicate: false,
};

export interface BrokerSender {
  send(delivery: Delivery, signal: StopSignal): Promise<Outcome>;
  close(): Promise<void>;
}

export interface BrokerCase {
  /** Its URL; empty where there is none. */
  readonly url: string;
  readonly scheme: 'nats' | 'redis' | 'amqp';
  readonly target: Target;
  open(url: string, journal: Pick<Journal, 'note'>): BrokerSender;
  /** A run of its own. */
  aRun(): Delivery;
}

/** A sender that ends with the test, and what it noted. */
export function senderTo(
  { open }: Pick<BrokerCase, 'open'>,
  url: string,
): { readonly sender: BrokerSender; readonly notes: string[] } {
  const notes: string[] = [];
  const sender = open(url, { note: (note) => void notes.push(note) });
  onTestFinished(() => sender.close());
  return { sender, notes };
}

/** A broken connection ends what is on its way at once; NATS keeps it for a confirmation that may come over the next one. */
export function testBrokenConnection(broker: BrokerCase): void {
  const { url, aRun } = broker;

  test.skipIf(url === '')('a connection that breaks in the middle says that the message may have arrived', async () => {
    const proxy = await BrokerProxy.start(url);
    const { sender } = senderTo(broker, proxy.url);
    expect(await sender.send(aRun(), noDeadline())).toEqual(accepted);
    proxy.mute();
    const sending = sender.send(aRun(), noDeadline());
    await proxy.stop();
    expect(await sending).toMatchObject({ kind: 'unanswered', attempt: 'NETWORK', possibleDuplicate: true });
  });
}

/** How a sender ends, whatever its broker does. */
export function testClosing(broker: BrokerCase): void {
  const { url, scheme, target, open, aRun } = broker;

  test.skipIf(url === '')('closed while the broker is silent, it leaves no connection', async () => {
    const proxy = await BrokerProxy.start(url);
    const { sender } = senderTo(broker, proxy.url);
    expect(await sender.send(aRun(), noDeadline())).toEqual(accepted);
    proxy.mute();
    await sender.close();
    await expect.poll(() => proxy.open).toBe(0);
  });

  test('closed while it connects, it ends what waits', async () => {
    await using server = await startRawReceiver(() => undefined);
    const sender = open(`${scheme}://127.0.0.1:${server.port}`, { note: () => undefined });
    const sending = sender.send(aDelivery(target), noDeadline());
    await sender.close();
    expect(await sending).toEqual(unreachable);
  });
}

/** What a sender makes of a broker that is not there, goes, or falls silent; the same for each. */
export function testBrokerFaults(broker: BrokerCase): void {
  testComingAndGoing(broker);
  testSilence(broker);
  testNobodyThere(broker);
}

function testComingAndGoing(broker: BrokerCase): void {
  const { url, aRun } = broker;

  test.skipIf(url === '')('a broker that comes late, goes and comes back is used again without a restart', async () => {
    const proxy = await BrokerProxy.start(url);
    await proxy.stop();
    const { sender, notes } = senderTo(broker, proxy.url);
    expect(await sender.send(aRun(), noDeadline())).toEqual(unreachable);
    expect(await sender.send(aRun(), noDeadline())).toEqual(unreachable);
    await proxy.start();
    await expect.poll(() => sender.send(aRun(), noDeadline())).toEqual(accepted);
    await proxy.stop();
    const before = ['broker.unreachable', 'broker.connected', 'broker.disconnected'];
    await expect.poll(() => notes).toEqual(before);
    expect(await sender.send(aRun(), noDeadline())).toEqual(unreachable);
    await proxy.start();
    await expect.poll(() => sender.send(aRun(), noDeadline())).toEqual(accepted);
    expect(notes).toEqual([...before, 'broker.connected']);
  });
}

function testSilence(broker: BrokerCase): void {
  const { url, aRun } = broker;

  test.skipIf(url === '')('a connection that falls silent ends at the deadline as a possible duplicate', async () => {
    const proxy = await BrokerProxy.start(url);
    const { sender } = senderTo(broker, proxy.url);
    expect(await sender.send(aRun(), noDeadline())).toEqual(accepted);
    proxy.mute();
    expect(await sender.send(aRun(), AbortSignal.timeout(100))).toEqual({
      kind: 'unanswered',
      attempt: 'TIMEOUT',
      reason: 'no answer before the deadline',
      possibleDuplicate: true,
    });
  });
}

function testNobodyThere(broker: BrokerCase): void {
  const { scheme, target } = broker;

  test('nobody listens: tried again at once, without waiting for a connection', async () => {
    const server = await startRawReceiver(() => undefined);
    await server[Symbol.asyncDispose]();
    const { sender } = senderTo(broker, `${scheme}://127.0.0.1:${server.port}`);
    expect(await sender.send(aDelivery(target), noDeadline())).toEqual(unreachable);
  });

  test('a server that never greets: the attempt ends with its signal', async () => {
    await using server = await startRawReceiver(() => undefined);
    const { sender } = senderTo(broker, `${scheme}://127.0.0.1:${server.port}`);
    expect(await sender.send(aDelivery(target), AbortSignal.timeout(50))).toMatchObject({
      kind: 'unanswered',
      attempt: 'TIMEOUT',
      possibleDuplicate: false,
    });
  });
}
