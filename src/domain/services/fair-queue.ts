import type { TenantId } from '../ids.ts';

interface Lane<T> {
  readonly tenantId: TenantId;
  readonly waiting: T[];
  head: number;
  inFlight: number;
}

/**
 * Work waiting by tenant, taken in turns. While others wait, no tenant has more than its share in flight; alone it may
 * use all. Taking and putting cost the same whatever the number of tenants.
 */
export class FairQueue<T> {
  readonly #lanes = new Map<TenantId, Lane<T>>();
  /** Tenants with something waiting, in the order of their next turn. */
  #ring: Lane<T>[] = [];
  readonly #share: number;
  #size = 0;

  /** `share`: how many of one tenant may be in flight while another waits. */
  constructor(share: number) {
    this.#share = share;
  }

  get size(): number {
    return this.#size;
  }

  put(tenantId: TenantId, item: T): void {
    const lane = this.#laneOf(tenantId);
    if (lane.waiting.length === lane.head) this.#ring.push(lane);
    lane.waiting.push(item);
    this.#size += 1;
  }

  /** The next item and its tenant's place in flight, until {@link done}; undefined when nothing may start now. */
  take(): T | undefined {
    for (let turn = 0; turn < this.#ring.length; turn += 1) {
      const lane = this.#ring.shift();
      if (lane === undefined) return undefined;
      if (lane.inFlight >= this.#share && this.#ring.length > 0) {
        this.#ring.push(lane);
        continue;
      }
      return this.#takeFrom(lane);
    }
    return undefined;
  }

  /** An item of the tenant is no longer in flight. */
  done(tenantId: TenantId): void {
    const lane = this.#lanes.get(tenantId);
    if (lane === undefined) return;
    lane.inFlight -= 1;
    if (lane.inFlight === 0 && lane.waiting.length === lane.head) this.#lanes.delete(tenantId);
  }

  /** Empties the queue; what was waiting will not start. */
  drain(): T[] {
    const left = this.#ring.flatMap((lane) => lane.waiting.slice(lane.head));
    for (const lane of this.#ring) {
      lane.waiting.length = 0;
      lane.head = 0;
      if (lane.inFlight === 0) this.#lanes.delete(lane.tenantId);
    }
    this.#ring = [];
    this.#size = 0;
    return left;
  }

  #takeFrom(lane: Lane<T>): T | undefined {
    const item = lane.waiting[lane.head];
    lane.head += 1;
    lane.inFlight += 1;
    this.#size -= 1;
    if (lane.head === lane.waiting.length) {
      lane.waiting.length = 0;
      lane.head = 0;
    } else {
      this.#ring.push(lane);
    }
    return item;
  }

  #laneOf(tenantId: TenantId): Lane<T> {
    const known = this.#lanes.get(tenantId);
    if (known !== undefined) return known;
    const lane: Lane<T> = { tenantId, waiting: [], head: 0, inFlight: 0 };
    this.#lanes.set(tenantId, lane);
    return lane;
  }
}
