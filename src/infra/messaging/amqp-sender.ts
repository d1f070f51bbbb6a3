import type { Options } from 'amqplib';
import type { Outcome } from '../../domain/entities/run.ts';
import type { Delivery, Sender, StopSignal } from '../../domain/ports/sender.ts';
import type { AmqpClient, AmqpMessage } from './amqp-client.ts';
import { AmqpConnector } from './amqp-connection.ts';
import type { BrokerMessage } from './broker-message.ts';
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
import { TookTooLong } from './within.ts';

const DAY_MS = 24 * 60 * 60_000;
/** A queue that we make: on disk, bounded, full rather than forgetful. One that is there already stays as it is. */
const QUEUE: Options.AssertQueue = {
  durable: true,
  messageTtl: 7 * DAY_MS,
  overflow: 'reject-publish',
  maxPriority: 10,
  arguments: { 'x-max-length-bytes': 512 * 1024 * 1024 },
};

/** No queue took the message, and why none could be made. It is nowhere. */
class Unroutable extends Error {}

/** Publishes to queues `<namespace>.queue.<topic>` of RabbitMQ, persistent, with the run id as `messageId`, and waits for its confirmation. */
export class AmqpSender implements Sender, Broker<AmqpClient> {
  readonly #connector: AmqpConnector;
  readonly #prefix: string;

  /** Connects when the first message comes, not here. */
  constructor({ url, journal, namespace = DEFAULT_NAMESPACE, confirmMs = CONFIRM_TIMEOUT_MS }: BrokerOptions) {
    this.#connector = new AmqpConnector({ url, journal, confirmMs });
    this.#prefix = `${namespace}.queue.`;
  }

  send(delivery: Delivery, signal: StopSignal): Promise<Outcome> {
    return published(this, delivery, signal);
  }

  client(): Promise<AmqpClient> {
    return this.#connector.client();
  }

  /** A queue is looked for by sending to it, so that one costs no question before each message. */
  async publish(client: AmqpClient, message: BrokerMessage): Promise<void> {
    const sent = this.#onTheWire(message);
    if (await client.publish(sent)) return;
    await client.declare(sent.queue, QUEUE).catch((cause: unknown) => {
      throw new Unroutable('the queue cannot be made', { cause });
    });
    if (!(await client.publish(sent))) throw new Unroutable('the queue is gone');
  }

  async close(): Promise<void> {
    await this.#connector.close();
  }

  /** What the broker says of itself is not passed on: it names its users and virtual hosts. */
  outcomeOf(error: unknown): Outcome {
    if (error instanceof TookTooLong) return UNCONFIRMED;
    if (!(error instanceof Error)) return WENT_AWAY;
    if (error instanceof Unroutable) return notTaken(`no queue takes the topic${refusalIn(error.cause)}`);
    if (error.name === 'IllegalOperationError') return UNREACHABLE;
    return error.message === 'message nacked' ? notTaken('the queue refused it: it may be full') : WENT_AWAY;
  }

  #onTheWire({ id, topic, headers, data, options: { priority, ttlSec } }: BrokerMessage): AmqpMessage {
    const { 'content-type': contentType = 'application/json', ...rest } = headers;
    const options = {
      persistent: true,
      contentType,
      headers: rest,
      ...(priority !== undefined && { priority }),
      ...(ttlSec !== undefined && { expiration: ttlSec * 1000 }),
    };
    return { id, queue: this.#prefix + topic, content: Buffer.from(JSON.stringify(data)), options };
  }
}

/** The code with which the broker refused to make a queue. */
function refusalIn(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'number' ? ` (${cause.code})` : '';
}
