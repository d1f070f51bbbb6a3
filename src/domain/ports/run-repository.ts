import type { RunCause, RunRow, RunState } from '../entities/run.ts';
import type { RunKey, ScheduleId } from '../ids.ts';
import type { ScheduleOver } from './engine-store.ts';
import type { Page } from './schedule-repository.ts';

export interface RunQuery {
  readonly organizationId: string | null;
  readonly scheduleId?: ScheduleId | undefined;
  readonly state?: RunState | undefined;
  readonly cause?: RunCause | undefined;
  /** Epoch ms, of the slot: from inclusive, to exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit: number;
  /** A place in the order, not always that of a run. */
  readonly after?: RunKey | undefined;
}

/** Runs wait in lanes; a smaller number is served more. */
export const LANES = { live: 0, retry: 1, catchUp: 2, redrive: 3 } as const;
export type Lane = (typeof LANES)[keyof typeof LANES];

/** The runs of one tenant, newest slot first. */
export interface RunRepository {
  /** Also of a deleted schedule; with an organization, only of its schedules. */
  find(key: RunKey, organizationId: string | null): Promise<RunRow | null>;
  /** The version of its schedule that a live claim keeps for the key, a run in flight that has no row yet; null where none names it. */
  claimedVersion(key: RunKey): Promise<number | null>;
  /** Looks at a bounded number of runs: may be short, or empty, before the end. */
  page(query: RunQuery): Promise<Page<RunRow, RunKey>>;
  /** A PENDING row and its place in a lane, due at the run's `due`. */
  enqueue(run: RunRow, lane: Lane): Promise<void>;
  /** A dead run back to PENDING in a lane, a retrying one as it is: due now. Null when it is neither, or an attempt has begun. */
  retryNow(key: RunKey, lane: Lane, now: number): Promise<RunRow | null>;
  /**
   * The final row CANCELLED for a run that is open, with or without a row, and what its end does to its schedule.
   * Null when it has ended.
   */
  cancel(run: RunRow, reason: 'BY_USER' | 'OVERLAP' | 'DELETED', now: number): Promise<CancelledRun | null>;
}

/** A run that was cancelled. `nextDue`: the earliest instant at which something became due by it, else `Infinity`; `over`: schedules that ended by it. */
export interface CancelledRun {
  readonly run: RunRow;
  readonly nextDue: number;
  readonly over: readonly ScheduleOver[];
}
