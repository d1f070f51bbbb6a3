import type { IncomingMessage } from 'node:http';
import cors from '@fastify/cors';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { HealthProbe } from '../domain/ports/health.ts';
import type { Journal } from '../domain/ports/journal.ts';
import { type AccessParts, guardAccess } from './middleware/access.ts';
import { refuseUnreadable } from './middleware/client-error.ts';
import { Cursors } from './middleware/cursor.ts';
import { type DocsOptions, describeApi } from './middleware/describe-api.ts';
import { validateWithZod } from './middleware/field-problems.ts';
import { requireOneHost } from './middleware/host-header.ts';
import { acceptJsonBodies } from './middleware/json-body.ts';
import { problemHandler } from './middleware/problem.ts';
import { setSecurityHeaders } from './middleware/security-headers.ts';
import { traceIdOfRequest } from './middleware/trace-id.ts';
import { KnownMethods, refuseUnknownPaths } from './middleware/unknown-routes.ts';
import type {
  Audit,
  Backfills,
  Bulk,
  Calendars,
  Redrives,
  Runs,
  Scheduling,
  Secrets,
  SigningKeys,
  Tenants,
} from './routes/api.ts';
import { auditRoutes } from './routes/audit.ts';
import { backfillRoutes } from './routes/backfills.ts';
import { bulkRoutes } from './routes/bulk.ts';
import { calendarRoutes } from './routes/calendars.ts';
import { type EchoReceiver, echoRoutes } from './routes/echo.ts';
import { EXAMPLES } from './routes/examples.ts';
import { healthRoutes } from './routes/health.ts';
import { openApiRoute } from './routes/openapi.ts';
import { redriveRoutes } from './routes/redrives.ts';
import { runRoutes } from './routes/runs.ts';
import { scheduleActionRoutes } from './routes/schedule-actions.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { secretRoutes } from './routes/secrets.ts';
import { signingKeyRoutes } from './routes/signing-keys.ts';
import { tenantRoutes } from './routes/tenants.ts';

/** What one connection and one request may take. */
export interface ServerLimits {
  readonly bodyBytes: number;
  /** For a whole request to arrive. */
  readonly requestTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** For a request to arrive and be answered; longer than `requestTimeoutMs`. */
  readonly handlerTimeoutMs: number;
  readonly maxConnections: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  bodyBytes: 1024 * 1024,
  requestTimeoutMs: 30_000,
  headersTimeoutMs: 10_000,
  keepAliveTimeoutMs: 72_000,
  handlerTimeoutMs: 45_000,
  maxConnections: 10_000,
};

/** How often connections are looked over for requests that arrive too slowly; Node's own 30 s would stretch each time-out. */
const SLOW_CHECK_MS = 5_000;

/** What the server is made of. */
export interface ServerParts extends AccessParts {
  readonly scheduling: Scheduling;
  readonly bulk: Bulk;
  readonly redrives: Redrives;
  readonly runs: Runs;
  readonly backfills: Backfills;
  readonly calendars: Calendars;
  readonly secrets: Secrets;
  readonly signingKeys: SigningKeys;
  readonly audit: Audit;
  readonly tenants: Tenants;
  readonly health: HealthProbe;
  readonly journal: Journal;
  /** The built-in receiver of the embedded mode, which asks for no token; null or left out elsewhere. */
  readonly echo?: EchoReceiver | null | undefined;
  /** Signs cursors: the same on every node. */
  readonly cursorKey: string | Buffer;
  readonly limits?: Partial<ServerLimits> | undefined;
  readonly docs?: Partial<DocsOptions> | undefined;
  /** Proxies that are believed about the client's address. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Origins whose pages may call the API; none: CORS is off. */
  readonly corsOrigins?: readonly string[] | undefined;
}

/** The HTTP API, ready to listen. Throws when a route has no entry in the table of capabilities. */
export async function buildServer(parts: ServerParts): Promise<FastifyInstance> {
  const limits = { ...DEFAULT_LIMITS, ...parts.limits };
  const app = bareServer(limits, parts);
  app.server.maxConnections = limits.maxConnections;
  await protect(app, parts.corsOrigins ?? []);
  requireOneHost(app);
  refuseUnknownPaths(app);
  await describeApi(app, { title: 'Scheduler', version: '0.0.0', ...parts.docs }, EXAMPLES);
  await app.register(async (scope) => guardedRoutes(scope, parts));
  await app.ready();
  return app;
}

/** All routes but the pages at `/docs`: each needs its entry in the table of capabilities. */
function guardedRoutes(scope: FastifyInstance, parts: ServerParts): void {
  guardAccess(scope, parts);
  const api = scope.withTypeProvider<ZodTypeProvider>();
  if (parts.echo) echoRoutes(api, parts.echo);
  const methods = new KnownMethods(scope);
  const { scheduling, bulk, redrives, runs, backfills, calendars, secrets, signingKeys, audit, tenants } = parts;
  const cursors = new Cursors(parts.cursorKey);
  const apiParts = {
    scheduling,
    bulk,
    redrives,
    runs,
    backfills,
    calendars,
    secrets,
    signingKeys,
    audit,
    tenants,
    cursors,
  };
  scheduleRoutes(api, apiParts);
  scheduleActionRoutes(api, apiParts);
  bulkRoutes(api, apiParts);
  backfillRoutes(api, apiParts);
  calendarRoutes(api, apiParts);
  runRoutes(api, apiParts);
  redriveRoutes(api, apiParts);
  secretRoutes(api, apiParts);
  signingKeyRoutes(api, apiParts);
  auditRoutes(api, apiParts);
  tenantRoutes(api, apiParts);
  healthRoutes(api, parts.health);
  openApiRoute(api);
  const hasCors = (parts.corsOrigins ?? []).length > 0;
  methods.refuseOtherMethods(scope, hasCors ? ['OPTIONS'] : []);
}

function bareServer(limits: ServerLimits, { journal, trustedProxies = [] }: ServerParts): FastifyInstance {
  const onProblem = problemHandler(journal);
  const app = Fastify({
    logger: false,
    genReqId: (request: IncomingMessage) => traceIdOfRequest(request),
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    handlerTimeout: limits.handlerTimeoutMs,
    http: {
      requireHostHeader: false,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, SLOW_CHECK_MS),
    },
    routerOptions: { maxParamLength: 1024 },
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    // Requests that arrive on open connections while the server closes are answered; each answer closes its connection.
    return503OnClosing: false,
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
      onProblem(error, request, reply);
    },
  });
  app.setErrorHandler(onProblem);
  app.setValidatorCompiler(validateWithZod);
  app.setSerializerCompiler(serializerCompiler);
  acceptJsonBodies(app);
  return app;
}

async function protect(app: FastifyInstance, corsOrigins: readonly string[]): Promise<void> {
  setSecurityHeaders(app);
  if (corsOrigins.length === 0) return;
  await app.register(cors, {
    origin: [...corsOrigins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['ETag', 'Location', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'Idempotent-Replayed'],
  });
}
