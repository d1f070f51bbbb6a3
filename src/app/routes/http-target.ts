import type { z } from 'zod';
import { isTemplate, MASK, MOST_REFERENCES, sealedIn, secretNamesIn } from '../../domain/entities/secret.ts';

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const MAX_HEADERS = 50;
const MAX_VALUE_LENGTH = 4096;

/** Names that belong to the connection or to the framing of the message, or that the service sets itself. */
const RESERVED = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'idempotency-key',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'traceparent',
  'tracestate',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const RESERVED_PREFIX = /^(?:webhook-|x-scheduler-|:)/;

type Check = z.core.$RefinementCtx;

/** Adds an issue unless the text is an http or https URL that a delivery could be made to. */
export function checkUrl(value: string, context: Check): void {
  const problem = urlProblem(value);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
}

/** Adds an issue for each header that a delivery must not carry. Values are not repeated in the issues. */
export function checkHeaders(headers: Readonly<Record<string, string>>, context: Check): void {
  const seen = new Set<string>();
  if (Object.keys(headers).length > MAX_HEADERS)
    context.addIssue({ code: 'custom', message: `must be at most ${MAX_HEADERS} headers` });
  const references = Object.values(headers).flatMap((value) => secretNamesIn(value) ?? []).length;
  if (references > MOST_REFERENCES)
    context.addIssue({ code: 'custom', message: `must refer to secrets at most ${MOST_REFERENCES} times` });
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    const problem = seen.has(lower) ? 'is given twice' : (nameProblem(lower) ?? valueProblem(value));
    if (problem !== null) context.addIssue({ code: 'custom', path: [name], message: problem });
    seen.add(lower);
  }
}

function urlProblem(value: string): string | null {
  if (value.length > 2048) return 'must be at most 2048 characters long';
  if (/[\p{Cc}\s]/u.test(value) || !URL.canParse(value)) return 'must be an absolute http or https URL';
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must be an absolute http or https URL';
  if (url.username !== '' || url.password !== '')
    return 'must not hold a user name or password: send credentials in a header';
  return null;
}

function nameProblem(lower: string): string | null {
  if (RESERVED.has(lower) || RESERVED_PREFIX.test(lower))
    return 'is set by the service or by the connection and cannot be given';
  return TOKEN.test(lower) ? null : 'is not a header name';
}

function valueProblem(value: string): string | null {
  if (isTemplate(value) && secretNamesIn(value) === null)
    return 'refers to a secret as {{secret:NAME}}; a name is a letter and at most 99 letters, digits, _, . or -';
  if (sealedIn(value) !== null) return 'was sealed with a key that this deployment does not have: send the value';
  if (value === MASK)
    return 'is the mask that answers show instead of values: send the value, or leave the header out of a PATCH to keep it';
  if (value.length > MAX_VALUE_LENGTH) return `must be at most ${MAX_VALUE_LENGTH} characters long`;
  return VALUE.test(value) ? null : 'holds characters that a header value cannot';
}
