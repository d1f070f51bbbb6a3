import { crashPoint } from '#crash-point';
import type { Clock } from '../ports/clock.ts';
import type { Journal } from '../ports/journal.ts';
import type { NodeRecord, UpkeepStore } from '../ports/upkeep-store.ts';
import type { CalendarService } from './calendar-service.ts';
import { reportSchedulesOver } from './schedules-over.ts';
import type { SchedulingService } from './scheduling-service.ts';
import type { TenantMovesService } from './tenant-moves-service.ts';
import type { WatchService } from './watch-service.ts';
import type { ZoneDataService } from './zone-data-service.ts';

const HEARTBEAT_MS = 10_000;
const HOUSEKEEPING_MS = 60_000;
const CHUNK = 200;
/** More than a busy deployment changes in a minute: what is forgotten must keep up with what is written. */
const ROWS = 20_000;
const DAYS_AHEAD = 2;
/** Definitions are looked at this much later than their runs go, so that nearly all that is looked at can be removed. */
const KEPT_LONGER_DAYS = 2;

/** What keeps a store in order: heartbeats, partitions, retention, automatic resumes, repairs, watchmen. */
export class UpkeepService {
  readonly #store: UpkeepStore;
  readonly #scheduling: Pick<SchedulingService, 'resume'>;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #node: () => NodeRecord;
  readonly #retentionDays: number;
  readonly #auditRetentionDays: number;
  readonly #zones: Pick<ZoneDataService, 'step'>;
  readonly #calendars: Pick<CalendarService, 'takeOver'>;
  readonly #watch: Pick<WatchService, 'step'>;
  readonly #tenants: Pick<TenantMovesService, 'prepare' | 'step'>;
  #housekeptAt = Number.NEGATIVE_INFINITY;

  constructor(parts: {
    store: UpkeepStore;
    scheduling: Pick<SchedulingService, 'resume'>;
    clock: Clock;
    journal: Journal;
    node: () => NodeRecord;
    retentionDays: number;
    auditRetentionDays: number;
    zones: Pick<ZoneDataService, 'step'>;
    calendars: Pick<CalendarService, 'takeOver'>;
    watch: Pick<WatchService, 'step'>;
    tenants: Pick<TenantMovesService, 'prepare' | 'step'>;
  }) {
    this.#store = parts.store;
    this.#scheduling = parts.scheduling;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#node = parts.node;
    this.#retentionDays = parts.retentionDays;
    this.#auditRetentionDays = parts.auditRetentionDays;
    this.#zones = parts.zones;
    this.#calendars = parts.calendars;
    this.#watch = parts.watch;
    this.#tenants = parts.tenants;
  }

  /**
   * What must be true before the first claim: this node is known. Today's partition should be there; where it cannot be made now,
   * runs lie in the default one until it can.
   */
  async prepare(): Promise<void> {
    await this.#attempt('partitions', () => this.#store.makePartitions(DAYS_AHEAD));
    await this.#store.heartbeat(this.#node());
    await this.#zones.step();
    await this.#tenants.prepare();
  }

  /** One round. Answers the milliseconds until the next. */
  async step(): Promise<number> {
    await this.#store.heartbeat(this.#node());
    await this.#resumeDue();
    if (this.#clock.monotonic() - this.#housekeptAt >= HOUSEKEEPING_MS) {
      await this.#housekeep();
      this.#housekeptAt = this.#clock.monotonic();
    }
    const wantsMore = [await this.#zones.step(), await this.#calendars.takeOver(), await this.#tenants.step()];
    return wantsMore.includes(true) ? 0 : HEARTBEAT_MS;
  }

  /** This node takes its leave. */
  async leave(): Promise<void> {
    crashPoint('shutdown.before-leave');
    await this.#store.leave(this.#node().id);
    crashPoint('shutdown.after-leave');
  }

  /** Each by itself: what fails is tried again in a minute, and holds up nothing else. */
  async #housekeep(): Promise<void> {
    await this.#attempt('partitions', () => this.#store.makePartitions(DAYS_AHEAD));
    await this.#attempt('retention', async () => {
      const dropped = await this.#store.dropRunsOlderThan(this.#retentionDays, ROWS);
      if (dropped > 0) this.#journal.note('runs_dropped', { partitions: dropped });
    });
    await this.#attempt('removal', async () => {
      const schedules = await this.#store.removeSchedulesGoneFor(this.#retentionDays + KEPT_LONGER_DAYS, CHUNK);
      const versions = await this.#store.removeVersionsGoneFor(this.#retentionDays + KEPT_LONGER_DAYS, CHUNK);
      if (schedules + versions > 0) this.#journal.note('definitions_removed', { schedules, versions });
    });
    await this.#attempt('repair', async () => {
      const { count, over } = await this.#store.repairWaiting(CHUNK);
      if (count > 0) this.#journal.note('waiting_repaired', { count });
      reportSchedulesOver(this.#journal, over);
    });
    // After the repairs, which take away what is nobody's mistake.
    await this.#attempt('watch', () => this.#watch.step());
    await this.#attempt('idempotency-keys', () => this.#store.forgetIdempotencyKeys(CHUNK));
    await this.#attempt('audit', () => this.#store.forgetAudit(this.#auditRetentionDays, ROWS));
  }

  #attempt(task: string, work: () => Promise<void>): Promise<void> {
    return work().catch((error: unknown) => this.#journal.loopFailed(`upkeep.${task}`, error));
  }

  async #resumeDue(): Promise<void> {
    for (const { tenantId, id } of await this.#store.dueResumes(CHUNK)) {
      try {
        await this.#scheduling.resume({ tenantId, subject: 'scheduler', organizationId: null }, id, 'SKIP', null);
      } catch (error) {
        this.#journal.loopFailed('auto-resume', error);
      }
    }
  }
}
