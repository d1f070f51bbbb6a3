import type { Outcome } from '../../domain/entities/run.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Delivery, Sender, StopSignal } from '../../domain/ports/sender.ts';
import { type BrokerMessage, brokerMessage, topicProblem } from './broker-message.ts';
import { endedBySignal, reasonOf, untilAborted, wrongKind } from './ended-attempt.ts';
import { type NatsClient, NatsConnector } from './nats-connection.ts';

export interface NatsSenderOptions {
  readonly url: string;
  readonly journal: Pick<Journal, 'note'>;
  /** Subjects are `<namespace>.events.<topic>` and `<namespace>.queue.<topic>`, streams `<NAMESPACE>_EVENTS` and `<NAMESPACE>_QUEUE`. */
  readonly namespace?: string | undefined;
}

/** A confirmation that takes longer than this is not waited for, whatever the attempt's own deadline. */
const CONFIRM_TIMEOUT_MS = 10_000;
const DEFAULT_NAMESPACE = 'scheduler';

/**
 * Publishes to JetStream and waits for its confirmation. The run id is the message id: for two minutes the stream drops a
 * second message of the same run. JetStream confirms before it syncs to disk: it is a courier, the run record is the truth.
 */
export class NatsSender implements Sender {
  readonly #connector: NatsConnector;
  readonly #prefixes: { readonly EVENT: string; readonly QUEUE: string };

  /** Connects when the first message comes, not here. */
  constructor(options: NatsSenderOptions) {
    const namespace = options.namespace ?? DEFAULT_NAMESPACE;
    this.#prefixes = { EVENT: `${namespace}.events.`, QUEUE: `${namespace}.queue.` };
    this.#connector = new NatsConnector({
      url: options.url,
      journal: options.journal,
      streams: [
        { name: `${namespace.toUpperCase()}_EVENTS`, subjects: `${this.#prefixes.EVENT}>`, retention: 'log' },
        { name: `${namespace.toUpperCase()}_QUEUE`, subjects: `${this.#prefixes.QUEUE}>`, retention: 'queue' },
      ],
    });
  }

  async send(delivery: Delivery, signal: StopSignal): Promise<Outcome> {
    const message = brokerMessage(delivery);
    if (message === null) return wrongKind(delivery.version.definition.target.kind);
    const problem = topicProblem(message.topic);
    if (problem !== null) return { kind: 'refused', attempt: 'REFUSED', why: 'REFUSED', reason: problem };
    if (signal.aborted) return endedBySignal(signal, false);
    const client = await untilAborted<NatsClient | null>(
      this.#connector.client().catch(() => null),
      signal,
      () => null,
    );
    if (signal.aborted) return endedBySignal(signal, false);
    if (client === null)
      return {
        kind: 'unanswered',
        attempt: 'NETWORK',
        reason: 'the broker cannot be reached',
        possibleDuplicate: false,
      };
    return this.#publish(client, message, signal);
  }

  async close(): Promise<void> {
    await this.#connector.close();
  }

  async #publish(client: NatsClient, message: BrokerMessage, signal: StopSignal): Promise<Outcome> {
    try {
      const headers = client.headers();
      for (const [name, value] of Object.entries(message.headers)) headers.set(name, value);
      const published = client.jetstream.publish(
        this.#prefixes[message.kind] + message.topic,
        JSON.stringify(message.data),
        {
          msgID: message.id,
          headers,
          timeout: CONFIRM_TIMEOUT_MS,
        },
      );
      const accepted = published.then((): Outcome => ({ kind: 'accepted', attempt: 'ACCEPTED' }));
      return await untilAborted(accepted, signal, () => endedBySignal(signal, true));
    } catch (error) {
      return this.#outcomeOf(error);
    }
  }

  #outcomeOf(error: unknown): Outcome {
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
        return {
          kind: 'unanswered',
          attempt: 'FAILED',
          reason: `the stream refused it: ${reasonOf(error)}`,
          possibleDuplicate: false,
        };
      case 'TimeoutError':
        return {
          kind: 'unanswered',
          attempt: 'NETWORK',
          reason: 'the broker did not confirm',
          possibleDuplicate: true,
        };
      default:
        return { kind: 'unanswered', attempt: 'NETWORK', reason: 'the broker went away', possibleDuplicate: true };
    }
  }
}
