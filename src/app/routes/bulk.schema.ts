import { z } from 'zod';
import { instant, line, whole } from './fields.ts';
import { problem } from './problem.schema.ts';
import { tenantId } from './request-parts.ts';
import { scheduleBody, scheduleKey } from './schedule-input.ts';
import { missedChoice } from './schedules.schema.ts';

export const MOST_ITEMS = 1000;

const ifMatch = whole(1, 2_147_483_647)
  .nullable()
  .default(null)
  .meta({ description: 'The version the change is based on' });

const id = z
  .string()
  .meta({ format: 'uuid', examples: ['0198c5b2-7a31-7c44-9d0e-2f6b8a1c3e55'] })
  .optional();

/** The schedule at hand, by one of its two names. */
const address = { id, key: scheduleKey.optional() };

const create = z.strictObject({ op: z.literal('CREATE'), schedule: scheduleBody });
const upsert = z.strictObject({
  op: z.literal('UPSERT'),
  schedule: scheduleBody.meta({ description: 'Its key says which' }),
  ifMatch,
});
const remove = z.strictObject({ op: z.literal('DELETE'), ...address, ifMatch });
const pause = z.strictObject({
  op: z.literal('PAUSE'),
  ...address,
  ifMatch,
  note: line(1000, 0).nullable().default(null),
  resumeAt: instant
    .transform((at) => new Date(at).toISOString())
    .nullable()
    .default(null),
});
const resume = z.strictObject({
  op: z.literal('RESUME'),
  ...address,
  ifMatch,
  missed: missedChoice.default('SKIP'),
});

/** One operation of many. */
export const bulkItem = z
  .discriminatedUnion('op', [create, upsert, remove, pause, resume], {
    error: 'must be an object whose op is CREATE, UPSERT, DELETE, PAUSE or RESUME',
  })
  .meta({ id: 'BulkItem' });

export type GivenItem = z.output<typeof bulkItem>;

/** Items are read one by one, so that one that is wrong is refused alone. */
export const bulkBody = z
  .strictObject({
    tenantId,
    atomic: z.boolean().default(false).meta({ description: 'All items or none' }),
    items: z
      .array(z.unknown().meta({ $ref: '#/components/schemas/BulkItemInput' }))
      .min(1)
      .max(MOST_ITEMS),
  })
  .meta({ id: 'BulkBody' });

export const bulkShown = z
  .object({
    succeeded: z.int(),
    refused: z.int(),
    items: z
      .array(
        z.object({
          index: z.int(),
          status: z.int().meta({ description: "What the item's single route would answer" }),
          result: z.enum(['CREATED', 'REPLACED', 'UNCHANGED', 'DELETED', 'PAUSED', 'RESUMED', 'REFUSED']),
          id: z.string().nullable(),
          key: z.string().nullable(),
          version: z.int().nullable(),
          problem: problem.nullable().meta({ description: 'Its paths start at the body: items.3.schedule.trigger' }),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'BulkAnswer' });
