import type { TenantId } from '../ids.ts';
import type { Lane } from '../ports/run-repository.ts';
import { Destinations } from './destinations.ts';
import { mayTakeMore } from './dynamic-threshold.ts';
import { TenantLanes } from './tenant-lanes.ts';

/** Where an item waits. `destination`: with what else of its tenant it shares a limit; null: with nothing. */
export interface Place {
  readonly tenantId: TenantId;
  readonly lane: Lane;
  readonly destination: string | null;
}

/** How much may be in flight: in all, of a tenant while others wait, of a tenant's destination, and to one destination in all. */
export interface FlightLimits {
  readonly window: number;
  readonly perTenant: number;
  readonly perDestination: number;
  readonly atDestination: number;
  /** Of this tenant, always, at least one; left out: no such limit. */
  readonly ofTenant?: ((tenantId: TenantId) => number) | undefined;
}

/**
 * Work waiting by tenant, taken in turns. While others wait, no tenant has more than its share in flight; nor has it ever so many
 * that the others find nothing free, of the window or of the places at a destination ({@link mayTakeMore}). Taking and putting
 * cost the same whatever the number of tenants: one that may have no more is looked at again when one of its own has landed, and
 * one by one as others land.
 */
export class FairQueue<T extends { readonly place: Place }> {
  readonly #limits: FlightLimits;
  readonly #destinations: Destinations;
  readonly #tenants = new Map<TenantId, Waiting<T>>();
  /** Tenants of which something may be taken, in the order of their next turn. */
  readonly #ring: Waiting<T>[] = [];
  /** Tenants that have as many in flight as they may, the longest so first. */
  readonly #held = new Set<Waiting<T>>();
  #size = 0;
  #flying = 0;

  constructor(limits: FlightLimits) {
    this.#limits = limits;
    this.#destinations = new Destinations(limits.atDestination);
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
    for (let tenant = this.#ring.shift(); tenant !== undefined; tenant = this.#ring.shift()) {
      tenant.isQueued = false;
      if (!this.#mayFly(tenant)) {
        this.#held.add(tenant);
        continue;
      }
      const item = tenant.lanes.take();
      if (item === undefined) continue;
      if (tenant.lanes.size > 0) this.#queueUp(tenant);
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
    tenant.lanes.done(destination);
    if (this.#held.size > 0) this.#callHeld(tenant);
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
    this.#ring.length = 0;
    this.#held.clear();
    this.#destinations.forgetWaiting();
    this.#size = 0;
    return left;
  }

  /** One of the tenant's has landed: it is looked at again, and who has been held for the longest. */
  #callHeld(tenant: Waiting<T>): void {
    if (this.#held.has(tenant)) this.#queueUp(tenant);
    const [longest] = this.#held;
    if (longest !== undefined) this.#queueUp(longest);
  }

  #mayFly({ tenantId, lanes: { inFlight } }: Waiting<T>): boolean {
    const isAlone = this.#ring.length === 0 && this.#held.size === 0;
    const { window, perTenant, ofTenant } = this.#limits;
    if (ofTenant !== undefined && inFlight >= ofTenant(tenantId)) return false;
    return mayTakeMore(inFlight, window - this.#flying) && (isAlone || inFlight < perTenant);
  }

  #queueUp(tenant: Waiting<T>): void {
    if (tenant.isQueued) return;
    this.#held.delete(tenant);
    tenant.isQueued = true;
    this.#ring.push(tenant);
  }

  #tenantOf(tenantId: TenantId): Waiting<T> {
    const known = this.#tenants.get(tenantId);
    if (known !== undefined) return known;
    const lanes: TenantLanes<T> = new TenantLanes<T>({
      mostPerDestination: this.#limits.perDestination,
      destinations: this.#destinations,
      onReady: () => this.#queueUp(tenant),
    });
    const tenant: Waiting<T> = { tenantId, lanes, isQueued: false };
    this.#tenants.set(tenantId, tenant);
    return tenant;
  }
}

interface Waiting<T> {
  readonly tenantId: TenantId;
  readonly lanes: TenantLanes<T>;
  isQueued: boolean;
}
