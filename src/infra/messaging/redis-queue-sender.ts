import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { Outcome } from '../../domain/entities/run.ts';
import type { Delivery, Sender, StopSignal } from '../../domain/ports/sender.ts';
import type { BrokerMessage } from './broker-message.ts';
import { OutageNotes } from './outage.ts';
import {
  type Broker,
  type BrokerOptions,
  CONFIRM_TIMEOUT_MS,
  DEFAULT_NAMESPACE,
  notTaken,
  published,
  UNCONFIRMED,
  UNREACHABLE,
  WENT_AWAY,
} from './publish.ts';

/** A connection and the queues that were used last. */
interface Queues {
  readonly redis: Redis;
  of(topic: string): Queue;
}

const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_MS = 500;
/** A command that got no answer is told first, then its silent connection is given up. */
const SILENCE_MS = 500;
const KEPT_QUEUES = 500;
const DAY_SEC = 24 * 60 * 60;
/** Ended jobs stay for a while: as long as a job is there, a second one of the same run is none. */
const KEEP_COMPLETED = { age: DAY_SEC, count: 10_000 };
const KEEP_FAILED = { age: 7 * DAY_SEC, count: 10_000 };

/**
 * Adds jobs to BullMQ's queues, under the prefix `<namespace>.queue`, with the run id as `jobId`: while the job is there, adding it again adds nothing. Redis
 * answers before it syncs to disk, as it is configured: it is a courier, the run record is the truth.
 */
export class RedisQueueSender implements Sender, Broker<Queues> {
  readonly #url: string;
  readonly #notes: OutageNotes;
  readonly #namespace: string;
  readonly #confirmMs: number;
  #opened: Promise<Queues> | null = null;
  #redis: Redis | null = null;
  #isClosed = false;

  /** Connects when the first message comes, not here. */
  constructor({ url, journal, namespace = DEFAULT_NAMESPACE, confirmMs = CONFIRM_TIMEOUT_MS }: BrokerOptions) {
    this.#url = url;
    this.#notes = new OutageNotes(journal, new URL(url).host);
    this.#namespace = namespace;
    this.#confirmMs = confirmMs;
  }

  send(delivery: Delivery, signal: StopSignal): Promise<Outcome> {
    return published(this, delivery, signal);
  }

  async client(): Promise<Queues> {
    this.#opened ??= this.#open();
    const queues = await this.#opened.catch((error: unknown) => {
      if (!this.#isClosed) this.#notes.away(error);
      throw error;
    });
    if (queues.redis.status !== 'ready' || this.#isClosed) throw new Error('the broker is away');
    return queues;
  }

  async publish(queues: Queues, { id, topic, headers, data, options }: BrokerMessage): Promise<void> {
    const { jobName = topic, attempts = 1, priority } = options;
    await queues.of(topic).add(
      jobName,
      { headers, payload: data },
      {
        jobId: id,
        attempts,
        ...(priority !== undefined && { priority }),
        removeOnComplete: KEEP_COMPLETED,
        removeOnFail: KEEP_FAILED,
      },
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#redis?.disconnect();
    await this.#opened?.catch(() => null);
  }

  /** What Redis says of itself is told by its first word: the rest may name users and commands. */
  outcomeOf(error: unknown): Outcome {
    const { name, message } = error instanceof Error ? error : { name: '', message: '' };
    if (name === 'ReplyError') return notTaken(`the queue refused it (${codeIn({ message })})`);
    if (message === 'Command timed out') return UNCONFIRMED;
    return message.startsWith('Stream isn') ? UNREACHABLE : WENT_AWAY;
  }

  /** The packages are loaded here and not above: a deployment without such queues never needs them. What cannot be reached is tried for ever. */
  async #open(): Promise<Queues> {
    const [{ Queue }, { Redis }] = await Promise.all([import('bullmq'), import('ioredis')]);
    if (this.#isClosed) throw new Error('closed');
    const redis = new Redis(this.#url, {
      connectionName: 'scheduler-domain',
      commandTimeout: this.#confirmMs,
      socketTimeout: this.#confirmMs + SILENCE_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      lazyConnect: true,
      retryStrategy: () => RECONNECT_MS,
      // A server that has become a replica keeps its connections.
      reconnectOnError: (error) => codeIn(error) === 'READONLY',
    });
    this.#redis = redis;
    this.#watch(redis);
    const kept = new LRUCache<string, Queue>({ max: KEPT_QUEUES, dispose: (queue) => void queue.close() });
    const of = (topic: string): Queue => {
      const known = kept.get(topic);
      if (known !== undefined) return known;
      const queue = new Queue(topic, {
        connection: redis,
        prefix: `${this.#namespace}.queue`,
        skipVersionCheck: true,
        skipMetasUpdate: true,
      });
      queue.on('error', () => undefined);
      kept.set(topic, queue);
      return queue;
    };
    await redis.connect().catch(() => undefined);
    return { redis, of };
  }

  #watch(redis: Redis): void {
    let why: unknown = null;
    redis.on('error', (error) => {
      why = error;
    });
    redis.on('ready', () => this.#notes.connected());
    redis.on('close', () => {
      if (!this.#isClosed) this.#notes.away(why);
      why = null;
    });
  }
}

/** The code of what Redis refused. A script's stands before its words; before Redis 7 that stood behind a dash, within those of the script. */
function codeIn({ message }: { readonly message: string }): string {
  return /^ERR .*-([A-Z]{3,})\b/.exec(message)?.[1] ?? /^[A-Z]+/.exec(message)?.[0] ?? 'ERR';
}
