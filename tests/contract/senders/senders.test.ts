import { Agent } from 'undici';
import { describe, expect, test } from 'vitest';
import type { QueueDriver, QueueTarget, Target } from '../../../src/domain/entities/target.ts';
import type { Sender } from '../../../src/domain/ports/sender.ts';
import type { BrokerMessage } from '../../../src/infra/messaging/broker-message.ts';
import { CommandSender } from '../../../src/infra/messaging/command-sender.ts';
import { HttpSender } from '../../../src/infra/messaging/http-sender.ts';
import { InProcessBus } from '../../../src/infra/messaging/in-process-bus.ts';
import { QueueSender, type QueueSenderParts } from '../../../src/infra/messaging/queue-sender.ts';
import { createSenders } from '../../../src/infra/messaging/senders.ts';
import { aDelivery, clock, httpTarget, noDeadline } from './deliveries.ts';

const event: Target = { kind: 'EVENT', eventTopic: 'billing.report.due' };
const queue: Target = { kind: 'QUEUE', queue: { topic: 'billing.reports' } };
const egress = {
  checkUrl: (url: string) => (url.includes('169.254') ? 'the address is link-local' : null),
  dispatcher: new Agent(),
};

function sendersWith(broker: Sender | null): ReturnType<typeof createSenders> {
  return createSenders({
    egress,
    http: new HttpSender({ egress, clock }),
    command: new CommandSender(new Map()),
    event: broker,
    queue: new QueueSender({ drivers: new Map(), usual: null, bus: broker }),
  });
}

describe('which sender serves a target', () => {
  const bus = new InProcessBus(() => undefined);
  test.each([
    ['HTTP', HttpSender],
    ['COMMAND', CommandSender],
    ['EVENT', InProcessBus],
    ['QUEUE', QueueSender],
  ] as const)('%s', (kind, type) => {
    expect(sendersWith(bus).of(kind)).toBeInstanceOf(type);
  });

  test('without a broker an event waits for one, as long as its policy allows', async () => {
    const outcome = await sendersWith(null).of('EVENT').send(aDelivery(event), noDeadline());
    expect(outcome).toEqual({ kind: 'unanswered', attempt: 'NETWORK', reason: 'no broker is configured (NATS_URL)' });
  });

  test("no sender delivers another kind's target", async () => {
    const senders = sendersWith(bus);
    const outcomes = await Promise.all([
      senders.of('HTTP').send(aDelivery(queue), noDeadline()),
      senders.of('COMMAND').send(aDelivery(event), noDeadline()),
      senders.of('EVENT').send(aDelivery(httpTarget({ url: 'http://127.0.0.1' })), noDeadline()),
    ]);
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['refused', 'refused', 'refused']);
  });
});

describe('a target that could never be reached is told at once', () => {
  const bus = new InProcessBus(() => undefined);
  test.each([
    [httpTarget({ url: 'http://169.254.169.254/' }), 'target.http.url', 'the address is link-local'],
    [
      { kind: 'EVENT', eventTopic: 'a.*' } as const,
      'target.eventTopic',
      'a topic holds printable ASCII without spaces, "*" and ">"',
    ],
    [
      { kind: 'EVENT', eventTopic: 'a b' } as const,
      'target.eventTopic',
      'a topic holds printable ASCII without spaces, "*" and ">"',
    ],
    [
      { kind: 'QUEUE', queue: { topic: 'a..b' } } as const,
      'target.queue.topic',
      'a topic has no empty part between its dots',
    ],
    [{ kind: 'QUEUE', queue: { topic: '' } } as const, 'target.queue.topic', 'a topic has 1 to 200 characters'],
  ])('%j', (target, path, message) => {
    expect(() => sendersWith(bus).check(target)).toThrow(
      expect.objectContaining({ code: 'TARGET_NOT_ALLOWED', message, problems: [{ path, message }] }),
    );
  });

  test('events and queues without a broker', () => {
    for (const [target, variables] of [
      [event, 'NATS_URL'],
      [queue, 'NATS_URL, QUEUE_REDIS_URL, AMQP_URL'],
    ] as const) {
      expect(() => sendersWith(null).check(target)).toThrow(
        expect.objectContaining({ code: 'TARGET_NOT_ALLOWED', message: `no broker is configured (${variables})` }),
      );
    }
  });

  test('and the others pass', () => {
    for (const target of [
      event,
      queue,
      httpTarget({ url: 'https://example.com' }),
      { kind: 'COMMAND', command: { name: 'any' } } as const,
    ]) {
      expect(() => sendersWith(bus).check(target)).not.toThrow();
    }
  });
});

