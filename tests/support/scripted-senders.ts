import type { Outcome } from '../../src/domain/entities/run.ts';
import type { RunId } from '../../src/domain/ids.ts';
import type { Delivery, Sender, Senders, StopSignal } from '../../src/domain/ports/sender.ts';

/** What a sender was asked to deliver, kept as it was then. */
export interface Sent {
  readonly runId: RunId;
  readonly slot: number;
  readonly attempt: number;
  readonly version: number;
  readonly target: Delivery['version']['definition']['target'];
  readonly payload: Delivery['payload'];
}

export const ACCEPTED: Outcome = { kind: 'accepted', attempt: 'ACCEPTED', httpStatus: 200 };
export const FAILED = { kind: 'unanswered', attempt: 'HTTP_STATUS', httpStatus: 503 } as const satisfies Outcome;
const BROKEN_OFF: Outcome = { kind: 'aborted', attempt: 'ABORTED', possibleDuplicate: true };

/** Senders that answer as a test says: at once, or, where `answer` says nothing, when {@link ScriptedSenders.release} is called. */
export class ScriptedSenders implements Senders {
  readonly sent: Sent[] = [];
  answer: (delivery: Delivery) => Outcome | null;
  /** Answers without a promise, as a synchronous command does. */
  isPrompt = false;
  #held: { readonly runId: RunId; readonly end: (outcome: Outcome) => void }[] = [];

  constructor(answer: (delivery: Delivery) => Outcome | null = () => ACCEPTED) {
    this.answer = answer;
  }

  /** Runs in flight that wait for {@link release}. */
  get held(): readonly RunId[] {
    return this.#held.map(({ runId }) => runId);
  }

  /** Answers every delivery that is held. */
  release(outcome: Outcome): void {
    for (const { end } of this.#held) end(outcome);
    this.#held = [];
  }

  of(): Sender {
    return { send: (delivery, signal) => this.#send(delivery, signal) };
  }

  check(): void {}

  #send(delivery: Delivery, signal: StopSignal): Outcome | Promise<Outcome> {
    const { runId, key, attempt, version, payload } = delivery;
    const { target } = version.definition;
    this.sent.push({ runId, slot: key.slot, attempt, version: version.version, target, payload });
    const answer = this.answer(delivery);
    if (answer !== null) return this.isPrompt ? answer : Promise.resolve(answer);
    return new Promise((resolve) => {
      this.#held.push({ runId, end: resolve });
      const stopped = (): void => resolve(isTimeout(signal.reason) ? TIMED_OUT : BROKEN_OFF);
      signal.addEventListener('abort', stopped, { once: true });
    });
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

const TIMED_OUT: Outcome = { kind: 'unanswered', attempt: 'TIMEOUT', possibleDuplicate: true };
