import { z } from 'zod';
import type { JsonValue } from '../../domain/entities/json.ts';
import type { Outcome } from '../../domain/entities/run.ts';
import { asScheduleId } from '../../domain/ids.ts';
import type { Parcel } from '../../domain/ports/courier.ts';
import type { Delivery } from '../../domain/ports/sender.ts';
import type { StreamNeed } from './nats-connection.ts';

/*
 * What engines and workers say to each other through NATS. An engine publishes a parcel to the stream `work`. A worker that
 * was given it asks the engine whether it may BEGIN, makes the attempt, and hands the outcome over with END; the engine answers
 * each. When the outcome has been written to the database, the engine acknowledges the parcel. `stop` tells workers that an
 * attempt is no longer wanted.
 */

/** Nothing waits longer here than any engine waits for it. */
const MAX_AGE_MS = 60 * 60_000;
const MAX_MESSAGES = 200_000;

export interface DispatchNames {
  readonly stream: StreamNeed;
  readonly work: string;
  readonly stop: string;
  /** Of one engine. */
  inbox(engine: string): string;
}

export const CONSUMER = 'workers';

/** `namespace`: of all processes on one database. */
export function dispatchNames(namespace: string): DispatchNames {
  const work = `${namespace}.dispatch.work`;
  const name = `${namespace.toUpperCase()}_DISPATCH`;
  return {
    stream: {
      name,
      subjects: work,
      retention: 'queue',
      limits: { max_age: MAX_AGE_MS * 1_000_000, max_msgs: MAX_MESSAGES },
    },
    work,
    stop: `${namespace}.dispatch.stop`,
    inbox: (engine) => `${namespace}.dispatch.engine.${engine}`,
  };
}

const parcelWords = z.object({
  inbox: z.string(),
  token: z.string(),
  scheduleId: z.string(),
  slot: z.number(),
  space: z.number(),
  version: z.number(),
  cause: z.enum(['SCHEDULE', 'CATCH_UP', 'MANUAL', 'BACKFILL', 'WORKFLOW']),
  attempt: z.number(),
  due: z.number(),
  payload: z.custom<JsonValue>().optional(),
  traceparent: z.string().nullable(),
});

/** A parcel on its way: which engine waits for it, and what it calls it. */
export interface PassedParcel {
  readonly inbox: string;
  readonly token: string;
  readonly parcel: Parcel;
}

export function parcelText(delivery: Delivery, { inbox, token }: Omit<PassedParcel, 'parcel'>): string {
  const { key, version, cause, attempt, due, payload, trace } = delivery;
  const isOwn = payload !== version.definition.payload;
  const words: z.infer<typeof parcelWords> = {
    inbox,
    token,
    ...key,
    version: version.version,
    cause,
    attempt,
    due,
    ...(isOwn && { payload }),
    traceparent: trace?.traceparent ?? null,
  };
  return JSON.stringify(words);
}

/** Null where it is none. */
export function parcelIn(text: string): PassedParcel | null {
  const read = parcelWords.safeParse(jsonIn(text));
  if (!read.success) return null;
  const { inbox, token, scheduleId: id, slot, space, ...rest } = read.data;
  const scheduleId = asScheduleId(id);
  return scheduleId === null ? null : { inbox, token, parcel: { ...rest, key: { scheduleId, slot, space } } };
}

const attempt = z.enum([
  'ACCEPTED',
  'HTTP_STATUS',
  'TIMEOUT',
  'NETWORK',
  'EGRESS_DENIED',
  'REFUSED',
  'FAILED',
  'ABORTED',
]);
const answer = {
  attempt,
  httpStatus: z.number().optional(),
  reason: z.string().optional(),
  responseSnippet: z.string().optional(),
  possibleDuplicate: z.boolean().optional(),
};
const outcome: z.ZodType<Outcome> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('accepted'), ...answer }),
  z.object({ kind: z.literal('refused'), why: z.enum(['REFUSED', 'GONE', 'EGRESS']), ...answer }),
  z.object({ kind: z.literal('unanswered'), retryAfterMs: z.number().optional(), ...answer }),
  z.object({ kind: z.literal('aborted'), retryAfterMs: z.number().optional(), ...answer }),
]);

/** `round`: how often the stream has given the parcel to a worker; a later one means that the one before is gone. */
const question = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('BEGIN'), token: z.string(), round: z.number() }),
  z.object({ ask: z.literal('END'), token: z.string(), outcome, ack: z.string() }),
]);
export type Question = z.infer<typeof question>;

/** GO: begin. TAKEN: the engine has the outcome. OVER: nobody waits for this parcel any more. */
export type Reply = 'GO' | 'TAKEN' | 'OVER';

/** Null where it is none. */
export function questionIn(text: string): Question | null {
  return question.safeParse(jsonIn(text)).data ?? null;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
