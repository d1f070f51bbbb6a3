import { z } from 'zod';
import type { ScheduleEntity } from '../../domain/entities/schedule.ts';
import { maskedTarget } from '../../domain/entities/target.ts';
import { instantShown, json } from './fields.ts';
import { dst, misfirePolicy, onCompletion, onExcluded, overlapPolicy, scope } from './schedule-input.ts';
import { targetShown } from './target.schema.ts';
import { trigger } from './trigger.schema.ts';

export const scheduleState = z.enum(['ACTIVE', 'PAUSED', 'DISABLED', 'COMPLETED']);

/** A schedule as answers show it. */
export const scheduleShown = z
  .object({
    id: z.string(),
    tenantId: z.string(),
    name: z.string(),
    key: z.string().nullable(),
    description: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    scope,
    organizationId: z.string().nullable(),
    tz: z.string(),
    trigger,
    target: targetShown,
    payload: json,
    enabled: z.boolean(),
    state: scheduleState,
    stateReason: z.string().nullable().meta({
      description:
        'Why the service, and no person, left the schedule in its state, such as a target that answered 410; else null',
    }),
    pause: z
      .object({ note: z.string().nullable(), by: z.string(), at: z.string(), resumeAt: z.string().nullable() })
      .nullable(),
    startAt: instantShown.nullable(),
    endAt: instantShown.nullable(),
    maxFires: z.int().nullable(),
    jitter: z.string().nullable(),
    dst,
    calendars: z.object({ exclude: z.array(z.string()).readonly(), onExcluded }).nullable(),
    overlapPolicy,
    misfire: z.object({ policy: misfirePolicy, thresholdSec: z.number(), windowSec: z.number() }),
    retry: z.object({
      maxAttempts: z.number(),
      initialDelaySec: z.number(),
      backoffCoefficient: z.number(),
      maxDelaySec: z.number(),
      jitter: z.number(),
      maxAgeSec: z.number(),
    }),
    timeoutSec: z.int(),
    pauseOnFailures: z.int().nullable(),
    onCompletion,
    nextFireAt: instantShown.nullable().meta({
      description:
        'The next slot that becomes a run, where its calendar puts it; null unless ACTIVE, and while a run must end first',
    }),
    lastFireAt: instantShown.nullable(),
    fireCount: z.int(),
    version: z.int().meta({ description: 'Grows with every change; the ETag' }),
    createdAt: instantShown,
    updatedAt: instantShown,
    createdBy: z.string(),
  })
  .meta({ id: 'Schedule' });

/** What an answer says of a schedule. */
export function showSchedule({ state, timer, nextFireAt }: ScheduleEntity): z.output<typeof scheduleShown> {
  return {
    ...state,
    target: maskedTarget(state.target),
    enabled: state.state === 'ACTIVE' || state.state === 'COMPLETED',
    nextFireAt,
    lastFireAt: timer.lastFired === null ? null : new Date(timer.lastFired),
    fireCount: timer.fires,
  };
}
