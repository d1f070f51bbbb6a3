import type { TenantId } from '../ids.ts';
import type { DeliveryGrants } from '../ports/tenant-moves.ts';

/**
 * How many attempts of a tenant this process may have in flight: its quota divided among the engines that live, at least one
 * for each of them.
 */
export class TenantFlightLimits {
  readonly #ofService: number | null;
  #grants: DeliveryGrants = { granted: new Map(), engines: 1 };

  /** `ofService`: of tenants that were granted nothing else; null: no limit. */
  constructor(ofService: number | null) {
    this.#ofService = ofService;
  }

  of(tenantId: TenantId): number {
    const limit = this.#grants.granted.get(tenantId) ?? this.#ofService;
    return limit === null ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(limit / this.#grants.engines));
  }

  learn(grants: DeliveryGrants): void {
    this.#grants = grants;
  }
}
