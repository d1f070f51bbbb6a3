import { callerOf } from '../middleware/access.ts';
import { readIdempotencyKey } from '../middleware/idempotency.ts';
import type { Api, ApiParts } from './api.ts';
import { bulkBody, bulkShown } from './bulk.schema.ts';
import { readItem, showResult } from './bulk-items.ts';
import { problems, WITH_DEFINITION } from './problem.schema.ts';
import { idempotencyHeaders, noQuery } from './request-parts.ts';

/** Many operations on schedules in one request. */
export function bulkRoutes(api: Api, { bulk }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/schedules/bulk',
    schema: {
      operationId: 'bulkSchedules',
      summary: 'Create, replace, delete, pause and resume many schedules at once',
      description:
        'Up to 1,000 items in one transaction. Each is answered for itself, as its single route would; a refused one changes nothing. With `atomic` all items happen or none: then the answer is the problem of the first refused item, with the places of all. No two items may name the same schedule.',
      tags: ['schedules'],
      headers: idempotencyHeaders,
      querystring: noQuery,
      body: bulkBody,
      response: {
        200: bulkShown,
        ...problems(
          ...WITH_DEFINITION,
          'NOT_FOUND',
          'ALREADY_EXISTS',
          'CONFLICT',
          'PRECONDITION_FAILED',
          'IDEMPOTENCY_MISMATCH',
        ),
      },
    },
    preValidation: readIdempotencyKey,
    handler: async (request, reply) => {
      const caller = callerOf(request);
      const { results, replayed } = await bulk.apply(caller, {
        atomic: request.body.atomic,
        items: request.body.items.map((item) => readItem(caller, request.roles ?? [], item)),
        idempotency: request.idempotency,
      });
      if (replayed) reply.header('idempotent-replayed', 'true');
      const items = results.map((result, index) => showResult(result, index, request.id));
      const refused = results.filter(({ did }) => did === 'REFUSED').length;
      return reply.send({ succeeded: items.length - refused, refused, items });
    },
  });
}
