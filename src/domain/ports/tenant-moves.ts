import type { MissedChoice } from '../entities/schedule.ts';
import type { TenantLifecycle } from '../entities/tenant.ts';
import type { ScheduleId, TenantId } from '../ids.ts';

/** Of attempts in flight: what the platform granted, and among how many engines it is divided. */
export interface DeliveryGrants {
  readonly granted: ReadonlyMap<TenantId, number>;
  readonly engines: number;
}

/** A tenant whose schedules do not all follow its state yet. */
export interface UnsettledTenant {
  readonly tenantId: TenantId;
  readonly state: TenantLifecycle;
  readonly version: number;
  readonly missed: MissedChoice;
  /** Milliseconds since it changed, by the database's clock. */
  readonly sinceMs: number;
}

/** A place among a tenant's schedules, in the order of their creation. */
export interface SchedulePlace {
  /** Epoch ms. */
  readonly createdAt: number;
  readonly id: ScheduleId;
}

/** What one chunk found: where to go on, null at the end, and how many it changed. */
export interface MovedChunk {
  readonly last: SchedulePlace | null;
  readonly moved: number;
}

/** How a tenant's schedules follow its suspension and its deletion: statements across tenants, each short and bounded. */
export interface TenantMoves {
  /** The one that has waited longest comes first. */
  unsettled(limit: number): Promise<readonly UnsettledTenant[]>;
  /** Pauses the ACTIVE ones of the next `limit` schedules, their timers put away as a pause does, unless the tenant has changed since. */
  holdSchedules(of: UnsettledTenant, after: SchedulePlace | null, limit: number): Promise<MovedChunk>;
  /** Schedules that the suspension paused and nothing has taken up yet, by id. */
  heldSchedules(tenantId: TenantId, after: ScheduleId | null, limit: number): Promise<readonly ScheduleId[]>;
  /** Waiting runs that are not put away yet wait beyond all time. Answers how many. */
  holdWaiting(of: UnsettledTenant, limit: number): Promise<number>;
  /** Waiting runs that were put away are due when they were to be, or now. Answers how many. */
  releaseWaiting(of: UnsettledTenant, limit: number): Promise<number>;
  /** All follow; false when the tenant has changed since. */
  settle(of: UnsettledTenant): Promise<boolean>;
  /** What each tenant was granted of attempts in flight, and how many engines live. */
  deliveryGrants(): Promise<DeliveryGrants>;
  /**
   * Deletes the next rows of a tenant that is DELETING, at most `limit` of a table, the tenant's own row last. `WAITING`: what is
   * left is in flight.
   */
  deleteSome(tenantId: TenantId, limit: number): Promise<'MORE' | 'WAITING' | 'GONE'>;
  /** Deletes ended runs of tenants that keep theirs for a shorter time than `serviceDays`, at most `limit` of each. Answers how many. */
  deleteRunsKeptShorter(serviceDays: number, limit: number): Promise<number>;
}
