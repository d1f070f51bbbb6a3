import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const ZERO = '0'.repeat(32);

/** The request's W3C trace id: the caller's where a valid `traceparent` names one, else a new one. 32 hex digits. */
export function traceIdOfRequest(request: IncomingMessage): string {
  const header = request.headers['traceparent'];
  const named = typeof header === 'string' ? TRACEPARENT.exec(header)?.[1] : undefined;
  return named === undefined || named === ZERO ? newTraceId() : named;
}

/** A UUID without its dashes: random enough, and cheaper than asking for random bytes one by one. */
export function newTraceId(): string {
  return randomUUID().replaceAll('-', '');
}
