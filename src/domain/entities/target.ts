import type { JsonValue } from './json.ts';
import { maskedValue } from './secret.ts';

/** Where a run is delivered. */
export type Target =
  | { readonly kind: 'HTTP'; readonly http: HttpTarget }
  | { readonly kind: 'EVENT'; readonly eventTopic: string }
  | { readonly kind: 'QUEUE'; readonly queue: QueueTarget }
  | { readonly kind: 'COMMAND'; readonly command: { readonly name: string } };

export type TargetKind = Target['kind'];

export interface HttpTarget {
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  readonly headers: { readonly [name: string]: string };
  /** Sent instead of the schedule's payload. */
  readonly body?: JsonValue | undefined;
}

/** The kinds of broker that hold queues: JetStream, BullMQ on Redis, RabbitMQ. */
export type QueueDriver = 'NATS' | 'REDIS' | 'AMQP';

export interface QueueTarget {
  readonly topic: string;
  /** Left out: the deployment's. */
  readonly driver?: QueueDriver | undefined;
  readonly options?: QueueOptions | undefined;
}

/** What some drivers heed of a message; see {@link OPTIONS_OF}. */
export interface QueueOptions {
  /** The name of the job; left out, the topic. */
  readonly jobName?: string | undefined;
  /** How often its worker tries the job in all; left out, once. */
  readonly attempts?: number | undefined;
  /** As the broker counts it: the lowest comes first on Redis, the highest in RabbitMQ. */
  readonly priority?: number | undefined;
  /** Seconds after which the broker drops a message that nobody has taken. */
  readonly ttlSec?: number | undefined;
}

/** Which options each driver heeds. */
export const OPTIONS_OF: Readonly<Record<QueueDriver, readonly (keyof QueueOptions)[]>> = {
  NATS: [],
  REDIS: ['jobName', 'attempts', 'priority'],
  AMQP: ['priority', 'ttlSec'],
};

/** The target as it may be shown. */
export function maskedTarget(target: Target): Target {
  if (target.kind !== 'HTTP') return target;
  const shown = Object.entries(target.http.headers).map(([name, value]) => [name, maskedValue(value)]);
  return { ...target, http: { ...target.http, headers: Object.fromEntries(shown) } };
}
