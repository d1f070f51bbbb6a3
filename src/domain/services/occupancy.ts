import type { TenantId } from '../ids.ts';

/** A tenant gets nothing more while it holds more than so many for each that is free. */
const FOR_EACH_FREE = 2;
/** A tenant that holds this part of all is large enough for claims to be made in smaller steps. */
const LARGE_PART = 50;
/** An empty process fills in no fewer claims than these. */
const STEPS = 4;

/**
 * How many runs of each tenant this process has open, of so many in all. A tenant may hold twice what is free: one that is
 * alone gets to two thirds, many share the rest, and there is always room for the runs of another.
 */
export class Occupancy {
  #capacity: number;
  readonly #held = new Map<TenantId, number>();
  #open = 0;
  #reserved = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get open(): number {
    return this.#open;
  }

  get free(): number {
    return Math.max(0, this.#capacity - this.#open - this.#reserved);
  }

  /** True while claims are under way: room may come back that nobody held. */
  get isReserved(): boolean {
    return this.#reserved > 0;
  }

  /** Nothing more is to be claimed. */
  close(): void {
    this.#capacity = 0;
  }

  /**
   * Room for what a claim under way may bring, until disposed. Claims under way at once may all bring the same tenant's runs: without
   * it each would take half of the same room.
   */
  reserve(count: number): Disposable {
    this.#reserved += count;
    return {
      [Symbol.dispose]: () => {
        this.#reserved -= count;
      },
    };
  }

  add(tenantId: TenantId): void {
    this.#open += 1;
    this.#held.set(tenantId, (this.#held.get(tenantId) ?? 0) + 1);
  }

  remove(tenantId: TenantId): void {
    this.#open -= 1;
    const held = (this.#held.get(tenantId) ?? 0) - 1;
    if (held > 0) this.#held.set(tenantId, held);
    else this.#held.delete(tenantId);
  }

  isCrowding(tenantId: TenantId): boolean {
    return (this.#held.get(tenantId) ?? 0) >= Math.max(1, this.free * FOR_EACH_FREE);
  }

  /** The tenants of which nothing more is to be claimed now. */
  get crowding(): readonly TenantId[] {
    if ((this.#capacity - this.free) * (FOR_EACH_FREE + 1) < this.#capacity * FOR_EACH_FREE) return [];
    return [...this.#held.keys()].filter((tenantId) => this.isCrowding(tenantId));
  }

  /** How many may be claimed at once, as all may be one tenant's; where one holds much, no more than half of what is free. */
  get step(): number {
    const step = Math.min(this.free, Math.ceil(this.#capacity / STEPS));
    for (const held of this.#held.values())
      if (held * LARGE_PART >= this.#capacity) return Math.min(step, Math.ceil(this.free / 2));
    return step;
  }
}
