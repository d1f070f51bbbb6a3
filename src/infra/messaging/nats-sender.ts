import type { Outcome } from '../../domain/entities/run.ts';
import type { Delivery, Sender, StopSignal } from '../../domain/ports/sender.ts';
import type { BrokerMessage } from './broker-message.ts';
import { reasonOf } from './ended-attempt.ts';
import { type NatsClient, NatsConnector } from './nats-connection.ts';
import {
  type Broker,
  type BrokerOptions,
  CONFIRM_TIMEOUT_MS,
  DEFAULT_NAMESPACE,
  notTaken,
  published,
  UNCONFIRMED,
  WENT_AWAY,
} from './publish.ts';

/**
 * Publishes to the subjects `<namespace>.events.<topic>` and `<namespace>.queue.<topic>` of JetStream and waits for its
 * confirmation. The run id is the message id: for two minutes the stream drops a second message of the same run. JetStream
 * confirms before it syncs to disk: it is a courier, the run record is the truth.
 */
export class NatsSender implements Sender, Broker<NatsClient> {
  readonly #connector: NatsConnector;
  readonly #confirmMs: number;
  readonly #prefixes: { readonly EVENT: string; readonly QUEUE: string };

  /** Connects when the first message comes, not here. */
  constructor({ url, journal, namespace = DEFAULT_NAMESPACE, confirmMs = CONFIRM_TIMEOUT_MS }: BrokerOptions) {
    this.#confirmMs = confirmMs;
    this.#prefixes = { EVENT: `${namespace}.events.`, QUEUE: `${namespace}.queue.` };
    this.#connector = new NatsConnector({
      url,
      journal,
      streams: [
        { name: `${namespace.toUpperCase()}_EVENTS`, subjects: `${this.#prefixes.EVENT}>`, retention: 'log' },
        { name: `${namespace.toUpperCase()}_QUEUE`, subjects: `${this.#prefixes.QUEUE}>`, retention: 'queue' },
      ],
    });
  }

  send(delivery: Delivery, signal: StopSignal): Promise<Outcome> {
    return published(this, delivery, signal);
  }

  client(): Promise<NatsClient> {
    return this.#connector.client();
  }

  async publish(client: NatsClient, message: BrokerMessage): Promise<void> {
    const headers = client.headers();
    for (const [name, value] of Object.entries(message.headers)) headers.set(name, value);
    const subject = this.#prefixes[message.kind] + message.topic;
    const options = { msgID: message.id, headers, timeout: this.#confirmMs };
    await client.jetstream.publish(subject, JSON.stringify(message.data), options);
  }

  async close(): Promise<void> {
    await this.#connector.close();
  }

  outcomeOf(error: unknown): Outcome {
    const name = error instanceof Error ? error.name : '';
    switch (name) {
      case 'InvalidArgumentError':
      case 'InvalidSubjectError':
        return {
          kind: 'refused',
          attempt: 'REFUSED',
          why: 'REFUSED',
          reason: `the message cannot be published: ${reasonOf(error)}`,
        };
      case 'JetStreamNotEnabled':
        this.#connector.forgetStreams();
        return {
          kind: 'unanswered',
          attempt: 'NETWORK',
          reason: 'no stream takes the topic',
          possibleDuplicate: false,
        };
      case 'JetStreamApiError':
        return notTaken(`the stream refused it: ${reasonOf(error)}`);
      case 'TimeoutError':
        return UNCONFIRMED;
      default:
        return WENT_AWAY;
    }
  }
}
