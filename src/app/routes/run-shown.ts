import { z } from 'zod';
import type { RunRow } from '../../domain/entities/run.ts';
import { encodeRunId, traceIdOf } from '../../domain/ids.ts';
import { instantShown } from './fields.ts';

export const runState = z.enum(['PENDING', 'RUNNING', 'RETRYING', 'SUCCEEDED', 'CANCELLED', 'SKIPPED', 'DEAD']);
export const runCause = z.enum(['SCHEDULE', 'CATCH_UP', 'MANUAL', 'BACKFILL', 'WORKFLOW']);
const runReason = z.enum([
  'OVERLAP',
  'MISFIRE',
  'PAUSED',
  'CALENDAR',
  'QUOTA',
  'BY_USER',
  'DELETED',
  'EXHAUSTED',
  'REFUSED',
  'GONE',
  'MAX_AGE',
  'EGRESS',
  'POISON',
  'BREAKER',
]);
const outcome = z.enum([
  'ACCEPTED',
  'HTTP_STATUS',
  'TIMEOUT',
  'NETWORK',
  'EGRESS_DENIED',
  'REFUSED',
  'FAILED',
  'ABORTED',
]);

const attempt = z
  .object({
    number: z.int(),
    startedAt: z.string(),
    endedAt: z.string(),
    outcome,
    httpStatus: z.int().optional(),
    error: z.string().optional(),
    responseSnippet: z.string().optional(),
    possibleDuplicate: z
      .boolean()
      .optional()
      .meta({ description: 'The request may have reached the target although no answer came' }),
  })
  .meta({ id: 'Attempt' });

/** A run as answers show it. */
export const runShown = z
  .object({
    id: z.string().meta({ description: 'Deterministic from schedule and slot: the same over every retry' }),
    scheduleId: z.string(),
    tenantId: z.string(),
    cause: runCause,
    scheduledFor: instantShown.meta({ description: 'The nominal slot' }),
    state: runState,
    reason: runReason.nullable().meta({
      description:
        'Why it was SKIPPED, CANCELLED or is DEAD. BREAKER while it is RETRYING: its destination does not answer, so that its attempt was put off',
    }),
    range: z
      .object({ from: z.string(), to: z.string(), count: z.int().nullable() })
      .nullable()
      .meta({ description: 'Of a SKIPPED stretch' }),
    attempts: z.array(attempt),
    latenessMs: z.int().nullable().meta({ description: 'From due to the first attempt' }),
    durationMs: z.int().nullable(),
    startedAt: instantShown.nullable(),
    endedAt: instantShown.nullable(),
    nextAttemptAt: instantShown.nullable(),
    traceId: z.string(),
    scheduleVersion: z.int(),
  })
  .meta({ id: 'Run' });

/** What an answer says of a run. */
export function showRun(run: RunRow): z.output<typeof runShown> {
  const { startedAt, endedAt, due, slot, version } = run;
  return {
    ...run,
    id: encodeRunId(run),
    scheduledFor: new Date(slot),
    attempts: [...run.attempts],
    latenessMs: startedAt === null ? null : startedAt.getTime() - due.getTime(),
    durationMs: startedAt === null || endedAt === null ? null : endedAt.getTime() - startedAt.getTime(),
    traceId: traceIdOf(run),
    scheduleVersion: version,
  };
}
