import { randomUUID } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { Redis, ReplyError } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { QueueOptions, Target } from '../../../src/domain/entities/target.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import type { Delivery } from '../../../src/domain/ports/sender.ts';
import { RedisQueueSender } from '../../../src/infra/messaging/redis-queue-sender.ts';
import { redisUrl } from '../../support/services.ts';
import {
  accepted,
  type BrokerCase,
  senderTo,
  testBrokenConnection,
  testBrokerFaults,
  testClosing,
} from './broker-faults.ts';
import { BrokerProxy } from './broker-proxy.ts';
import { aRun, noDeadline } from './deliveries.ts';

const url = (await redisUrl()) ?? '';
/** Its own, as the server may be one that others use. */
const namespace = `test-${randomUUID()}`;
let topics = 0;

function open(server: string, journal: Pick<Journal, 'note'>): RedisQueueSender {
  return new RedisQueueSender({ url: server, namespace, journal });
}

function aTopic(): string {
  topics += 1;
  return `billing.${topics}`;
}

function to(topic: string, options?: QueueOptions): Target {
  return { kind: 'QUEUE', queue: { topic, driver: 'REDIS', options } };
}

function aJob(topic: string, options?: QueueOptions): Delivery {
  return aRun(to(topic, options));
}

describe.skipIf(url === '')('with Redis', () => {
  let redis: Redis;
  beforeAll(() => {
    redis = new Redis(url, { maxRetriesPerRequest: null });
  });
  afterAll(async () => {
    const keys = await redis.keys(`${namespace}.queue:*`);
    if (keys.length > 0) await redis.del(keys);
    redis.disconnect();
  });

  const sender = () => senderTo({ open }, url).sender;

  function queueOf(topic: string): Queue {
    const queue = new Queue(topic, { connection: redis, prefix: `${namespace}.queue` });
    onTestFinished(() => queue.close());
    return queue;
  }

  test('a job carries the payload and its run, and is there once, however often it is delivered', async () => {
    const topic = aTopic();
    const delivery = aJob(topic);
    const to = sender();
    for (const attempt of [1, 2, 3]) expect(await to.send({ ...delivery, attempt }, noDeadline())).toEqual(accepted);
    const jobs = await queueOf(topic).getWaiting();
    expect(jobs.map(({ id, name, data }) => ({ id, name, data }))).toEqual([
      {
        id: delivery.runId,
        name: topic,
        data: {
          payload: { report: 'daily' },
          headers: expect.objectContaining({
            'x-scheduler-run-id': delivery.runId,
            'x-scheduler-schedule-id': delivery.key.scheduleId,
            'x-scheduler-attempt': '1',
            traceparent: expect.any(String),
          }),
        },
      },
    ]);
  });

  test('a worker of BullMQ gets it', async () => {
    const topic = aTopic();
    const delivery = aJob(topic);
    await sender().send(delivery, noDeadline());
    const connection = new Redis(url, { maxRetriesPerRequest: null });
    const worked = Promise.withResolvers<string | undefined>();
    const worker = new Worker(topic, async (job) => worked.resolve(job.id), {
      connection,
      prefix: `${namespace}.queue`,
    });
    onTestFinished(async () => {
      await worker.close();
      connection.disconnect();
    });
    expect(await worked.promise).toBe(delivery.runId);
  });

  test('the options are the job’s, and ended jobs are not kept for ever', async () => {
    const topic = aTopic();
    await sender().send(aJob(topic, { jobName: 'invoice', attempts: 5, priority: 9 }), noDeadline());
    const [job] = await queueOf(topic).getPrioritized();
    expect(job?.name).toBe('invoice');
    expect(job?.opts).toMatchObject({
      attempts: 5,
      priority: 9,
      removeOnComplete: { age: 86_400, count: 10_000 },
      removeOnFail: { age: 604_800, count: 10_000 },
    });
  });

  test('more queues than are kept at hand leave nothing behind in the process', async () => {
    const warned = vi.fn();
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    const to = sender();
    const base = aTopic();
    for (let index = 0; index < 620; index += 20) {
      const some = Array.from({ length: 20 }, (_, at) => to.send(aJob(`${base}.${index + at}`), noDeadline()));
      expect(new Set((await Promise.all(some)).map(({ kind }) => kind))).toEqual(new Set(['accepted']));
    }
    expect(await to.send(aJob(`${base}.0`), noDeadline())).toEqual(accepted);
    expect(await queueOf(`${base}.0`).getWaitingCount()).toBe(2);
    expect(warned).not.toHaveBeenCalled();
  });

  test('a server that falls silent may have taken the job, and is called anew', async () => {
    const proxy = await BrokerProxy.start(url);
    const hasty = new RedisQueueSender({
      url: proxy.url,
      namespace,
      journal: { note: () => undefined },
      confirmMs: 100,
    });
    onTestFinished(() => hasty.close());
    const topic = aTopic();
    await expect.poll(() => hasty.send(aJob(topic), noDeadline())).toEqual(accepted);
    const before = proxy.connections;
    proxy.mute();
    expect(await hasty.send(aJob(topic), noDeadline())).toEqual({
      kind: 'unanswered',
      attempt: 'NETWORK',
      reason: 'the broker did not confirm',
      possibleDuplicate: true,
    });
    await expect.poll(() => proxy.connections).toBeGreaterThan(before);
  });
});

test('what a script was refused is told by its code, as Redis 6 says it too', () => {
  const { outcomeOf } = new RedisQueueSender({ url: 'redis://127.0.0.1', journal: { note: () => undefined } });
  const old =
    'ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -OOM command not allowed when used memory';
  expect(outcomeOf(new ReplyError(old))).toMatchObject({ reason: 'the queue refused it (OOM)' });
  expect(outcomeOf(new ReplyError('ERR unknown command'))).toMatchObject({ reason: 'the queue refused it (ERR)' });
});

test('what Redis refuses is told by its first word, and tried again', () => {
  const { outcomeOf } = new RedisQueueSender({ url: 'redis://127.0.0.1', journal: { note: () => undefined } });
  const refused = new ReplyError(
    "OOM command not allowed when used memory > 'maxmemory'. script: 1, on @user_script:1",
  );
  expect(outcomeOf(refused)).toEqual({
    kind: 'unanswered',
    attempt: 'FAILED',
    reason: 'the queue refused it (OOM)',
    possibleDuplicate: false,
  });
});

describe('Redis that is not there', () => {
  const topic = aTopic();
  const broker: BrokerCase = { url, scheme: 'redis', target: to(topic), open, aRun: () => aJob(topic) };
  testBrokerFaults(broker);
  testBrokenConnection(broker);
  testClosing(broker);
});
