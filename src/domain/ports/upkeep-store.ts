import type { ScheduleId, TenantId } from '../ids.ts';
import type { ScheduleOver } from './engine-store.ts';

/** This process as other nodes see it. */
export interface NodeRecord {
  readonly id: string;
  readonly build: string;
  readonly tzdata: string;
  readonly roles: readonly string[];
  readonly commands: readonly string[];
}

/** Housekeeping statements, across tenants; each is short and bounded. */
export interface UpkeepStore {
  /** Says that this node lives; forgets nodes not heard of for an hour. */
  heartbeat(node: NodeRecord): Promise<void>;
  /** This node will not come back. */
  leave(nodeId: string): Promise<void>;
  /** A node with the role `upkeep` was heard of within a minute. */
  isUpkeepManned(): Promise<boolean>;
  /** Day partitions of runs from yesterday to `daysAhead` from today. */
  makePartitions(daysAhead: number): Promise<void>;
  /** Drops whole days of runs that ended more than `days` ago, and rows of that age in the default partition, at most `limit`. Answers how many partitions went. */
  dropRunsOlderThan(days: number, limit: number): Promise<number>;
  /** Forgets schedules deleted more than `days` ago that no run and nothing open names, with their versions. Answers how many. */
  removeSchedulesGoneFor(days: number, limit: number): Promise<number>;
  /** Forgets versions superseded more than `days` ago that no run and nothing open names. Answers how many. */
  removeVersionsGoneFor(days: number, limit: number): Promise<number>;
  /** Paused schedules whose resumeAt has passed. */
  dueResumes(limit: number): Promise<readonly { readonly tenantId: TenantId; readonly id: ScheduleId }[]>;
  /** Moves on timers that wait for a run which has ended, and buffered runs that wait for nothing. Answers how many, and the schedules that are over by it. */
  repairWaiting(limit: number): Promise<{ readonly count: number; readonly over: readonly ScheduleOver[] }>;
  /** Forgets idempotency keys older than a day. */
  forgetIdempotencyKeys(limit: number): Promise<void>;
  /** Forgets audit entries older than `days`. */
  forgetAudit(days: number, limit: number): Promise<void>;
}
