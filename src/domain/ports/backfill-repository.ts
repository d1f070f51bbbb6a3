import type { RunRow } from '../entities/run.ts';
import type { ScheduleVersion } from '../entities/schedule-version.ts';
import type { ScheduleId, TenantId } from '../ids.ts';

/** A stretch of slots to run after the fact. Instants are epoch ms; slots in (cursor, until] are left to emit. */
export interface Backfill {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly scheduleId: ScheduleId;
  /** The definition that its runs are made from. */
  readonly version: number;
  readonly cursor: number;
  readonly until: number;
  /** Slots left, at most: those that have a run already are passed over when their turn comes. */
  readonly remaining: number;
  readonly createdAt: Date;
  readonly createdBy: string;
}

/** Backfills of one tenant. */
export interface BackfillRepository {
  add(backfill: Backfill): Promise<void>;
  /** How many of the tenant's backfills are not yet emitted. */
  countOpen(): Promise<number>;
}

/** Backfilled runs of one schedule that wait for delivery at a time. */
export const MOST_WAITING = 100;

/** What one round of emission made. `isMoreLeft`: backfills are open, here or in the hands of another process. */
export interface Emitted {
  readonly runs: readonly Pick<RunRow, 'scheduleId' | 'slot'>[];
  readonly isMoreLeft: boolean;
}

/** Emission, across tenants. */
export interface BackfillStore {
  /**
   * Takes the oldest backfills, those with room for more waiting runs first, at most `limit`, and turns the next slots of each, as `choose` says, into
   * PENDING runs of the catch-up lane; slots that have a run keep it. Those of deleted schedules end.
   */
  emit(
    limit: number,
    choose: (backfill: Backfill, version: ScheduleVersion, waiting: number) => readonly number[],
  ): Promise<Emitted>;
}
