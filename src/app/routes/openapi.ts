import { z } from 'zod';
import type { Api } from './api.ts';

/** `GET /openapi.json`. */
export function openApiRoute(api: Api): void {
  api.route({
    method: 'GET',
    url: '/openapi.json',
    schema: {
      operationId: 'getOpenApi',
      summary: 'This document',
      tags: ['meta'],
      response: {
        200: z
          .custom<object>((value) => value !== null && typeof value === 'object')
          .meta({ description: 'OpenAPI 3.1' }),
      },
    },
    handler: async (_request, reply) => reply.send(api.swagger()),
  });
}
