import type { TenantId } from '../ids.ts';
import type { Occupancy } from './occupancy.ts';

/** Most slots one claim holds: below 100 round trips dominate, above 1,000 nothing is gained. */
export const MAX_BATCH = 1000;
/** Claims are not made for less room than this, unless nothing is in flight. */
const MIN_ROOM = 100;

/** How many runs a claim may bring now; 0: it waits for room. */
export function roomIn({ free, step, open, isReserved }: Occupancy): number {
  return free < MIN_ROOM && (open > 0 || isReserved) ? 0 : Math.min(step, MAX_BATCH);
}

/** The room that claims of one kind find, and what the last one had to leave for want of it. */
export class ClaimRoom {
  readonly #occupancy: Occupancy;
  #isShort = false;
  #excluded: readonly TenantId[] = [];

  constructor(occupancy: Occupancy) {
    this.#occupancy = occupancy;
  }

  /** How many runs the next claim may bring; 0: it waits for room. */
  look(): number {
    const room = roomIn(this.#occupancy);
    this.#excluded = this.#occupancy.crowding;
    this.#isShort = room === 0;
    return room;
  }

  /** Tenants that the claim leaves out, as they hold too much. */
  get excluded(): readonly TenantId[] {
    return this.#excluded;
  }

  /** The last claim left nothing. */
  foundAll(): void {
    this.#excluded = [];
  }

  /** True while claims wait for room, or a tenant that was left out has room again. */
  get isWanted(): boolean {
    return this.#isShort || this.#excluded.some((tenantId) => !this.#occupancy.isCrowding(tenantId));
  }
}
