import { z } from 'zod';
import { asScheduleId, decodeRunId } from '../../domain/ids.ts';
import type { Redrive } from '../../domain/ports/redrive-repository.ts';
import { failsAs } from '../middleware/field-problems.ts';
import { instant, instantShown, whole } from './fields.ts';
import { tenantId } from './request-parts.ts';
import { runCause } from './run-shown.ts';
import { scheduleId } from './runs.schema.ts';

const MOST_IDS = 1000;
const DEFAULT_RATE = 50;
const FASTEST = 1000;

const runId = z
  .string()
  .meta({ examples: ['06ejgp3hg000000006ccbcjq65u4978e5tlok71uak'] })
  .transform((text, context) => {
    const key = decodeRunId(text);
    if (key !== null) return key;
    context.addIssue({ code: 'custom', message: 'must be the id of a run' });
    return z.NEVER;
  });

const filter = z.strictObject({
  scheduleId: scheduleId.optional(),
  cause: runCause.optional(),
  from: instant.optional().meta({ description: 'Of the slot, inclusive' }),
  to: instant.optional().meta({ description: 'Of the slot, exclusive' }),
});

/** `POST /dead-letters/redrive`. */
export const redriveBody = z
  .strictObject({
    tenantId,
    ids: z
      .array(runId)
      .min(1)
      .max(MOST_IDS)
      .optional()
      .meta({ description: 'Runs, by id; those that are not dead are passed over' }),
    filter: filter.optional().meta({ description: 'Or all dead runs that fit; {} is all there are' }),
    ratePerSec: whole(1, FASTEST).default(DEFAULT_RATE).meta({ description: 'Runs put back a second, over all nodes' }),
  })
  .refine(({ ids, filter: given }) => (ids === undefined) !== (given === undefined), {
    path: ['ids'],
    error: 'must be given, or filter: one of the two',
  })
  .meta({ id: 'RedriveBody' });

/** The path of one redrive; what cannot be an id is a redrive that does not exist. */
export const redriveParams = z.strictObject({
  id: z
    .string()
    .meta({ format: 'uuid', examples: ['0198c5b2-9c11-7d02-8a41-5e0f6a7b8c9d'] })
    .refine((text) => asScheduleId(text) !== null, { error: 'no such redrive', params: failsAs('NOT_FOUND') }),
});

export const redriveShown = z
  .object({
    id: z.string(),
    state: z.enum(['RUNNING', 'DONE', 'CANCELLED']),
    ratePerSec: z.int(),
    redriven: z.int().meta({ description: 'Runs put back so far' }),
    createdAt: instantShown,
    createdBy: z.string(),
    endedAt: instantShown.nullable(),
  })
  .meta({ id: 'Redrive' });

export const redriveList = z.object({ items: z.array(redriveShown) }).meta({ id: 'RedriveList' });

/** What an answer says of a redrive. */
export function showRedrive(redrive: Redrive): z.output<typeof redriveShown> {
  const { id, state, ratePerSec, redriven, createdAt, createdBy, endedAt } = redrive;
  return { id, state, ratePerSec, redriven, createdAt, createdBy, endedAt };
}
