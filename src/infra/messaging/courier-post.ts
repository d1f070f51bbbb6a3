import type { Consumer, JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { DeliverParcel, Post } from '../../domain/ports/courier.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import {
  CONSUMER,
  type DispatchNames,
  type PassedParcel,
  parcelIn,
  type Question,
  type Reply,
} from './dispatch-words.ts';
import type { NatsClient, NatsConnector } from './nats-connection.ts';

/** A parcel of which nothing was heard for so long is given to another worker. */
const ACK_WAIT_MS = 10_000;
const WORKING_EVERY_MS = 2_500;
const TAKE_MS = 5_000;
const ASK_MS = 2_000;
const AGAIN_MS = 500;
/** An outcome whose engine does not answer is held for so many tries, and a parcel given back so often. */
const MOST_ASKED = 40;
const MOST_GIVEN_BACK = 5;

/**
 * A worker's side of the work queue: see `dispatch-words.ts` for what is said. What nobody waits for leaves the queue by an
 * acknowledgement: old servers keep what is terminated with a reason.
 */
export class CourierPost implements Post {
  readonly #connector: NatsConnector;
  readonly #names: DispatchNames;
  readonly #journal: Pick<Journal, 'loopFailed'>;
  readonly #places: number;
  readonly #attempts = new Map<string, AbortController>();
  #free = Promise.withResolvers<void>();
  #open = 0;
  #known: { readonly client: NatsClient; readonly consumer: Consumer } | null = null;

  /** `places`: attempts at once. */
  constructor(parts: {
    readonly connector: NatsConnector;
    readonly names: DispatchNames;
    readonly journal: Pick<Journal, 'loopFailed'>;
    readonly places: number;
  }) {
    this.#connector = parts.connector;
    this.#names = parts.names;
    this.#journal = parts.journal;
    this.#places = parts.places;
  }

  get open(): number {
    return this.#open;
  }

  async take(deliver: DeliverParcel, signal: AbortSignal): Promise<void> {
    if (this.#open >= this.#places) return this.#roomWithin(TAKE_MS);
    const { client, consumer } = await this.#consumer();
    const messages = await consumer.fetch({ max_messages: this.#places - this.#open, expires: TAKE_MS });
    const stop = (): void => messages.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const message of messages) {
        if (signal.aborted) message.nak();
        else this.#start(message, deliver, client.connection);
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  abortAll(): void {
    for (const attempt of this.#attempts.values()) attempt.abort(new Error('the worker is shutting down'));
  }

  async #roomWithin(ms: number): Promise<void> {
    this.#free = Promise.withResolvers<void>();
    const timer = setTimeout(this.#free.resolve, ms);
    await this.#free.promise;
    clearTimeout(timer);
  }

  /** The queue's consumer, made where there is none; what an operator has made stays as it is. */
  async #consumer(): Promise<{ readonly client: NatsClient; readonly consumer: Consumer }> {
    const client = await this.#connector.client();
    if (this.#known?.client === client) return this.#known;
    const { AckPolicy } = await import('@nats-io/jetstream');
    const { name } = this.#names.stream;
    await client.manager.consumers.info(name, CONSUMER).catch(() =>
      client.manager.consumers.add(name, {
        durable_name: CONSUMER,
        ack_policy: AckPolicy.Explicit,
        ack_wait: ACK_WAIT_MS * 1_000_000,
        max_ack_pending: -1,
      }),
    );
    this.#known = { client, consumer: await client.jetstream.consumers.get(name, CONSUMER) };
    client.connection.subscribe(this.#names.stop, {
      callback: (_error, message) => this.#attempts.get(message.string())?.abort(new Error('no longer wanted')),
    });
    return this.#known;
  }

  #start(message: JsMsg, deliver: DeliverParcel, connection: NatsConnection): void {
    this.#open += 1;
    void this.#handle(message, deliver, connection)
      .catch((error: unknown) => this.#journal.loopFailed('courier', error))
      .finally(() => {
        this.#open -= 1;
        this.#free.resolve();
      });
  }

  async #handle(message: JsMsg, deliver: DeliverParcel, connection: NatsConnection): Promise<void> {
    const passed = parcelIn(message.string());
    if (passed === null) return message.ack();
    const { token } = passed;
    const round = message.info.deliveryCount;
    const attempt = new AbortController();
    this.#attempts.set(token, attempt);
    const working = keepWorking(message, connection);
    try {
      const reply = await ask(connection, passed, { ask: 'BEGIN', token, round });
      if (reply === null && round <= MOST_GIVEN_BACK) return message.nak(AGAIN_MS);
      if (reply !== 'GO') return message.ack();
      const outcome = await deliver(passed.parcel, attempt.signal);
      await this.#handOver(message, {
        connection,
        passed,
        end: { ask: 'END', token, outcome, ack: ackSubjectOf(message) },
      });
    } finally {
      working.stop();
      if (this.#attempts.get(token) === attempt) this.#attempts.delete(token);
    }
  }

  /** Holds the outcome until the engine has it: what is lost on the way would be delivered again. */
  async #handOver(
    message: JsMsg,
    of: { readonly connection: NatsConnection; readonly passed: PassedParcel; readonly end: Question },
  ): Promise<void> {
    for (let asked = 0; asked < MOST_ASKED; asked += 1) {
      const reply = await ask(of.connection, of.passed, of.end);
      if (reply === 'TAKEN') return;
      if (reply === 'OVER') return message.ack();
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    message.ack();
  }
}

/** Null: no answer, or none in time. */
function ask(connection: NatsConnection, { inbox }: PassedParcel, question: Question): Promise<Reply | null> {
  return connection.request(inbox, JSON.stringify(question), { timeout: ASK_MS }).then(
    (reply) => replyIn(reply.string()),
    () => null,
  );
}

function replyIn(text: string): Reply | null {
  return text === 'GO' || text === 'TAKEN' || text === 'OVER' ? text : null;
}

/** Where the parcel is acknowledged, by whoever it may be; the package's type does not name it. */
function ackSubjectOf(message: JsMsg): string {
  return 'reply' in message && typeof message.reply === 'string' ? message.reply : '';
}

/** Tells the queue again and again that the parcel is in good hands. */
function keepWorking(message: JsMsg, connection: NatsConnection): { stop(): void } {
  const tell = (): void => {
    if (connection.isClosed()) return;
    message.working();
    timer = setTimeout(tell, WORKING_EVERY_MS);
  };
  let timer = setTimeout(tell, WORKING_EVERY_MS);
  return { stop: () => clearTimeout(timer) };
}
