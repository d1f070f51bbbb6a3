import type { IncomingHttpHeaders } from 'node:http';
import type { Outcome } from '../../domain/entities/run.ts';

/** What came back: the status line and headers, and the first bytes of the body where it matters. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly beginning: readonly Buffer[];
}

const ACCEPTED: ReadonlyMap<number, Outcome> = new Map(
  Array.from({ length: 100 }, (_, index) => {
    const httpStatus = 200 + index;
    return [httpStatus, { kind: 'accepted', attempt: 'ACCEPTED', httpStatus }];
  }),
);
const RETRYABLE = new Set([408, 425, 429]);
/** A Retry-After of more than this (30 days) says nothing that the schedule's own policy would not cap. */
const MAX_RETRY_AFTER_SEC = 30 * 24 * 60 * 60;

/**
 * 2xx is accepted; 408, 425, 429 and 5xx are tried again, after Retry-After when it is given; 410 is gone; anything else,
 * redirects with it, is refused. `now` (epoch ms) reads a Retry-After that is a date.
 */
export function outcomeOfAnswer(answer: HttpAnswer, now: number): Outcome {
  const { status: httpStatus } = answer;
  const accepted = ACCEPTED.get(httpStatus);
  if (accepted !== undefined) return accepted;
  const base = { attempt: 'HTTP_STATUS', httpStatus } as const;
  const reason = `HTTP ${httpStatus}`;
  const responseSnippet = snippetOf(answer);
  if (httpStatus >= 500 || RETRYABLE.has(httpStatus)) {
    return {
      kind: 'unanswered',
      ...base,
      reason,
      responseSnippet,
      retryAfterMs: retryAfterMs(firstOf(answer.headers, 'retry-after'), now),
    };
  }
  return { kind: 'refused', ...base, reason, responseSnippet, why: httpStatus === 410 ? 'GONE' : 'REFUSED' };
}

/** undici hands over a list where a receiver says a header twice; its types do not tell. */
function firstOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value: string | readonly string[] | undefined = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,15}$/.test(text)) return Math.min(Number(text), MAX_RETRY_AFTER_SEC) * 1000;
  if (!/^[A-Z][a-z]{2},? /.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at - now, 0), MAX_RETRY_AFTER_SEC * 1000);
}

/** The beginning of the body as text: none for an encoded or empty one; control characters that a database or terminal chokes on are replaced. */
function snippetOf(answer: HttpAnswer): string | undefined {
  const encoding = firstOf(answer.headers, 'content-encoding');
  if (answer.beginning.length === 0 || (encoding !== undefined && encoding !== 'identity')) return undefined;
  const text = new TextDecoder().decode(Buffer.concat(answer.beginning), { stream: true });
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '\ufffd');
}
