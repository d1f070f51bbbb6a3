import type { JetStreamClient, JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import type { ConnectionOptions, MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import type { Journal } from '../../domain/ports/journal.ts';
import { OutageNotes } from './outage.ts';

/** A stream that must exist before its subjects can be published to. `queue`: each message leaves it when it is worked off. */
export interface StreamNeed {
  readonly name: string;
  readonly subjects: string;
  readonly retention: 'log' | 'queue';
  /** Other bounds than seven days and 512 MB. */
  readonly limits?: Partial<Pick<StreamConfig, 'max_age' | 'max_msgs'>> | undefined;
}

export interface NatsConnectionOptions {
  /** One URL or several with commas between; user and password stand in the first. */
  readonly url: string;
  readonly streams: readonly StreamNeed[];
  readonly journal: Pick<Journal, 'note'>;
}

/** What a sender publishes with. */
export interface NatsClient {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  /** Fresh headers to fill. */
  headers(): MsgHdrs;
}

const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_WAIT_MS = 500;
/** After a connection could not be made, those who ask within this time are told so at once. */
const PAUSE_MS = 500;
const MAX_AGE_DAYS = 7;
const MAX_BYTES = 512 * 1024 * 1024;
const DEDUPE_MS = 2 * 60_000;
const NANOS_PER_MS = 1_000_000;
/** JetStream's own error codes: another stream has the subjects already; the name is taken by a stream of another form. */
const TAKEN = new Set([10065, 10058]);

/**
 * A connection that is made when it is first needed and then kept for ever, with the streams in place. While the server is
 * away {@link NatsConnector.client} rejects at once: nothing waits for a broker.
 */
export class NatsConnector {
  readonly #options: NatsConnectionOptions;
  readonly #notes: OutageNotes;
  #client: Promise<NatsClient> | null = null;
  #connection: NatsConnection | null = null;
  #isAway = false;
  #isClosed = false;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(options: NatsConnectionOptions) {
    this.#options = options;
    this.#notes = new OutageNotes(options.journal, String(serversOf(options.url).servers));
  }

  /** Rejects while the server cannot be reached; then the next call after a moment tries anew. */
  client(): Promise<NatsClient> {
    if (this.#isAway || this.#isClosed) return Promise.reject(new Error('the broker is away'));
    if (this.#client !== null) return this.#client;
    if (performance.now() - this.#failedAt < PAUSE_MS) return Promise.reject(new Error('the broker cannot be reached'));
    this.#client = this.#open().catch(async (error: unknown) => {
      this.#failedAt = performance.now();
      if (!this.#isClosed) this.#notes.away(error);
      this.#client = null;
      await this.#drop();
      throw error;
    });
    return this.#client;
  }

  /** The streams are looked at again before the next use: a message found none. */
  forgetStreams(): void {
    this.#client = null;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#drop();
  }

  /** The packages are loaded here and not above: a deployment without NATS never needs them. */
  async #open(): Promise<NatsClient> {
    const [{ jetstream, jetstreamManager }, { headers }] = await Promise.all([
      import('@nats-io/jetstream'),
      import('@nats-io/transport-node'),
    ]);
    const connection = await this.#connected();
    const manager = await jetstreamManager(connection, { timeout: CONNECT_TIMEOUT_MS });
    for (const stream of this.#options.streams) await ensureStream(manager, stream);
    this.#notes.connected();
    return { connection, manager, jetstream: jetstream(connection), headers };
  }

  async #connected(): Promise<NatsConnection> {
    if (this.#connection !== null) return this.#connection;
    const { connect } = await import('@nats-io/transport-node');
    const connection = await connect({
      ...serversOf(this.#options.url),
      name: 'scheduler-domain',
      timeout: CONNECT_TIMEOUT_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      ignoreAuthErrorAbort: true,
      noAsyncTraces: true,
    });
    this.#connection = connection;
    void this.#watch(connection);
    if (this.#isClosed) await this.#drop();
    return connection;
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type !== 'disconnect' && status.type !== 'reconnect') continue;
      this.#isAway = status.type === 'disconnect';
      if (this.#isAway) this.#notes.away(null);
      else this.#notes.connected();
    }
    if (this.#connection !== connection) return;
    this.#connection = null;
    this.#client = null;
    this.#isAway = false;
  }

  async #drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    this.#client = null;
    this.#isAway = false;
    await connection?.close();
  }
}

/** Makes the stream where there is none; one that an operator has made stays as it is. */
async function ensureStream(manager: JetStreamManager, need: StreamNeed): Promise<void> {
  const { DiscardPolicy, JetStreamApiError, RetentionPolicy, StorageType } = await import('@nats-io/jetstream');
  const found = await manager.streams.info(need.name).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && error.name === 'StreamNotFoundError') return false;
      throw error;
    },
  );
  if (found) return;
  const isQueue = need.retention === 'queue';
  const config = {
    name: need.name,
    subjects: [need.subjects],
    storage: StorageType.File,
    retention: isQueue ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    discard: isQueue ? DiscardPolicy.New : DiscardPolicy.Old,
    max_age: MAX_AGE_DAYS * 24 * 60 * 60_000 * NANOS_PER_MS,
    max_bytes: MAX_BYTES,
    duplicate_window: DEDUPE_MS * NANOS_PER_MS,
    ...need.limits,
  };
  await manager.streams.add(config).catch((error: unknown) => {
    if (!(error instanceof JetStreamApiError && TAKEN.has(error.code))) throw error;
  });
}

function serversOf(urls: string): Pick<ConnectionOptions, 'servers' | 'user' | 'pass' | 'token'> {
  const all = urls.split(',').map((text) => new URL(text.includes('://') ? text.trim() : `nats://${text.trim()}`));
  const { username = '', password = '' } = all[0] ?? {};
  const servers = all.map((url) => url.host);
  if (username === '') return { servers };
  if (password === '') return { servers, token: decodeURIComponent(username) };
  return { servers, user: decodeURIComponent(username), pass: decodeURIComponent(password) };
}
