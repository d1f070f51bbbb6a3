import { crashPoint } from '#crash-point';
import type { Clock } from '../ports/clock.ts';
import type { Journal } from '../ports/journal.ts';
import type { UpkeepStore } from '../ports/upkeep-store.ts';
import type { CalendarService } from './calendar-service.ts';
import { reportSchedulesOver } from './schedules-over.ts';
import type { SchedulingService } from './scheduling-service.ts';
import type { TenantMovesService } from './tenant-moves-service.ts';
import type { WatchService } from './watch-service.ts';

const LOOK_MS = 10_000;
const HOUSEKEEPING_MS = 60_000;
const CHUNK = 200;
/** More than a busy deployment changes in a minute: what is forgotten must keep up with what is written. */
const ROWS = 20_000;
const DAYS_AHEAD = 2;
/** Definitions are looked at this much later than their runs go, so that nearly all that is looked at can be removed. */
const KEPT_LONGER_DAYS = 2;

/**
 * What keeps a store in order: partitions, retention, automatic resumes, repairs, watchmen, what follows a changed calendar or
 * tenant. All of it may be done by several nodes at once. Those with the role `upkeep` do it; where none of them lives, engines
 * stand in.
 */
export class UpkeepService {
  readonly #store: UpkeepStore;
  readonly #scheduling: Pick<SchedulingService, 'resume'>;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #hasRole: boolean;
  readonly #retentionDays: number;
  readonly #auditRetentionDays: number;
  readonly #calendars: Pick<CalendarService, 'takeOver'>;
  readonly #watch: Pick<WatchService, 'step'>;
  readonly #tenants: Pick<TenantMovesService, 'step'>;
  #housekeptAt = Number.NEGATIVE_INFINITY;
  #isOnDuty = false;

  /** `hasRole`: this process has the role `upkeep`, and does not only stand in. */
  constructor(parts: {
    store: UpkeepStore;
    scheduling: Pick<SchedulingService, 'resume'>;
    clock: Clock;
    journal: Journal;
    hasRole: boolean;
    retentionDays: number;
    auditRetentionDays: number;
    calendars: Pick<CalendarService, 'takeOver'>;
    watch: Pick<WatchService, 'step'>;
    tenants: Pick<TenantMovesService, 'step'>;
  }) {
    this.#store = parts.store;
    this.#scheduling = parts.scheduling;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#hasRole = parts.hasRole;
    this.#retentionDays = parts.retentionDays;
    this.#auditRetentionDays = parts.auditRetentionDays;
    this.#calendars = parts.calendars;
    this.#watch = parts.watch;
    this.#tenants = parts.tenants;
  }

  /** This process did the upkeep when it last looked. */
  get isOnDuty(): boolean {
    return this.#isOnDuty;
  }

  /** One round, unless others do it. Answers the milliseconds until the next. */
  async step(): Promise<number> {
    this.#isOnDuty = this.#hasRole || !(await this.#store.isUpkeepManned());
    if (!this.#isOnDuty) return LOOK_MS;
    await this.#resumeDue();
    if (this.#clock.monotonic() - this.#housekeptAt >= HOUSEKEEPING_MS) {
      await this.#housekeep();
      this.#housekeptAt = this.#clock.monotonic();
    }
    const wantsMore = [await this.#calendars.takeOver(), await this.#tenants.step()];
    return wantsMore.includes(true) ? 0 : LOOK_MS;
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
      if (count > 0) {
        crashPoint('repair.after-commit');
        this.#journal.note('waiting_repaired', { count });
      }
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
