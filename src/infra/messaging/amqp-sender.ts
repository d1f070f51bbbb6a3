import type { Options } from 'amqplib';
import type { Outcome } from '../../domain/entities/run.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Delivery, Sender, StopSignal } from '../../domain/ports/sender.ts';
import { type AmqpClient, AmqpConnector, Unconfirmed } from './amqp-connection.ts';
import type { BrokerMessage } from './broker-message.ts';
import { type Broker, notTaken, published, UNCONFIRMED, WENT_AWAY } from './publish.ts';

export interface AmqpSenderOptions {
  readonly url: string;
  readonly journal: Pick<Journal, 'note'>;
  /** Queues are `<namespace>.queue.<topic>`. */
  readonly namespace?: string | undefined;
}

const DEFAULT_NAMESPACE = 'scheduler';
const DAY_MS = 24 * 60 * 60_000;
/** A queue that we make: on disk, bounded, full rather than forgetful. One that is there already stays as it is. */
const QUEUE: Options.AssertQueue = {
  durable: true,
  messageTtl: 7 * DAY_MS,
  overflow: 'reject-publish',
  arguments: { 'x-max-length-bytes': 512 * 1024 * 1024 },
};

/** No queue took the message, although one was just made. */
class Unroutable extends Error {}

/** Publishes to RabbitMQ, persistent, with the run id as `messageId`, and waits for its confirmation. */
export class AmqpSender implements Sender, Broker<AmqpClient> {
  readonly #connector: AmqpConnector;
  readonly #prefix: string;

  /** Connects when the first message comes, not here. */
  constructor({ url, journal, namespace = DEFAULT_NAMESPACE }: AmqpSenderOptions) {
    this.#connector = new AmqpConnector({ url, journal });
    this.#prefix = `${namespace}.queue.`;
  }

  send(delivery: Delivery, signal: StopSignal): Promise<Outcome> {
    return published(this, delivery, signal);
  }

  client(): Promise<AmqpClient> {
    return this.#connector.client();
  }

  /** A queue is looked for by sending to it, so that one costs no question before each message. */
  async publish(client: AmqpClient, { id, topic, headers, data, options }: BrokerMessage): Promise<void> {
    const { 'content-type': contentType = 'application/json', ...rest } = headers;
    const { priority, ttlSec } = options;
    const queue = this.#prefix + topic;
    const message = {
      id,
      queue,
      content: Buffer.from(JSON.stringify(data)),
      options: {
        persistent: true,
        contentType,
        headers: rest,
        ...(priority !== undefined && { priority }),
        ...(ttlSec !== undefined && { expiration: ttlSec * 1000 }),
      },
    };
    if (await client.publish(message)) return;
    await client.declare(queue, QUEUE);
    if (!(await client.publish(message))) throw new Unroutable();
  }

  async close(): Promise<void> {
    await this.#connector.close();
  }

  /** What the broker says of itself is not passed on: it names its users and virtual hosts. */
  outcomeOf(error: unknown): Outcome {
    if (error instanceof Unconfirmed) return UNCONFIRMED;
    if (error instanceof Unroutable) return notTaken('no queue takes the topic');
    if (!(error instanceof Error)) return WENT_AWAY;
    if (error.message === 'message nacked') return notTaken('the queue refused it: it may be full');
    return 'code' in error && typeof error.code === 'number'
      ? notTaken(`the broker refused the queue (${error.code})`)
      : WENT_AWAY;
  }
}
