import { randomUUID } from 'node:crypto';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { Outcome } from '../../domain/entities/run.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Delivery, Sender, StopSignal } from '../../domain/ports/sender.ts';
import { type DispatchNames, parcelText, type Question, questionIn, type Reply } from './dispatch-words.ts';
import { endedBySignal, untilAborted } from './ended-attempt.ts';
import type { NatsClient, NatsConnector } from './nats-connection.ts';

/** A parcel that no worker has begun after this long is handed back. */
const BEGIN_MS = 10_000;
/** Beyond that or beyond an attempt's own deadline: until a parcel of a dead worker has come to another, and for the outcome's way. */
const GRACE_MS = 20_000;
const CONFIRM_MS = 5_000;
const AGAIN_MS = 1_000;
/** A run that as many workers began, and none ended, is perhaps why they died. */
const MOST_BEGUN = 3;

interface Passed {
  readonly delivery: Delivery;
  readonly end: (outcome: Outcome) => void;
  begun: number;
  round: number;
}

/**
 * Passes attempts on to workers through a JetStream work queue, and answers the outcome that comes back. The queue is a courier,
 * never the truth: a parcel that it loses, holds too long or brings twice changes nothing but when the run is tried, since a
 * worker asks before it begins, and the claim stays in the database until the outcome is settled.
 */
export class CourierSender implements Sender {
  readonly #connector: NatsConnector;
  readonly #names: DispatchNames;
  readonly #inbox: string;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #beginMs: number;
  readonly #passed = new Map<string, Passed>();
  #listensTo: NatsConnection | null = null;

  /** `beginMs`: left out, 10 s. */
  constructor(parts: {
    readonly connector: NatsConnector;
    readonly names: DispatchNames;
    readonly engine: string;
    readonly clock: Pick<Clock, 'monotonic'>;
    readonly beginMs?: number | undefined;
  }) {
    this.#connector = parts.connector;
    this.#names = parts.names;
    this.#inbox = parts.names.inbox(parts.engine);
    this.#clock = parts.clock;
    this.#beginMs = parts.beginMs ?? BEGIN_MS;
  }

  graceMs(): number {
    return GRACE_MS;
  }

  async send(delivery: Delivery, signal: StopSignal): Promise<Outcome> {
    if (signal.aborted) return endedBySignal(signal, false);
    const ended = Promise.withResolvers<Outcome>();
    const token = randomUUID();
    const passed: Passed = { delivery, end: ended.resolve, begun: 0, round: 0 };
    this.#passed.set(token, passed);
    const patience = setTimeout(() => {
      if (passed.begun === 0) ended.resolve(handedBack('no worker began it in time'));
    }, this.#beginMs);
    this.#publish(token, delivery).catch(() => ended.resolve(handedBack('it could not be passed on to workers')));
    const stopped = (): Outcome => {
      if (passed.begun > 0 && this.#listensTo !== null) tell(this.#listensTo, this.#names.stop, token);
      return endedBySignal(signal, passed.begun > 0);
    };
    try {
      return await untilAborted(ended.promise, signal, stopped);
    } finally {
      clearTimeout(patience);
      this.#passed.delete(token);
    }
  }

  async #publish(token: string, delivery: Delivery): Promise<void> {
    const client = await this.#connector.client();
    this.#listen(client);
    const text = parcelText(delivery, { inbox: this.#inbox, token });
    try {
      await client.jetstream.publish(this.#names.work, text, { msgID: token, timeout: CONFIRM_MS });
    } catch (error) {
      if (error instanceof Error && error.name === 'JetStreamNotEnabled') this.#connector.forgetStreams();
      throw error;
    }
  }

  #listen({ connection }: NatsClient): void {
    if (this.#listensTo === connection) return;
    this.#listensTo = connection;
    connection.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (error === null) this.#hear(message, connection);
      },
    });
  }

  #hear(message: Msg, connection: NatsConnection): void {
    const question = questionIn(message.string());
    if (question === null) return;
    const passed = this.#passed.get(question.token);
    message.respond(passed === undefined ? OVER : this.#reply(passed, question, connection));
  }

  #reply(passed: Passed, question: Question, connection: NatsConnection): Reply {
    if (question.ask === 'END') {
      // Only what is settled may leave the queue: until then another worker would be asked to go on.
      passed.delivery.whenSettled(() => tell(connection, question.ack, '+ACK'));
      passed.end(question.outcome);
      return 'TAKEN';
    }
    if (question.round <= passed.round) return OVER;
    passed.round = question.round;
    if (passed.begun === MOST_BEGUN) {
      passed.end(WORKERS_DIED);
      return OVER;
    }
    passed.begun += 1;
    passed.delivery.began(this.#clock.monotonic());
    return 'GO';
  }
}

const OVER: Reply = 'OVER';

/** A hint: without it the parcel comes again, and is answered OVER. */
function tell(connection: NatsConnection, subject: string, text: string): void {
  if (!connection.isClosed()) connection.publish(subject, text);
}

const WORKERS_DIED: Outcome = {
  kind: 'unanswered',
  attempt: 'FAILED',
  reason: `${MOST_BEGUN} workers began it and fell silent`,
  possibleDuplicate: true,
};

/** Nobody has begun it, so nothing can have been delivered. */
function handedBack(reason: string): Outcome {
  return { kind: 'aborted', attempt: 'ABORTED', reason, retryAfterMs: AGAIN_MS };
}
