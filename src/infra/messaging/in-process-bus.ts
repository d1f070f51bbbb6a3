import type { Outcome } from '../../domain/entities/run.ts';
import type { Delivery, Sender, StopSignal } from '../../domain/ports/sender.ts';
import { type BrokerMessage, brokerMessage } from './broker-message.ts';
import { endedBySignal, reasonOf, wrongKind } from './ended-attempt.ts';

/** Stands in for a broker inside one process: a message counts as delivered when the function has taken it. */
export class InProcessBus implements Sender {
  readonly #receive: (message: BrokerMessage) => void;

  constructor(receive: (message: BrokerMessage) => void) {
    this.#receive = receive;
  }

  send(delivery: Delivery, signal: StopSignal): Outcome {
    const message = brokerMessage(delivery);
    if (message === null) return wrongKind(delivery.version.definition.target.kind);
    if (signal.aborted) return endedBySignal(signal, false);
    try {
      this.#receive(message);
      return { kind: 'accepted', attempt: 'ACCEPTED' };
    } catch (error) {
      return { kind: 'unanswered', attempt: 'FAILED', reason: reasonOf(error) };
    }
  }
}
