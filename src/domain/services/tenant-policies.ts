import { TenantEntity } from '../entities/tenant.ts';
import { policyOf, type ServicePolicy, type TenantPolicy } from '../entities/tenant-policy.ts';
import type { TenantId } from '../ids.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';

/** A change made by another process is seen here after this long. */
const FRESH_MS = 5_000;
const MOST_KEPT = 10_000;

interface Kept {
  readonly policy: Promise<TenantPolicy>;
  readonly until: number;
}

/** What holds for each tenant, read once for all its requests within some seconds. */
export class TenantPolicies {
  readonly service: ServicePolicy;
  readonly #unitOfWork: UnitOfWork;
  readonly #monotonic: () => number;
  readonly #kept = new Map<TenantId, Kept>();

  constructor(parts: { unitOfWork: UnitOfWork; service: ServicePolicy; monotonic: () => number }) {
    this.service = parts.service;
    this.#unitOfWork = parts.unitOfWork;
    this.#monotonic = parts.monotonic;
  }

  /** Requests that come while it is read wait for the same reading. */
  of(tenantId: TenantId): Promise<TenantPolicy> {
    const now = this.#monotonic();
    const kept = this.#kept.get(tenantId);
    if (kept !== undefined && now < kept.until) return kept.policy;
    const policy = this.#read(tenantId);
    this.#keep(tenantId, { policy, until: now + FRESH_MS });
    policy.catch(() => this.forget(tenantId));
    return policy;
  }

  /** As `of`, of a tenant that has a row from now on: it is in use. */
  async inUse(tenantId: TenantId): Promise<TenantPolicy> {
    const policy = await this.of(tenantId);
    if (policy.isKnown) return policy;
    await this.#unitOfWork.forTenant(tenantId, ({ tenants, now }) => tenants.insert(TenantEntity.fresh(tenantId, now)));
    this.forget(tenantId);
    return this.of(tenantId);
  }

  /** The tenant changed here: the next request reads it anew. */
  forget(tenantId: TenantId): void {
    this.#kept.delete(tenantId);
  }

  async #read(tenantId: TenantId): Promise<TenantPolicy> {
    const tenant = await this.#unitOfWork.forTenant(tenantId, ({ tenants }) => tenants.find());
    return policyOf(tenantId, tenant?.state ?? null, this.service);
  }

  /** The longest kept goes first when there are too many. */
  #keep(tenantId: TenantId, kept: Kept): void {
    this.#kept.delete(tenantId);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(tenantId, kept);
  }
}
