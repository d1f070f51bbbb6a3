import { z } from 'zod';
import type { JsonValue } from '../../domain/entities/json.ts';
import { durationMs } from '../../domain/time/duration.ts';
import { canonicalZone, parseInstant } from '../../domain/time/zone.ts';

const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const EARLIEST = Date.UTC(1970, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);
const INTEGER = /^-?\d{1,15}$/;

/** One line of text of `min` to `max` characters: no line breaks, no control characters. */
export function line(max: number, min = 1): z.ZodString {
  return text(max, min).refine((value) => !CONTROL.test(value), {
    error: 'must be one line without control characters',
  });
}

/** Text of `min` to `max` characters, which are code points here and in the API's description. */
export function text(max: number, min = 0): z.ZodString {
  const bounds = min > 0 ? { minLength: min, maxLength: max } : { maxLength: max };
  return z
    .string()
    .refine((value) => value.length <= 2 * max && [...value].length <= max, {
      error: `must be at most ${max} characters long`,
    })
    .refine((value) => value.length >= min, {
      error: min === 1 ? 'must not be empty' : `must be at least ${min} characters long`,
    })
    .meta(bounds);
}

/** Text that matches `pattern`; `form` says in words what that is. */
export function matching(pattern: RegExp, form: string): z.ZodString {
  return z.string().regex(pattern, { error: `must be ${form}` });
}

export function whole(min: number, max: number): z.ZodInt {
  return z.int().min(min).max(max);
}

/** A whole number in a query string, where everything is text. */
export function wholeInQuery(min: number, max: number): z.ZodPreprocess<z.ZodInt> {
  return z.preprocess(
    (value) => (typeof value === 'string' && INTEGER.test(value) ? Number(value) : value),
    whole(min, max),
  );
}

/** An instant, RFC 3339 with `Z` or an offset, from 1970 up to 2200; becomes epoch milliseconds. */
export const instant = z
  .string()
  .meta({ format: 'date-time', examples: ['2026-03-29T01:00:00.000Z'] })
  .transform((value, context) => {
    const at = parseInstant(value);
    if (at !== null && at >= EARLIEST && at < LATEST) return at;
    const form = 'an RFC 3339 instant such as 2026-03-29T01:00:00Z';
    context.addIssue({ code: 'custom', message: at === null ? `must be ${form}` : 'must lie between 1970 and 2199' });
    return z.NEVER;
  });

/** An instant in an answer, RFC 3339 with milliseconds in UTC. It is text before JSON is made of it: `JSON.stringify` takes eight times as long where it meets a Date. */
export const instantShown = z.codec(z.string(), z.date(), {
  decode: (text) => new Date(text),
  encode: (at) => at.toISOString(),
});

/** As `instant`; becomes a Date. */
export const moment = instant.transform((at) => new Date(at));

/** An IANA time zone; becomes its canonical spelling. */
export const zone = z
  .string()
  .meta({ description: 'IANA time zone', examples: ['Europe/Berlin'] })
  .transform((value, context) => {
    const canonical = canonicalZone(value);
    if (canonical !== null) return canonical;
    context.addIssue({ code: 'custom', message: 'must be an IANA time zone such as Europe/Berlin' });
    return z.NEVER;
  });

/** An ISO 8601 duration without calendar parts, at most a day. */
export const jitter = z
  .string()
  .refine((value) => durationMs(value) !== null, { error: 'must be an ISO 8601 duration such as PT30S' })
  .meta({ description: 'ISO 8601 duration, at most 24 hours', examples: ['PT30S'] });

/** Any JSON value. */
export const json = z.custom<JsonValue>((value) => value !== undefined, { error: 'is required' });
