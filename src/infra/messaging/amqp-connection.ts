import type { ChannelModel, ConfirmChannel, Options } from 'amqplib';
import type { Journal } from '../../domain/ports/journal.ts';
import { CONFIRM_TIMEOUT_MS } from './publish.ts';

export interface AmqpConnectionOptions {
  /** User, password and virtual host stand in it. */
  readonly url: string;
  readonly journal: Pick<Journal, 'note'>;
}

/** What a message is on the wire. `id` names it in what the broker sends back. */
export interface AmqpMessage {
  readonly id: string;
  readonly queue: string;
  readonly content: Buffer;
  readonly options: Options.Publish;
}

/** Nobody said in time that a message was taken. */
export class Unconfirmed extends Error {}

const CONNECT_TIMEOUT_MS = 2_000;
const CLOSE_TIMEOUT_MS = 1_000;
/** A broker that says nothing for two of these is gone. */
const HEARTBEAT_SEC = 10;
/** After a connection could not be made, those who ask within this time are told so at once. */
const PAUSE_MS = 500;

/** A connection that is made when it is first needed, and anew when it was lost. While it cannot be made {@link AmqpConnector.client} rejects at once. */
export class AmqpConnector {
  readonly #options: AmqpConnectionOptions;
  #client: Promise<AmqpClient> | null = null;
  #isClosed = false;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(options: AmqpConnectionOptions) {
    this.#options = options;
  }

  client(): Promise<AmqpClient> {
    if (this.#isClosed) return Promise.reject(new Error('closed'));
    if (this.#client !== null) return this.#client;
    if (performance.now() - this.#failedAt < PAUSE_MS) return Promise.reject(new Error('the broker cannot be reached'));
    const opening = this.#open();
    this.#client = opening;
    opening.catch(() => {
      this.#failedAt = performance.now();
      this.#client = null;
    });
    return opening;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const client = await this.#client?.catch(() => null);
    await client?.close();
  }

  /** The package is loaded here and not above: a deployment without RabbitMQ never needs it. */
  async #open(): Promise<AmqpClient> {
    const { connect } = await import('amqplib');
    const url = new URL(this.#options.url);
    if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(HEARTBEAT_SEC));
    const connection = await connect(url.href, {
      timeout: CONNECT_TIMEOUT_MS,
      noDelay: true,
      clientProperties: { connection_name: 'scheduler-domain' },
    });
    connection.on('error', () => undefined);
    const client = await AmqpClient.on(connection, () => {
      this.#client = null;
      if (!this.#isClosed) this.#options.journal.note('broker.disconnected', { server: url.host });
    });
    this.#options.journal.note('broker.connected', { server: url.host });
    if (this.#isClosed) await client.close();
    return client;
  }
}

/** A message that is on its way. */
interface Publication {
  readonly id: string;
  isReturned: boolean;
}

/** One connection with the channel that all messages go through, each confirmed by the broker. */
export class AmqpClient {
  readonly #connection: ChannelModel;
  readonly #channel: ConfirmChannel;
  /** In the order in which they were sent. */
  readonly #publications = new Set<Publication>();
  readonly #declaring = new Map<string, Promise<void>>();

  private constructor(connection: ChannelModel, channel: ConfirmChannel) {
    this.#connection = connection;
    this.#channel = channel;
    channel.on('return', ({ properties }) => this.#returned(String(properties.messageId)));
  }

  /** `ended` is called when nothing can be sent any more. */
  static async on(connection: ChannelModel, ended: () => void): Promise<AmqpClient> {
    try {
      const channel = await connection.createConfirmChannel();
      const client = new AmqpClient(connection, channel);
      channel.on('error', () => undefined);
      // Closes with its connection; whatever closed it alone, a new connection is a fresh start.
      channel.on('close', () => {
        ended();
        void client.close();
      });
      return client;
    } catch (error) {
      await connection.close().catch(() => undefined);
      throw error;
    }
  }

  /** Answers false where there is no such queue. Rejects where the broker refused the message, went away or did not confirm it. */
  async publish({ id, queue, content, options }: AmqpMessage): Promise<boolean> {
    const publication: Publication = { id, isReturned: false };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Unconfirmed()), CONFIRM_TIMEOUT_MS);
    this.#publications.add(publication);
    try {
      const sent = { ...options, messageId: id, mandatory: true };
      this.#channel.sendToQueue(queue, content, sent, (error) => (error ? reject(error) : resolve()));
      await promise;
      return !publication.isReturned;
    } finally {
      clearTimeout(timer);
      this.#publications.delete(publication);
    }
  }

  /** Makes a queue where there is none; those who ask meanwhile wait for the same. */
  declare(queue: string, options: Options.AssertQueue): Promise<void> {
    const known = this.#declaring.get(queue);
    if (known !== undefined) return known;
    const declaring = this.#declare(queue, options).finally(() => this.#declaring.delete(queue));
    this.#declaring.set(queue, declaring);
    return declaring;
  }

  async close(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    await Promise.race([this.#connection.close().catch(() => undefined), late]);
    clearTimeout(timer);
  }

  /** On a channel of its own, as a refusal ends it. */
  async #declare(queue: string, options: Options.AssertQueue): Promise<void> {
    const channel = await this.#connection.createChannel();
    channel.on('error', () => undefined);
    await channel.assertQueue(queue, options);
    await channel.close();
  }

  /** Comes before the confirmation. Two messages of one run may be on their way, as one that was given up still is: they come back in their order. */
  #returned(id: string): void {
    for (const publication of this.#publications) {
      if (publication.id !== id || publication.isReturned) continue;
      publication.isReturned = true;
      return;
    }
  }
}
