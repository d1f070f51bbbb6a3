import { v7 as newId } from 'uuid';
import { servicePolicyOf } from './adapters.ts';
import type { Config } from './config.ts';
import type { Clock } from './domain/ports/clock.ts';
import type { Journal } from './domain/ports/journal.ts';
import type { Seal } from './domain/ports/seal.ts';
import type { UnitOfWork } from './domain/ports/unit-of-work.ts';
import { AuditService } from './domain/services/audit-service.ts';
import { SecretService } from './domain/services/secret-service.ts';
import { SigningKeyService } from './domain/services/signing-key-service.ts';
import { TenantPolicies } from './domain/services/tenant-policies.ts';
import { TenantService } from './domain/services/tenant-service.ts';
import type { EnginePool } from './infra/db/engine-pool.ts';
import { PostgresTenantDirectory } from './infra/repo/postgres-tenant-directory.ts';
import { newSigningKey } from './infra/security/signature.ts';

/** The use cases of what a tenant has beside schedules, put together for `compose.ts`. */
export interface Tenancy {
  readonly secrets: SecretService;
  readonly signingKeys: SigningKeyService;
  readonly audit: AuditService;
  readonly policies: TenantPolicies;
  readonly tenants: TenantService;
}

export function buildTenancy(
  config: Config,
  base: {
    readonly unitOfWork: UnitOfWork;
    readonly clock: Clock;
    readonly journal: Journal;
    readonly enginePool: EnginePool;
  },
  seal: Seal | null,
): Tenancy {
  const policies = new TenantPolicies({
    ...base,
    service: servicePolicyOf(config),
    monotonic: () => base.clock.monotonic(),
  });
  return {
    secrets: new SecretService({ ...base, seal }),
    signingKeys: new SigningKeyService({ ...base, seal, newId, newKey: newSigningKey }),
    audit: new AuditService(base),
    policies,
    tenants: new TenantService({ ...base, policies, directory: new PostgresTenantDirectory(base.enginePool) }),
  };
}
