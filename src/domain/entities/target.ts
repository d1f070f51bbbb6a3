import type { JsonValue } from './json.ts';

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

/** Stands for a header's value wherever a target is shown: values may be credentials, so none ever leaves. */
export const MASK = '********';

/** The target as it may be shown. */
export function maskedTarget(target: Target): Target {
  if (target.kind !== 'HTTP') return target;
  const headers = Object.fromEntries(Object.keys(target.http.headers).map((name) => [name, MASK]));
  return { ...target, http: { ...target.http, headers } };
}
