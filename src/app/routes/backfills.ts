import { z } from 'zod';
import { LARGEST_BACKFILL } from '../../domain/services/backfill-service.ts';
import { callerOf } from '../middleware/access.ts';
import type { Api, ApiParts } from './api.ts';
import { instant, instantShown, whole } from './fields.ts';
import { problems, WITH_BODY } from './problem.schema.ts';
import { noQuery, scheduleParams, tenantId } from './request-parts.ts';

const DEFAULT_LIMIT = 1000;

const backfillBody = z
  .strictObject({
    tenantId,
    from: instant.meta({ description: 'Inclusive' }),
    to: instant.meta({ description: 'Inclusive; what has not passed yet is left to the schedule' }),
    limit: whole(1, LARGEST_BACKFILL)
      .default(DEFAULT_LIMIT)
      .meta({ description: 'Refuse the request when the range holds more slots' }),
  })
  .meta({ id: 'BackfillBody' });

const backfillShown = z
  .object({
    id: z.string(),
    scheduleId: z.string(),
    from: instantShown,
    to: instantShown,
    count: z.int().meta({ description: 'Slots in the range; those that have a run are passed over' }),
    createdAt: instantShown,
  })
  .meta({ id: 'Backfill' });

/** Runs of past slots. */
export function backfillRoutes(api: Api, { backfills }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/schedules/:id/backfills',
    schema: {
      operationId: 'createBackfill',
      summary: 'Run past slots again',
      description:
        'Every slot in the range that has no run, or only a skipped record, becomes a run with cause BACKFILL, behind live runs and at a limited rate. Those that passed in a pause are left to its end, which decides on them.',
      tags: ['schedules'],
      params: scheduleParams,
      querystring: noQuery,
      body: backfillBody,
      response: {
        202: backfillShown,
        ...problems(...WITH_BODY, 'NOT_FOUND', 'CONFLICT', 'QUOTA_EXCEEDED', 'BACKFILL_TOO_LARGE'),
      },
    },
    handler: async (request, reply) => {
      const { from, to, limit } = request.body;
      const made = await backfills.request(callerOf(request), request.params.id, { from, to, limit });
      return reply.code(202).send({
        id: made.id,
        scheduleId: made.scheduleId,
        from: new Date(from),
        to: new Date(made.until),
        count: made.remaining,
        createdAt: made.createdAt,
      });
    },
  });
}
