import type { Outcome } from '../../domain/entities/run.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Delivery, StopSignal } from '../../domain/ports/sender.ts';
import { type BrokerMessage, brokerMessage, topicProblem } from './broker-message.ts';
import { endedBySignal, untilAborted, wrongKind } from './ended-attempt.ts';

/** How a message gets to one kind of broker. */
export interface Broker<Client> {
  /** Rejects at once while the broker cannot be reached. */
  client(): Promise<Client>;
  /** Resolves once the broker has the message, and rejects, in bounded time, where it does not say so. */
  publish(client: Client, message: BrokerMessage): Promise<unknown>;
  /** What a rejection of `publish` says. */
  outcomeOf(error: unknown): Outcome;
}

/** What a sender to a broker is made of. */
export interface BrokerOptions {
  readonly url: string;
  readonly journal: Pick<Journal, 'note'>;
  /** Begins the names of what is published to, so that other programs' are out of reach: `<namespace>.queue.<topic>`. */
  readonly namespace?: string | undefined;
  /** How long the broker's word is waited for, ms. */
  readonly confirmMs?: number | undefined;
}

export const DEFAULT_NAMESPACE = 'scheduler';
/** A confirmation that takes longer than this is not waited for, whatever the attempt's own deadline. */
export const CONFIRM_TIMEOUT_MS = 10_000;

const ACCEPTED: Outcome = { kind: 'accepted', attempt: 'ACCEPTED' };
export const UNREACHABLE: Outcome = {
  kind: 'unanswered',
  attempt: 'NETWORK',
  reason: 'the broker cannot be reached',
  possibleDuplicate: false,
};
export const UNCONFIRMED: Outcome = {
  kind: 'unanswered',
  attempt: 'NETWORK',
  reason: 'the broker did not confirm',
  possibleDuplicate: true,
};
export const WENT_AWAY: Outcome = {
  kind: 'unanswered',
  attempt: 'NETWORK',
  reason: 'the broker went away',
  possibleDuplicate: true,
};

/** The broker answered, and has not taken the message. */
export function notTaken(reason: string): Outcome {
  return { kind: 'unanswered', attempt: 'FAILED', reason, possibleDuplicate: false };
}

/** Delivers to an EVENT or QUEUE target over a broker. Never throws. */
export async function published<Client>(
  broker: Broker<Client>,
  delivery: Delivery,
  signal: StopSignal,
): Promise<Outcome> {
  const message = brokerMessage(delivery);
  if (message === null) return wrongKind(delivery.version.definition.target.kind);
  const problem = topicProblem(message.topic);
  if (problem !== null) return { kind: 'refused', attempt: 'REFUSED', why: 'REFUSED', reason: problem };
  if (signal.aborted) return endedBySignal(signal, false);
  const client = await untilAborted<Client | null>(
    broker.client().catch(() => null),
    signal,
    () => null,
  );
  if (signal.aborted) return endedBySignal(signal, false);
  if (client === null) return UNREACHABLE;
  try {
    const accepted = broker.publish(client, message).then(() => ACCEPTED);
    return await untilAborted(accepted, signal, () => endedBySignal(signal, true));
  } catch (error) {
    return broker.outcomeOf(error);
  }
}
