import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import type { Caller } from '../../domain/entities/caller.ts';
import type { TokenVerifier } from '../../domain/ports/token-verifier.ts';
import { authenticate } from './authenticate.ts';
import { authorize, type Capability, capabilityOf } from './authorize.ts';
import { checkJson } from './json-body.ts';
import { refuseForeignTenantId, tenantOf } from './tenant.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    capability?: Capability;
  }
  interface FastifyRequest {
    caller: Caller | null;
  }
}

/**
 * Lets a request in before its body is read: authenticate, tenant, authorize. Every route registered after this needs an entry in the table
 * of capabilities, else registering it throws.
 */
export function guardAccess(app: FastifyInstance, verifier: TokenVerifier): void {
  app.decorateRequest('caller', null);
  app.addHook('onRoute', (route: RouteOptions) => {
    route.config = { ...route.config, capability: capabilityOf(route.schema?.operationId) };
  });
  app.addHook('onRequest', async (request, reply) => {
    const { capability } = request.routeOptions.config;
    if (capability === undefined) throw new Error(`route ${request.routeOptions.url ?? ''} is not guarded`);
    if (capability === 'PUBLIC') return;
    reply.header('cache-control', 'no-store');
    const identity = await authenticate(verifier, request);
    const tenantId = tenantOf(identity, request.headers['x-tenant-id']);
    authorize(identity.roles, capability);
    request.caller = {
      tenantId,
      subject: identity.subject,
      organizationId: identity.organizationId,
      traceId: request.id,
    };
  });
  app.addHook('preValidation', async (request) => {
    if (request.caller === null) return;
    checkJson(request.query, []);
    refuseForeignTenantId(request, request.caller.tenantId);
  });
}

/** Who sent a request that was let in. */
export function callerOf(request: Pick<FastifyRequest, 'caller'>): Caller {
  if (request.caller === null) throw new Error('the operation is public: it has no caller');
  return request.caller;
}
