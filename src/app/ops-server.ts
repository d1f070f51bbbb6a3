import Fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { HealthProbe } from '../domain/ports/health.ts';
import { validateWithZod } from './middleware/field-problems.ts';
import { healthRoutes } from './routes/health.ts';

/** What operators ask on a port of its own: the probes, and metrics in Prometheus' text format. No token; never expose it. */
export function buildOpsServer(parts: {
  readonly health: HealthProbe;
  readonly metricsText: () => Promise<string>;
}): FastifyInstance {
  const app = Fastify({ logger: false, bodyLimit: 1024, requestTimeout: 10_000, return503OnClosing: false });
  app.setValidatorCompiler(validateWithZod);
  app.setSerializerCompiler(serializerCompiler);
  healthRoutes(app.withTypeProvider<ZodTypeProvider>(), parts.health);
  app.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await parts.metricsText()),
  );
  return app;
}
