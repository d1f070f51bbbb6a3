import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import type { Caller, Role } from '../../domain/entities/caller.ts';
import type { RateLimiter } from '../../domain/ports/rate-limiter.ts';
import type { TokenVerifier } from '../../domain/ports/token-verifier.ts';
import type { TenantPolicies } from '../../domain/services/tenant-policies.ts';
import { authenticate } from './authenticate.ts';
import { authorize, type Capability, capabilityOf, grants, refuseInactive } from './authorize.ts';
import { checkJson } from './json-body.ts';
import { limitTenant, RefusedTokens } from './rate-limit.ts';
import { refuseForeignTenantId, tenantOf } from './tenant.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    capability?: Capability;
  }
  interface FastifyRequest {
    caller: Caller | null;
    /** Of the caller's token. */
    roles: readonly Role[] | null;
  }
}

/** What decides whether a request comes in. */
export interface AccessParts {
  readonly verifier: TokenVerifier;
  readonly policies: Pick<TenantPolicies, 'of' | 'inUse'>;
  readonly limiter: RateLimiter;
}

/**
 * Lets a request in before its body is read: authenticate, tenant, authorize, and the tenant's rate, which the platform's requests do not count
 * against. A tenant is in use, and has a row, from the first request on
 * that may change something of it. Every route registered after this needs an entry in the table
 * of capabilities, else registering it throws.
 */
export function guardAccess(app: FastifyInstance, { verifier, policies, limiter }: AccessParts): void {
  const refusedTokens = new RefusedTokens();
  app.decorateRequest('caller', null);
  app.decorateRequest('roles', null);
  app.addHook('onRoute', (route: RouteOptions) => {
    route.config = { ...route.config, capability: capabilityOf(route.schema?.operationId) };
  });
  app.addHook('onRequest', async (request, reply) => {
    const { capability } = request.routeOptions.config;
    if (capability === undefined) throw new Error(`route ${request.routeOptions.url ?? ''} is not guarded`);
    if (capability === 'PUBLIC') return;
    reply.header('cache-control', 'no-store');
    const identity = await authenticate(verifier, refusedTokens, request);
    const tenantId = tenantOf(identity, request.headers['x-tenant-id']);
    authorize(identity.roles, capability);
    request.roles = identity.roles;
    const isReading = capability === 'READ' || capability === 'ALL_TENANTS';
    const policy = await (isReading ? policies.of(tenantId) : policies.inUse(tenantId));
    if (!grants(identity.roles, 'ALL_TENANTS')) await limitTenant(limiter, policy, reply);
    const isHarmless = isReading || request.method === 'GET' || request.method === 'HEAD';
    if (!isHarmless) refuseInactive(policy.state, request.routeOptions.schema?.operationId);
    const { subject, organizationId } = identity;
    request.caller = { tenantId, subject, organizationId, traceId: request.id, policy };
  });
  app.addHook('preValidation', async (request) => {
    if (request.caller === null) return;
    checkJson(request.query, []);
    refuseForeignTenantId(request.query, request.caller.tenantId);
    refuseForeignTenantId(request.body, request.caller.tenantId);
  });
}

/** Who sent a request that was let in. */
export function callerOf(request: Pick<FastifyRequest, 'caller'>): Caller {
  if (request.caller === null) throw new Error('the operation is public: it has no caller');
  return request.caller;
}
