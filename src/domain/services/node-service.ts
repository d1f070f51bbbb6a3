import { crashPoint } from '#crash-point';
import type { Journal } from '../ports/journal.ts';
import type { NodeRecord, UpkeepStore } from '../ports/upkeep-store.ts';
import type { TenantMovesService } from './tenant-moves-service.ts';
import type { ZoneDataService } from './zone-data-service.ts';

const HEARTBEAT_MS = 10_000;
const DAYS_AHEAD = 2;

/** This process as one of several: others know that it lives, and an engine knows what it must of them. */
export class NodeService {
  readonly #store: Pick<UpkeepStore, 'heartbeat' | 'leave' | 'makePartitions'>;
  readonly #node: () => NodeRecord;
  readonly #journal: Pick<Journal, 'loopFailed'>;
  readonly #zones: Pick<ZoneDataService, 'step'>;
  readonly #tenants: Pick<TenantMovesService, 'learnGrants'>;

  constructor(parts: {
    store: Pick<UpkeepStore, 'heartbeat' | 'leave' | 'makePartitions'>;
    node: () => NodeRecord;
    journal: Pick<Journal, 'loopFailed'>;
    zones: Pick<ZoneDataService, 'step'>;
    tenants: Pick<TenantMovesService, 'learnGrants'>;
  }) {
    this.#store = parts.store;
    this.#node = parts.node;
    this.#journal = parts.journal;
    this.#zones = parts.zones;
    this.#tenants = parts.tenants;
  }

  /**
   * What must be true before the first claim: this node is known. Today's partition should be there; where it cannot be made now,
   * runs lie in the default one until it can.
   */
  async prepare(): Promise<void> {
    await this.#store
      .makePartitions(DAYS_AHEAD)
      .catch((error: unknown) => this.#journal.loopFailed('upkeep.partitions', error));
    await this.step();
  }

  /** One heartbeat. Answers the milliseconds until the next. */
  async step(): Promise<number> {
    await this.#store.heartbeat(this.#node());
    if (!this.#node().roles.includes('engine')) return HEARTBEAT_MS;
    await this.#tenants.learnGrants();
    return (await this.#zones.step()) ? 0 : HEARTBEAT_MS;
  }

  /** This node takes its leave. */
  async leave(): Promise<void> {
    crashPoint('shutdown.before-leave');
    await this.#store.leave(this.#node().id);
    crashPoint('shutdown.after-leave');
  }
}
