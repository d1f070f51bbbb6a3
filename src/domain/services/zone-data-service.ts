import { rezoned } from '../entities/rezoned.ts';
import type { ScheduleId } from '../ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal } from '../ports/journal.ts';
import type { ZoneDataStore } from '../ports/zone-data-store.ts';

const CHUNK = 500;
/** Slots written by an older node meanwhile are found by the next round. */
const NEXT_ROUND_MS = 6 * 60 * 60 * 1000;

/**
 * Keeps all slots on one version of the zone data. A node with older data than a live one computes no slots until it is
 * replaced or alone; a node with the newest goes through the timers, chunk by chunk, and makes changed slots anew.
 */
export class ZoneDataService {
  readonly #store: ZoneDataStore;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #version: string | null;
  #newest: string | null = null;
  #after: ScheduleId | null = null;
  #moved = 0;
  #nextRoundAt = Number.NEGATIVE_INFINITY;

  /** `version`: of this process, such as `2026c`; null where the runtime does not tell, then nothing is done. */
  constructor(parts: { store: ZoneDataStore; clock: Clock; journal: Journal; version: string | null }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#version = parts.version;
  }

  /** Why this process must not compute slots now; null when it may. */
  get outdated(): string | null {
    if (this.#version === null || this.#newest === null || this.#newest <= this.#version) return null;
    return `zone data ${this.#version} is older than the ${this.#newest} of a live node`;
  }

  /** Looks at the other nodes, then goes one chunk further. Answers whether it wants to go on at once. */
  async step(): Promise<boolean> {
    if (this.#version === null) return false;
    const before = this.outdated;
    this.#newest = await this.#store.newestOfLiveNodes();
    if (this.outdated !== null && before === null) this.#journal.note('zone_data_outdated', { reason: this.outdated });
    if (this.outdated !== null || this.#clock.monotonic() < this.#nextRoundAt) return false;
    const chunk = { version: this.#version, after: this.#after, limit: CHUNK };
    const { last, moved } = await this.#store.retime(chunk, rezoned);
    this.#after = last;
    this.#moved += moved;
    if (last !== null) return true;
    if (this.#moved > 0) this.#journal.note('zone_data_applied', { version: this.#version, slotsMoved: this.#moved });
    this.#moved = 0;
    this.#nextRoundAt = this.#clock.monotonic() + NEXT_ROUND_MS;
    return false;
  }
}
