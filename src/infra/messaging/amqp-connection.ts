import { Duplex } from 'node:stream';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import type { Journal } from '../../domain/ports/journal.ts';
import { AmqpClient } from './amqp-client.ts';
import { OutageNotes } from './outage.ts';
import { within } from './within.ts';

export interface AmqpConnectionOptions {
  /** User, password and virtual host stand in it. */
  readonly url: string;
  readonly journal: Pick<Journal, 'note'>;
  /** How long the broker's word is waited for, ms. */
  readonly confirmMs: number;
}

const CONNECT_TIMEOUT_MS = 2_000;
const CLOSE_TIMEOUT_MS = 1_000;
/** A broker that says nothing for two of these is gone. */
const HEARTBEAT_SEC = 10;
/** After a connection could not be made, or ended, those who ask within this time are told so at once. */
const PAUSE_MS = 500;

/**
 * A connection that is made when it is first needed, and anew when it was lost. While it cannot be made, and while the broker
 * takes nothing as it has no room, {@link AmqpConnector.client} rejects at once.
 */
export class AmqpConnector {
  readonly #options: AmqpConnectionOptions;
  readonly #notes: OutageNotes;
  #client: Promise<AmqpClient> | null = null;
  #connection: ChannelModel | null = null;
  #isBlocked = false;
  #isClosed = false;
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor(options: AmqpConnectionOptions) {
    this.#options = options;
    this.#notes = new OutageNotes(options.journal, new URL(options.url).host);
  }

  client(): Promise<AmqpClient> {
    if (this.#isClosed || this.#isBlocked) return Promise.reject(new Error('the broker takes nothing'));
    if (this.#client !== null) return this.#client;
    if (performance.now() - this.#endedAt < PAUSE_MS) return Promise.reject(new Error('the broker cannot be reached'));
    const opening = this.#open();
    this.#client = opening;
    opening.catch((error: unknown) => {
      if (this.#client === opening) this.#ended(error);
    });
    return opening;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#client?.catch(() => null);
    await this.#drop();
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
    this.#connection = connection;
    this.#watch(connection);
    const channel = await within(CONNECT_TIMEOUT_MS, connection.createConfirmChannel());
    if (this.#isClosed || this.#connection !== connection) throw new Error('the connection has ended');
    this.#watchChannel(connection, channel);
    this.#notes.connected();
    return new AmqpClient(connection, channel, this.#options.confirmMs);
  }

  /** Before anything is sent: what is not heard of now is never heard of. */
  #watch(connection: ChannelModel): void {
    let why: unknown = null;
    connection.on('error', (error) => {
      why = error;
    });
    connection.on('blocked', () => {
      this.#isBlocked = true;
      this.#options.journal.note('broker.blocked', {});
    });
    connection.on('unblocked', () => {
      this.#isBlocked = false;
      this.#options.journal.note('broker.unblocked', {});
    });
    connection.on('close', (error) => {
      if (this.#connection === connection) this.#ended(error ?? why);
    });
  }

  /** Closes with its connection; whatever closed it alone, a new connection is a fresh start. */
  #watchChannel(connection: ChannelModel, channel: ConfirmChannel): void {
    let why: unknown = null;
    channel.on('error', (error) => {
      why = error;
    });
    channel.on('close', () => {
      // A connection that ends closes its channels first, and says why after that.
      queueMicrotask(() => {
        if (this.#connection === connection) this.#ended(why);
      });
    });
  }

  /** Nothing can be sent any more. */
  #ended(error: unknown): void {
    this.#client = null;
    this.#isBlocked = false;
    this.#endedAt = performance.now();
    if (!this.#isClosed) this.#notes.away(error);
    void this.#drop();
  }

  /** A broker that does not answer is not waited for: its socket and its heartbeats, which end with an error alone, would keep the process alive. */
  async #drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    if (connection === null) return;
    await within(CLOSE_TIMEOUT_MS, connection.close()).catch(() => undefined);
    const { connection: inner } = connection;
    if ('stream' in inner && inner.stream instanceof Duplex) inner.stream.destroy(new Error('closed'));
  }
}
