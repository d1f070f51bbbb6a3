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

export interface QueueTarget {
  readonly topic: string;
  readonly driver?: 'NATS' | undefined;
}

/** The target as it may be shown. */
export function maskedTarget(target: Target): Target {
  if (target.kind !== 'HTTP') return target;
  const shown = Object.entries(target.http.headers).map(([name, value]) => [name, maskedValue(value)]);
  return { ...target, http: { ...target.http, headers: Object.fromEntries(shown) } };
}
