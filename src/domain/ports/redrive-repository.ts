import type { RunCause } from '../entities/run.ts';
import type { RunKey, ScheduleId, TenantId } from '../ids.ts';

/** Which dead runs: those named, or those of a schedule, a cause, a stretch of slots (epoch ms, `from` inclusive, `to` exclusive). */
export interface RedriveFilter {
  readonly runs?: readonly RunKey[] | undefined;
  readonly scheduleId?: ScheduleId | undefined;
  readonly cause?: RunCause | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** A request to put dead runs back, worked off at its rate from the oldest slot on. */
export interface Redrive {
  readonly id: string;
  readonly tenantId: TenantId;
  /** Only runs of this organization's schedules; null: of all. */
  readonly organizationId: string | null;
  readonly filter: RedriveFilter;
  readonly ratePerSec: number;
  readonly state: 'RUNNING' | 'DONE' | 'CANCELLED';
  /** Runs put back so far. */
  readonly redriven: number;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly endedAt: Date | null;
}

/** The redrives of one tenant. */
export interface RedriveRepository {
  /** Also forgets ended ones beyond the newest hundred. */
  add(redrive: Redrive): Promise<void>;
  find(id: string): Promise<Redrive | null>;
  /** The newest hundred, newest first; with an organization, only its own. */
  list(organizationId: string | null): Promise<readonly Redrive[]>;
  countRunning(): Promise<number>;
  /** Null unless it was RUNNING. */
  cancel(id: string, now: number): Promise<Redrive | null>;
}

/** What one round put back. */
export interface RedriveRound {
  readonly redriven: number;
  /** Milliseconds until the earliest redrive may go on; Infinity when none is left. */
  readonly nextInMs: number;
}

/** Emission, across tenants. */
export interface RedriveStore {
  /**
   * Puts the next dead runs of each redrive whose turn has come back into the redrive lane, at most `chunk` of each; runs that died
   * after the request, or were put back meanwhile, are passed over. The rate holds over all nodes.
   */
  emit(limit: number, chunk: number): Promise<RedriveRound>;
}
