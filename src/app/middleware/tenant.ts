import { DomainError } from '../../domain/errors.ts';
import { asTenantId, SYSTEM_TENANT, type TenantId } from '../../domain/ids.ts';
import type { Identity } from '../../domain/ports/token-verifier.ts';
import { grants } from './authorize.ts';

/**
 * The tenant a request acts in: the one that `X-Tenant-Id` names, which must be the token's, or the token's only one. The platform may name
 * any, and acts in the system's where its token names none.
 * Throws TENANT_FORBIDDEN, or VALIDATION_FAILED where the choice is open.
 */
export function tenantOf(identity: Identity, named: string | string[] | undefined): TenantId {
  const tenant = named === undefined ? onlyTenant(identity) : asTenantId(String(named));
  if (tenant === null || !mayActIn(identity, tenant))
    throw new DomainError('TENANT_FORBIDDEN', 'the token does not belong to this tenant');
  return tenant;
}

/** A `tenantId` in a query, a body or a part of it must be the request's tenant. Throws TENANT_FORBIDDEN; other types than text are left to the schema. */
export function refuseForeignTenantId(part: unknown, tenant: TenantId): void {
  const named = part !== null && typeof part === 'object' && 'tenantId' in part ? part.tenantId : undefined;
  if (typeof named === 'string' && named !== tenant) {
    throw new DomainError('TENANT_FORBIDDEN', 'tenantId is not the tenant of this request');
  }
}

function onlyTenant({ tenants, roles }: Identity): TenantId | null {
  const [first, ...others] = tenants;
  if (others.length > 0)
    throw new DomainError(
      'VALIDATION_FAILED',
      'the token names several tenants: choose one with the X-Tenant-Id header',
    );
  return first ?? (grants(roles, 'ALL_TENANTS') ? SYSTEM_TENANT : null);
}

function mayActIn(identity: Identity, tenant: TenantId): boolean {
  if (grants(identity.roles, 'ALL_TENANTS')) return true;
  return tenant !== SYSTEM_TENANT && identity.tenants.includes(tenant);
}
