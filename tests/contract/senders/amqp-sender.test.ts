import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Channel, type ChannelModel, connect, type GetMessage } from 'amqplib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { QueueOptions, Target } from '../../../src/domain/entities/target.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import type { Delivery } from '../../../src/domain/ports/sender.ts';
import { AmqpSender } from '../../../src/infra/messaging/amqp-sender.ts';
import { rabbitmqUrl } from '../../support/services.ts';
import {
  accepted,
  type BrokerCase,
  senderTo,
  testBrokenConnection,
  testBrokerFaults,
  testClosing,
  unreachable,
} from './broker-faults.ts';
import { BrokerProxy } from './broker-proxy.ts';
import { aRun, noDeadline } from './deliveries.ts';

const url = (await rabbitmqUrl()) ?? '';
/** Its own, as the server may be one that others use. */
const namespace = `test-${randomUUID()}`;
const topics = new Set<string>();

function open(server: string, journal: Pick<Journal, 'note'>): AmqpSender {
  return new AmqpSender({ url: server, namespace, journal });
}

function aTopic(): string {
  const topic = `billing.${topics.size}`;
  topics.add(topic);
  return topic;
}

function to(topic: string, options?: QueueOptions): Target {
  return { kind: 'QUEUE', queue: { topic, driver: 'AMQP', options } };
}

function aJob(topic: string, options?: QueueOptions): Delivery {
  return aRun(to(topic, options));
}

