import Fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { HealthProbe } from '../domain/ports/health.ts';
import type { Journal } from '../domain/ports/journal.ts';
import { refuseUnreadable } from './middleware/client-error.ts';
import { validateWithZod } from './middleware/field-problems.ts';
import { problemHandler } from './middleware/problem.ts';
import { traceIdOfRequest } from './middleware/trace-id.ts';
import { refuseUnknownPaths } from './middleware/unknown-routes.ts';
import { healthRoutes } from './routes/health.ts';

const REQUEST_TIMEOUT_MS = 10_000;
const SLOW_CHECK_MS = 5_000;
const MAX_CONNECTIONS = 256;

/** What operators ask on a port of its own: the probes, and metrics in Prometheus' text format. No token; never expose it. */
export function buildOpsServer(parts: {
  readonly health: HealthProbe;
  readonly telemetry: { metricsText(): Promise<string> };
  readonly journal: Pick<Journal, 'requestFailed'>;
}): FastifyInstance {
  const app = Fastify({
    logger: false,
    genReqId: (request) => traceIdOfRequest(request),
    bodyLimit: 1024,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: SLOW_CHECK_MS },
    return503OnClosing: false,
    clientErrorHandler: refuseUnreadable,
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  app.setErrorHandler(problemHandler(parts.journal));
  refuseUnknownPaths(app);
  app.setValidatorCompiler(validateWithZod);
  app.setSerializerCompiler(serializerCompiler);
  healthRoutes(app.withTypeProvider<ZodTypeProvider>(), parts.health);
  app.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await parts.telemetry.metricsText()),
  );
  return app;
}
