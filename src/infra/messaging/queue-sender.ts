import type { Outcome } from '../../domain/entities/run.ts';
import { OPTIONS_OF, type QueueDriver, type QueueTarget } from '../../domain/entities/target.ts';
import type { Delivery, Sender, StopSignal } from '../../domain/ports/sender.ts';
import { wrongKind } from './ended-attempt.ts';

export interface QueueSenderParts {
  /** Of the brokers that this deployment has. */
  readonly drivers: ReadonlyMap<QueueDriver, Sender>;
  /** Of targets that name none; null: there is no broker. */
  readonly usual: QueueDriver | null;
  /** Takes what has no broker; null: nobody does. */
  readonly bus: Sender | null;
}

/** The variable that names each driver's broker. */
export const QUEUE_BROKERS = { NATS: 'NATS_URL', REDIS: 'QUEUE_REDIS_URL', AMQP: 'AMQP_URL' } as const;

/** Delivers to QUEUE targets, each by the driver it names. */
export class QueueSender implements Sender {
  readonly #parts: QueueSenderParts;

  constructor(parts: QueueSenderParts) {
    this.#parts = parts;
  }

  /** Why a message could never be delivered from this deployment, and which field says so; null when it can be. */
  problemOf({ topic, driver, options = {} }: QueueTarget): { readonly field: string; readonly message: string } | null {
    if (this.#senderOf(driver) === null)
      return { field: driver === undefined ? 'topic' : 'driver', message: noBroker(driver) };
    const named = Object.keys(options);
    if (driver === undefined && named.length > 0)
      return { field: 'driver', message: 'options are a driver’s: it must be named' };
    const by = driver ?? this.#parts.usual;
    const unheeded = by === null ? undefined : named.find((name) => !OPTIONS_OF[by].some((known) => known === name));
    if (unheeded !== undefined) return { field: `options.${unheeded}`, message: `the driver ${by} does not heed it` };
    return by === 'REDIS' && topic.includes(':')
      ? { field: 'topic', message: 'a queue of BullMQ has no ":" in its name' }
      : null;
  }

  send(delivery: Delivery, signal: StopSignal): Outcome | Promise<Outcome> {
    const { target } = delivery.version.definition;
    if (target.kind !== 'QUEUE') return wrongKind(target.kind);
    const { driver } = target.queue;
    const sender = this.#senderOf(driver);
    // A schedule from before the broker was taken away waits for its return, as long as its policy allows.
    return sender?.send(delivery, signal) ?? { kind: 'unanswered', attempt: 'NETWORK', reason: noBroker(driver) };
  }

  #senderOf(driver: QueueDriver | undefined): Sender | null {
    const { drivers, usual, bus } = this.#parts;
    const by = driver ?? usual;
    return (by === null ? undefined : drivers.get(by)) ?? bus;
  }
}

function noBroker(driver: QueueDriver | undefined): string {
  const variables = driver === undefined ? Object.values(QUEUE_BROKERS).join(', ') : QUEUE_BROKERS[driver];
  return `no broker is configured (${variables})`;
}