describe.skipIf(url === '')('with RabbitMQ', () => {
  let connection: ChannelModel;
  let channel: Channel;
  beforeAll(async () => {
    connection = await connect(url);
    channel = await connection.createChannel();
  });
  afterAll(async () => {
    for (const topic of topics) await channel.deleteQueue(`${namespace}.queue.${topic}`);
    await connection.close();
  });

  const sender = () => senderTo({ open }, url).sender;

  async function messageOf(topic: string): Promise<GetMessage> {
    const message = await channel.get(`${namespace}.queue.${topic}`, { noAck: true });
    if (message === false) throw new Error('the queue is empty');
    return message;
  }

  async function countOf(topic: string): Promise<number> {
    return (await channel.checkQueue(`${namespace}.queue.${topic}`)).messageCount;
  }

  test('a message carries the payload and its run, and is kept on disk', async () => {
    const topic = aTopic();
    const delivery = { ...aJob(topic), attempt: 2 };
    expect(await sender().send(delivery, noDeadline())).toEqual(accepted);
    const { content, properties } = await messageOf(topic);
    expect(JSON.parse(content.toString())).toEqual({ report: 'daily' });
    expect(properties).toMatchObject({ messageId: delivery.runId, contentType: 'application/json', deliveryMode: 2 });
    expect(properties.headers).toMatchObject({
      'x-scheduler-run-id': delivery.runId,
      'x-scheduler-schedule-id': delivery.key.scheduleId,
      'x-scheduler-attempt': '2',
      traceparent: expect.any(String),
    });
  });

  test('a queue that is made is durable, bounded, and full rather than forgetful', async () => {
    const topic = aTopic();
    expect(await sender().send(aJob(topic), noDeadline())).toEqual(accepted);
    // To ask for a queue of another form than it has is refused.
    const form = {
      durable: true,
      messageTtl: 604_800_000,
      overflow: 'reject-publish',
      maxPriority: 10,
      arguments: { 'x-max-length-bytes': 536_870_912 },
    };
    const asked = await connection.createChannel();
    expect((await asked.assertQueue(`${namespace}.queue.${topic}`, form)).messageCount).toBe(1);
    await asked.close();
  });

  test('the highest priority comes first, and a time to live is the message’s', async () => {
    const topic = aTopic();
    const to = sender();
    for (const priority of [1, 9, 5]) await to.send(aJob(topic, { priority, ttlSec: 3600 }), noDeadline());
    const messages = [await messageOf(topic), await messageOf(topic), await messageOf(topic)];
    expect(messages.map(({ properties }) => [properties.priority, properties.expiration])).toEqual([
      [9, '3600000'],
      [5, '3600000'],
      [1, '3600000'],
    ]);
  });

  test('a queue that an operator has made stays as it is; full, it says so and loses nothing', async () => {
    const topic = aTopic();
    await channel.assertQueue(`${namespace}.queue.${topic}`, {
      durable: true,
      maxLength: 1,
      overflow: 'reject-publish',
    });
    const to = sender();
    expect(await to.send(aJob(topic), noDeadline())).toEqual(accepted);
    expect(await to.send(aJob(topic), noDeadline())).toEqual({
      kind: 'unanswered',
      attempt: 'FAILED',
      reason: 'the queue refused it: it may be full',
      possibleDuplicate: false,
    });
    expect(await countOf(topic)).toBe(1);
  });

  test('a hundred at once to a queue that is not there all arrive, and so does one after it was deleted', async () => {
    const topic = aTopic();
    const to = sender();
    const sent = await Promise.all(Array.from({ length: 100 }, () => to.send(aJob(topic), noDeadline())));
    expect(new Set(sent.map(({ kind }) => kind))).toEqual(new Set(['accepted']));
    expect(await countOf(topic)).toBe(100);
    await channel.deleteQueue(`${namespace}.queue.${topic}`);
    expect(await to.send(aJob(topic), noDeadline())).toEqual(accepted);
    expect(await countOf(topic)).toBe(1);
  });

  test('a queue that may not be made is told by its code, without the broker’s words', async () => {
    const reserved = new AmqpSender({ url, namespace: 'amq', journal: { note: () => undefined } });
    const other = aTopic();
    const outcome = await reserved.send(aJob('reserved'), noDeadline());
    expect(outcome).toMatchObject({ attempt: 'FAILED', reason: 'no queue takes the topic (403)' });
    await reserved.close();
    expect(await sender().send(aJob(other), noDeadline())).toEqual(accepted);
  });

  test('a message that is not confirmed may have arrived', async () => {
    const proxy = await BrokerProxy.start(url);
    const hasty = new AmqpSender({ url: proxy.url, namespace, journal: { note: () => undefined }, confirmMs: 50 });
    onTestFinished(() => hasty.close());
    const topic = aTopic();
    await expect.poll(() => hasty.send(aJob(topic), noDeadline())).toEqual(accepted);
    proxy.mute();
    expect(await hasty.send(aJob(topic), noDeadline())).toEqual({
      kind: 'unanswered',
      attempt: 'NETWORK',
      reason: 'the broker did not confirm',
      possibleDuplicate: true,
    });
  });

  test('a broker without room is left alone until it has some', async () => {
    const proxy = await BrokerProxy.start(url);
    const { sender: to, notes } = senderTo({ open }, proxy.url);
    const topic = aTopic();
    expect(await to.send(aJob(topic), noDeadline())).toEqual(accepted);
    proxy.inject(connectionFrame(60, [3, ...Buffer.from('low')]));
    await expect.poll(() => notes.at(-1)).toBe('broker.blocked');
    expect(await to.send(aJob(topic), noDeadline())).toEqual(unreachable);
    proxy.inject(connectionFrame(61));
    await expect.poll(() => notes.at(-1)).toBe('broker.unblocked');
    expect(await to.send(aJob(topic), noDeadline())).toEqual(accepted);
  });

  test('a broker that ends the connection while it is made is called anew', async () => {
    const proxy = await BrokerProxy.start(url);
    const { sender: to } = senderTo({ open }, proxy.url);
    const confirmSelectOk = Buffer.from([0, 85, 0, 11]);
    proxy.answer(confirmSelectOk, connectionFrame(50, [1, 64, 0, 0, 0, 0, 0]));
    const topic = aTopic();
    expect(await to.send(aJob(topic), noDeadline())).toEqual(unreachable);
    await expect.poll(() => to.send(aJob(topic), noDeadline())).toEqual(accepted);
    expect(proxy.connections).toBe(2);
  });

  test('why a connection was lost is told by its code', async () => {
    const proxy = await BrokerProxy.start(url);
    const reasons: unknown[] = [];
    const note = (event: string, fields: object): void =>
      void reasons.push([event, 'reason' in fields && fields.reason]);
    const told = new AmqpSender({ url: proxy.url, namespace, journal: { note } });
    onTestFinished(() => told.close());
    expect(await told.send(aJob(aTopic()), noDeadline())).toEqual(accepted);
    proxy.inject(connectionFrame(50, [1, 64, 0, 0, 0, 0, 0]));
    await expect.poll(() => reasons.length).toBe(2);
    expect(reasons).toEqual([
      ['broker.connected', false],
      ['broker.disconnected', '320'],
    ]);
  });

  test('closed while the broker is silent, it keeps no process alive', async () => {
    const proxy = await BrokerProxy.start(url);
    const topic = aTopic();
    const { key, payload } = aJob(topic);
    const program = `
      import { AmqpConnector } from '${new URL('../../../src/infra/messaging/amqp-connection.ts', import.meta.url).href}';
      const connector = new AmqpConnector({ url: '${proxy.url}', journal: { note: () => undefined }, confirmMs: 5000 });
      const client = await connector.client();
      await client.declare('${namespace}.queue.${topic}', { durable: true });
      const content = Buffer.from('${JSON.stringify(payload)}');
      console.log(await client.publish({ id: '${key.slot}', queue: '${namespace}.queue.${topic}', content, options: {} }));
      process.stdin.once('data', async () => {
        process.stdin.destroy();
        await connector.close();
        console.log('closed');
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const lines = child.stdout.setEncoding('utf8')[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('true\n');
    proxy.mute();
    child.stdin.write('close');
    expect((await lines.next()).value).toBe('closed\n');
    // A connection that is left has heartbeats every five seconds, for half a minute.
    const heartbeat = sleep(4_000, 'alive', { ref: false });
    expect(await Promise.race([exited, heartbeat])).toEqual([0, null]);
  });

  test('a broker that ends each connection at its first message is not called without a pause', async () => {
    const proxy = await BrokerProxy.start(url);
    const { sender: to } = senderTo({ open }, proxy.url);
    const topic = aTopic();
    proxy.cutAt('x-scheduler-run-id');
    const outcomes: unknown[] = [];
    for (let index = 0; index < 20; index += 1) outcomes.push(await to.send(aJob(topic), noDeadline()));
    expect(outcomes[0]).toMatchObject({ reason: 'the broker went away', possibleDuplicate: true });
    expect(outcomes[1]).toEqual(unreachable);
    expect(proxy.connections).toBeLessThan(20);
  });
});

/** A method of the class `connection`, as a broker sends it: `close` is 50, `blocked` 60, `unblocked` 61. */
function connectionFrame(method: number, fields: readonly number[] = []): Buffer {
  const payload = [0, 10, 0, method, ...fields];
  return Buffer.from([1, 0, 0, 0, 0, 0, payload.length, ...payload, 0xce]);
}

describe('RabbitMQ that is not there', () => {
  const topic = aTopic();
  const broker: BrokerCase = { url, scheme: 'amqp', target: to(topic), open, aRun: () => aJob(topic) };
  testBrokerFaults(broker);
  testBrokenConnection(broker);
  testClosing(broker);
});
