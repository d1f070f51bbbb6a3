import type { TenantId } from '../ids.ts';
import type { Lane } from '../ports/run-repository.ts';
import { TenantLanes } from './tenant-lanes.ts';

/** Where an item waits. `destination`: with what else of its tenant it shares a limit; null: with nothing. */
export interface Place {
  readonly tenantId: TenantId;
  readonly lane: Lane;
  readonly destination: string | null;
}

/** How much may be in flight: in all, of a tenant while others wait, and of a tenant's destination. */
export interface FlightLimits {
  readonly window: number;
  readonly perTenant: number;
  readonly perDestination: number;
  /** Of this tenant, always; left out: no such limit. */
  readonly ofTenant?: ((tenantId: TenantId) => number) | undefined;
}

/** A tenant may have so many in flight for each place that is still free. */
const FOR_EACH_FREE = 4;

/**
 * Work waiting by tenant, taken in turns. While others wait, no tenant has more than its share in flight. Nor has it ever
 * more than four times what is left free (the dynamic thresholds of Choudhury and Hahne): alone it gets to four fifths of the
 * window, and who comes later finds a place, however long the others' work takes. Taking and putting cost the same
 * whatever the number of tenants.
 */
export class FairQueue<T extends { readonly place: Place }> {
  readonly #limits: FlightLimits;
  readonly #tenants = new Map<TenantId, Waiting<T>>();
  /** Tenants of which something may be taken, in the order of their next turn. */
  #ring: Waiting<T>[] = [];
  #size = 0;
  #flying = 0;

  constructor(limits: FlightLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  put(item: T): void {
    const { tenantId, lane, destination } = item.place;
    const tenant = this.#tenantOf(tenantId);
    tenant.lanes.put(item, lane, destination);
    this.#size += 1;
    this.#queueUp(tenant);
  }

  /** The next item, in flight until {@link done}; undefined when nothing may start now. */
  take(): T | undefined {
    for (let turns = this.#ring.length; turns > 0; turns -= 1) {
      const tenant = this.#ring.shift();
      if (tenant === undefined) return undefined;
      tenant.isQueued = false;
      const item = this.#mayFly(tenant) ? tenant.lanes.take() : null;
      if (item !== undefined && tenant.lanes.size > 0) this.#queueUp(tenant);
      if (item === null || item === undefined) continue;
      this.#size -= 1;
      this.#flying += 1;
      return item;
    }
    return undefined;
  }

  /** An item that was taken from there is no longer in flight. */
  done({ tenantId, destination }: Place): void {
    const tenant = this.#tenants.get(tenantId);
    if (tenant === undefined) return;
    this.#flying -= 1;
    if (tenant.lanes.done(destination)) this.#queueUp(tenant);
    if (tenant.lanes.inFlight === 0 && tenant.lanes.size === 0) this.#tenants.delete(tenantId);
  }

  /** Empties the queue; what was waiting will not start. */
  drain(): T[] {
    const left: T[] = [];
    for (const [tenantId, tenant] of this.#tenants) {
      left.push(...tenant.lanes.drain());
      tenant.isQueued = false;
      if (tenant.lanes.inFlight === 0) this.#tenants.delete(tenantId);
    }
    this.#ring = [];
    this.#size = 0;
    return left;
  }

  #mayFly({ tenantId, lanes: { inFlight } }: Waiting<T>): boolean {
    const isAlone = this.#ring.length === 0;
    const { window, perTenant, ofTenant } = this.#limits;
    if (ofTenant !== undefined && inFlight >= ofTenant(tenantId)) return false;
    return inFlight < (window - this.#flying) * FOR_EACH_FREE && (isAlone || inFlight < perTenant);
  }

  #queueUp(tenant: Waiting<T>): void {
    if (tenant.isQueued) return;
    tenant.isQueued = true;
    this.#ring.push(tenant);
  }

  #tenantOf(tenantId: TenantId): Waiting<T> {
    const known = this.#tenants.get(tenantId);
    if (known !== undefined) return known;
    const tenant = { tenantId, lanes: new TenantLanes<T>(this.#limits.perDestination), isQueued: false };
    this.#tenants.set(tenantId, tenant);
    return tenant;
  }
}

interface Waiting<T> {
  readonly tenantId: TenantId;
  readonly lanes: TenantLanes<T>;
  isQueued: boolean;
}
