import { randomUUID } from 'node:crypto';
import { AckPolicy, type JetStreamManager, type JsMsg, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Target } from '../../../src/domain/entities/target.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import { NatsSender } from '../../../src/infra/messaging/nats-sender.ts';
import { natsUrl } from '../../support/services.ts';
import { accepted, type BrokerSender, senderTo, testBrokerFaults, unreachable } from './broker-faults.ts';
import { aDelivery, aRun, noDeadline } from './deliveries.ts';

const url = (await natsUrl()) ?? '';
const event: Target = { kind: 'EVENT', eventTopic: 'billing.report.due' };
const queue: Target = { kind: 'QUEUE', queue: { topic: 'billing.reports' } };
/** Its own, as the server may be one that others use. */
const namespace = `test-${randomUUID()}`;
const [EVENTS, QUEUE] = [`${namespace.toUpperCase()}_EVENTS`, `${namespace.toUpperCase()}_QUEUE`];

function open(servers: string, journal: Pick<Journal, 'note'>): NatsSender {
  return new NatsSender({ url: servers, namespace, journal });
}

function senderToNats(servers = url): { readonly sender: BrokerSender } {
  return senderTo({ open }, servers);
}

describe.skipIf(url === '')('with JetStream', () => {
  let connection: NatsConnection;
  let manager: JetStreamManager;
  beforeAll(async () => {
    connection = await connect({ servers: url });
    manager = await jetstreamManager(connection);
  });
  const clear = async (): Promise<void> => {
    for (const stream of [EVENTS, QUEUE]) await manager.streams.delete(stream).catch(() => undefined);
  };
  beforeEach(clear);
  afterAll(async () => {
    await clear();
    await connection.close();
  });

  async function messagesOf(stream: string): Promise<JsMsg[]> {
    const { name } = await manager.consumers.add(stream, { ack_policy: AckPolicy.Explicit });
    const consumer = await jetstream(connection).consumers.get(stream, name);
    const messages: JsMsg[] = [];
    for await (const message of await consumer.fetch({ max_messages: 100, expires: 1000 })) {
      messages.push(message);
      message.ack();
      if (message.info.pending === 0) break;
    }
    return messages;
  }

  test('the first message makes bounded streams on disk that drop duplicates for two minutes', async () => {
    expect(await senderToNats().sender.send(aRun(event), noDeadline())).toEqual(accepted);
    const configs = await Promise.all(
      [EVENTS, QUEUE].map(async (stream) => (await manager.streams.info(stream)).config),
    );
    expect(
      configs.map(({ subjects, storage, retention, discard, duplicate_window: window }) => ({
        subjects,
        storage,
        retention,
        discard,
        window,
      })),
    ).toEqual([
      { subjects: [`${namespace}.events.>`], storage: 'file', retention: 'limits', discard: 'old', window: 120e9 },
      { subjects: [`${namespace}.queue.>`], storage: 'file', retention: 'workqueue', discard: 'new', window: 120e9 },
    ]);
    for (const config of configs) expect([config.max_bytes > 0, config.max_age > 0]).toEqual([true, true]);
  });

  test('a stream that an operator has made stays as it is', async () => {
    await manager.streams.add({ name: `${EVENTS}-MINE`, subjects: [`${namespace}.events.>`], max_bytes: 1_000_000 });
    onTestFinished(async () => void (await manager.streams.delete(`${EVENTS}-MINE`)));
    expect(await senderToNats().sender.send(aRun(event), noDeadline())).toEqual(accepted);
    expect((await messagesOf(`${EVENTS}-MINE`)).length).toBe(1);
  });

  test('an event arrives once as a CloudEvent, however often it is delivered', async () => {
    const { sender } = senderToNats();
    const delivery = aRun(event);
    for (const attempt of [1, 2, 3])
      expect(await sender.send({ ...delivery, attempt }, noDeadline())).toEqual(accepted);
    const messages = await messagesOf(EVENTS);
    expect(
      messages.map((message) => [
        message.subject,
        message.headers?.get('Nats-Msg-Id'),
        message.headers?.get('content-type'),
        message.json(),
      ]),
    ).toEqual([
      [
        `${namespace}.events.billing.report.due`,
        delivery.runId,
        'application/cloudevents+json',
        {
          specversion: '1.0',
          id: delivery.runId,
          source: `/tenants/tenant-123/schedules/${delivery.key.scheduleId}`,
          type: 'billing.report.due',
          time: new Date(delivery.key.slot).toISOString(),
          datacontenttype: 'application/json',
          traceparent: expect.any(String),
          data: { report: 'daily' },
        },
      ],
    ]);
  });

  test('a queue message carries the payload, and its run in the headers', async () => {
    const delivery = aRun(queue, { attempt: 2 });
    expect(await senderToNats().sender.send(delivery, noDeadline())).toEqual(accepted);
    const [message] = await messagesOf(QUEUE);
    expect([
      message?.subject,
      message?.json(),
      message?.headers?.get('Nats-Msg-Id'),
      message?.headers?.get('x-scheduler-attempt'),
    ]).toEqual([`${namespace}.queue.billing.reports`, { report: 'daily' }, delivery.runId, '2']);
  });

  test('a stream that goes away is made again', async () => {
    const { sender } = senderToNats();
    expect(await sender.send(aRun(event), noDeadline())).toEqual(accepted);
    await manager.streams.delete(EVENTS);
    expect(await sender.send(aRun(event), noDeadline())).toEqual({
      ...unreachable,
      reason: 'no stream takes the topic',
    });
    expect(await sender.send(aRun(event), noDeadline())).toEqual(accepted);
  });

  test('a full queue says so, and loses nothing', async () => {
    await manager.streams.add({ name: QUEUE, subjects: [`${namespace}.queue.>`], max_msgs: 1, discard: 'new' });
    const { sender } = senderToNats();
    expect(await sender.send(aRun(queue), noDeadline())).toEqual(accepted);
    expect(await sender.send(aRun(queue), noDeadline())).toMatchObject({
      kind: 'unanswered',
      attempt: 'FAILED',
      reason: 'the stream refused it: maximum messages exceeded',
    });
  });

  test('what is larger than the broker takes is refused', async () => {
    const outcome = await senderToNats().sender.send(aRun(queue, { payload: 'x'.repeat(2_000_000) }), noDeadline());
    expect(outcome).toMatchObject({
      kind: 'refused',
      why: 'REFUSED',
      attempt: 'REFUSED',
      reason: expect.stringContaining('max_payload'),
    });
  });
});

describe('NATS that is not there', () => {
  testBrokerFaults({ url, scheme: 'nats', target: event, open, aRun: () => aRun(event) });
});

test('a topic that would be a wildcard is refused without a broker being asked', async () => {
  const outcome = await senderToNats('nats://127.0.0.1:1').sender.send(
    aDelivery({ kind: 'EVENT', eventTopic: 'billing.>' }),
    noDeadline(),
  );
  expect(outcome).toMatchObject({ kind: 'refused', why: 'REFUSED' });
});
