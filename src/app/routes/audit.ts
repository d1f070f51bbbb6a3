import { callerOf } from '../middleware/access.ts';
import type { Api, ApiParts } from './api.ts';
import { auditPage, auditPosition, auditQuery, showAuditEntry } from './audit.schema.ts';
import { CursorList } from './paging.ts';
import { GUARDED, problems } from './problem.schema.ts';

/** Who changed what. */
export function auditRoutes(api: Api, { audit, cursors }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/audit',
    schema: {
      operationId: 'listAuditEntries',
      summary: 'List who changed what, newest first',
      description:
        'Every change that a request made, with the fields that differ before and after it. Values of headers and secrets are masked; fields longer than 2,048 characters are left out. With a filter a page looks at 1,000 entries at most, so that it may be short, or empty, before the end, where nextCursor is null.',
      tags: ['audit'],
      querystring: auditQuery,
      response: { 200: auditPage, ...problems(...GUARDED) },
    },
    handler: async (request, reply) => {
      const caller = callerOf(request);
      const { tenantId, cursor, limit, resource, ...rest } = request.query;
      const filter = { ...rest, ...resource };
      const list = new CursorList(cursors, auditPosition, {
        operation: 'listAuditEntries',
        caller,
        filter,
        sort: '-at',
      });
      const found = await audit.list(caller, { ...filter, ...list.window(request.query) });
      return reply.send({ items: found.items.map(showAuditEntry), nextCursor: list.nextCursor(found.next) });
    },
  });
}