describe('a QUEUE target', () => {
  const named = (name: string): Sender => ({
    send: () => ({ kind: 'refused', attempt: 'REFUSED', why: 'REFUSED', reason: name }),
  });
  const drivers = new Map<QueueDriver, Sender>([
    ['NATS', named('nats')],
    ['AMQP', named('amqp')],
  ]);
  const of = (target: Omit<QueueTarget, 'topic'>): QueueTarget => ({ topic: 'billing', ...target });
  const takenBy = async (parts: Partial<QueueSenderParts>, driver?: QueueDriver): Promise<string | undefined> => {
    const sender = new QueueSender({ drivers, usual: 'NATS', bus: null, ...parts });
    const outcome = await sender.send(aDelivery({ kind: 'QUEUE', queue: of({ driver }) }), noDeadline());
    return outcome.kind === 'accepted' ? 'accepted' : outcome.reason;
  };

  test('goes to the broker of the driver it names, else to the deployment’s, else to the bus', async () => {
    expect(await takenBy({}, 'AMQP')).toBe('amqp');
    expect(await takenBy({})).toBe('nats');
    expect(await takenBy({ usual: 'AMQP' })).toBe('amqp');
    expect(await takenBy({ bus: named('bus') }, 'REDIS')).toBe('bus');
    expect(await takenBy({ drivers: new Map(), usual: null, bus: named('bus') })).toBe('bus');
    expect(await takenBy({}, 'REDIS')).toBe('no broker is configured (QUEUE_REDIS_URL)');
  });

  test('whose driver is not there, or does not heed an option, is refused at once', () => {
    const sender = new QueueSender({ drivers, usual: 'NATS', bus: null });
    const problem = (target: Omit<QueueTarget, 'topic'>) => sender.problemOf(of(target));
    expect(problem({ driver: 'AMQP', options: { priority: 1, ttlSec: 60 } })).toBeNull();
    expect(problem({ driver: 'REDIS' })).toEqual({
      field: 'driver',
      message: 'no broker is configured (QUEUE_REDIS_URL)',
    });
    expect(problem({ driver: 'AMQP', options: { jobName: 'a' } })).toEqual({
      field: 'options.jobName',
      message: 'the driver AMQP does not heed it',
    });
    expect(problem({ driver: 'NATS', options: { priority: 1 } })).toEqual({
      field: 'options.priority',
      message: 'the driver NATS does not heed it',
    });
    expect(problem({ options: { priority: 1 } })).toEqual({
      field: 'driver',
      message: 'options are a driver’s: it must be named',
    });
    const redis = new QueueSender({ drivers, usual: 'NATS', bus: named('bus') });
    expect(redis.problemOf({ topic: 'a:b', driver: 'REDIS' })?.field).toBe('topic');
    const usually = new QueueSender({ drivers: new Map([['REDIS', named('redis')]]), usual: 'REDIS', bus: null });
    expect(usually.problemOf({ topic: 'a:b' })?.field).toBe('topic');
  });
});

describe('the bus inside the process', () => {
  test('hands on a CloudEvent of an event and the payload of a queue message', async () => {
    const messages: BrokerMessage[] = [];
    const bus = new InProcessBus((message) => void messages.push(message));
    const delivery = aDelivery(event);
    expect(bus.send(delivery, noDeadline())).toEqual({ kind: 'accepted', attempt: 'ACCEPTED' });
    expect(bus.send(aDelivery(queue), noDeadline())).toEqual({ kind: 'accepted', attempt: 'ACCEPTED' });
    const traceparent = expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    const headers = {
      'x-scheduler-schedule-id': delivery.key.scheduleId,
      'x-scheduler-run-id': delivery.runId,
      'x-scheduler-attempt': '1',
      'x-scheduler-scheduled-for': '2026-03-29T01:00:00.000Z',
      traceparent,
    };
    expect(messages).toEqual([
      {
        id: delivery.runId,
        kind: 'EVENT',
        topic: 'billing.report.due',
        headers: { ...headers, 'content-type': 'application/cloudevents+json' },
        data: {
          specversion: '1.0',
          id: delivery.runId,
          source: `/tenants/tenant-123/schedules/${delivery.key.scheduleId}`,
          type: 'billing.report.due',
          time: '2026-03-29T01:00:00.000Z',
          datacontenttype: 'application/json',
          traceparent,
          data: { report: 'daily' },
        },
        options: {},
      },
      {
        id: delivery.runId,
        kind: 'QUEUE',
        topic: 'billing.reports',
        headers: { ...headers, 'content-type': 'application/json' },
        data: { report: 'daily' },
        options: {},
      },
    ]);
  });

  test('a receiver that throws is tried again', async () => {
    const bus = new InProcessBus(() => {
      throw new Error('full');
    });
    expect(bus.send(aDelivery(queue), noDeadline())).toEqual({
      kind: 'unanswered',
      attempt: 'FAILED',
      reason: 'full',
    });
  });
});
