import type { Config } from './config.ts';
import { SERVICE_DEFAULTS, type ServicePolicy } from './domain/entities/tenant-policy.ts';
import type { Clock } from './domain/ports/clock.ts';
import type { Journal } from './domain/ports/journal.ts';
import type { RateLimiter } from './domain/ports/rate-limiter.ts';
import type { Seal } from './domain/ports/seal.ts';
import type { UnitOfWork } from './domain/ports/unit-of-work.ts';
import { AuditService } from './domain/services/audit-service.ts';
import { SecretService } from './domain/services/secret-service.ts';
import { SigningKeyService } from './domain/services/signing-key-service.ts';
import { TenantPolicies } from './domain/services/tenant-policies.ts';
import { TenantService } from './domain/services/tenant-service.ts';
import { TokenBuckets } from './domain/services/token-buckets.ts';
import type { EnginePool } from './infra/db/engine-pool.ts';
import { newId } from './infra/db/new-id.ts';
import { PostgresTenantDirectory } from './infra/repo/postgres-tenant-directory.ts';
import { newSigningKey } from './infra/security/signature.ts';

/** The use cases of what a tenant has beside schedules, put together for `compose.ts`. */
export interface Tenancy {
  readonly secrets: SecretService;
  readonly signingKeys: SigningKeyService;
  readonly audit: AuditService;
  readonly policies: TenantPolicies;
  readonly tenants: TenantService;
  readonly limiter: RateLimiter;
}

interface TenancyBase {
  readonly unitOfWork: UnitOfWork;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly enginePool: EnginePool;
}

export async function buildTenancy(
  config: Config,
  base: TenancyBase,
  seal: Seal | null,
  closing: AsyncDisposableStack,
): Promise<Tenancy> {
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
    limiter: await openRateLimiter(config, base, closing),
  };
}

/** What holds for tenants that have chosen nothing and were granted nothing. */
function servicePolicyOf(config: Config): ServicePolicy {
  return {
    defaults: { ...SERVICE_DEFAULTS, retentionDays: config.RETENTION_DAYS },
    quotas: {
      schedules: config.QUOTA_SCHEDULES ?? null,
      firesPerMinute: config.QUOTA_FIRES_PER_MINUTE ?? null,
      concurrentDeliveries: config.QUOTA_CONCURRENT_DELIVERIES ?? null,
      payloadBytes: config.QUOTA_PAYLOAD_BYTES,
      minIntervalSec: config.QUOTA_MIN_INTERVAL_SEC ?? null,
      requestsPerSec: config.QUOTA_REQUESTS_PER_SEC ?? null,
      requestBurst: config.QUOTA_REQUEST_BURST ?? null,
    },
  };
}

/** Counts requests with the other processes where there is a Redis, else alone; then its client is not loaded, which takes 8 MB. */
async function openRateLimiter(
  config: Config,
  { clock, journal }: TenancyBase,
  closing: AsyncDisposableStack,
): Promise<RateLimiter> {
  const monotonic = () => clock.monotonic();
  const alone = new TokenBuckets(monotonic);
  if (config.REDIS_URL === undefined) return alone;
  const { RedisRateLimiter } = await import('./infra/security/redis-rate-limiter.ts');
  return closing.use(new RedisRateLimiter({ url: config.REDIS_URL, fallback: alone, journal, monotonic }));
}
