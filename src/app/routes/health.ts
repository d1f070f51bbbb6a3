import { z } from 'zod';
import type { HealthProbe } from '../../domain/ports/health.ts';
import { problemOf, sendProblem } from '../middleware/problem.ts';
import type { Api } from './api.ts';
import { problems } from './problem.schema.ts';

const tags = ['probes'];
const status = z.enum(['ok', 'degraded', 'down']);

const report = z
  .object({
    status,
    build: z.string(),
    version: z.string(),
    tzdata: z.string().meta({ description: 'Version of the time zone data' }),
    components: z.record(
      z.string(),
      z.object({ status, latencyMs: z.number().nullable(), detail: z.string().nullable() }),
    ),
  })
  .meta({ id: 'HealthReport' });

/** The probes; they ask for no token, wherever they are served. */
export function healthRoutes(api: Api, health: HealthProbe): void {
  api.route({
    method: 'GET',
    url: '/live',
    schema: {
      operationId: 'getLiveness',
      summary: 'Whether the process is alive',
      tags,
      response: { 200: z.object({ status: z.literal('ok') }), ...problems('UNAVAILABLE') },
    },
    handler: async (request, reply) => {
      if (health.live()) return reply.send({ status: 'ok' });
      return sendProblem(reply, problemOf('UNAVAILABLE', request.id, 'the process is stuck'));
    },
  });
  api.route({
    method: 'GET',
    url: '/ready',
    schema: {
      operationId: 'getReadiness',
      summary: 'Whether this process can do its work now',
      tags,
      response: { 200: z.object({ status: z.literal('ok') }), ...problems('UNAVAILABLE') },
    },
    handler: async (request, reply) => {
      const { ready, reason } = await health.ready();
      if (ready) return reply.send({ status: 'ok' });
      return sendProblem(reply, problemOf('UNAVAILABLE', request.id, reason ?? 'not ready'));
    },
  });
  healthReport(api, health);
}

function healthReport(api: Api, health: HealthProbe): void {
  api.route({
    method: 'GET',
    url: '/health',
    schema: {
      operationId: 'getHealth',
      summary: 'How each component is',
      tags,
      response: { 200: report, 503: report },
    },
    handler: async (_request, reply) => {
      const found = await health.health();
      return reply.code(found.status === 'down' ? 503 : 200).send(found);
    },
  });
}
