import type { Address } from '../entities/bulk.ts';
import type { ScheduleEntity, ScheduleLifecycle } from '../entities/schedule.ts';
import type { TargetKind } from '../entities/target.ts';
import type { ScheduleId } from '../ids.ts';
import type { TriggerType } from '../time/trigger.ts';

export type ScheduleSort = 'createdAt' | '-createdAt' | 'name' | '-name' | 'nextFireAt' | '-nextFireAt';

export interface ScheduleFilter {
  readonly organizationId: string | null;
  readonly state?: ScheduleLifecycle | undefined;
  readonly label?: { readonly key: string; readonly value: string } | undefined;
  /** Part of the name or key, any case. */
  readonly q?: string | undefined;
  readonly targetKind?: TargetKind | undefined;
  readonly triggerType?: TriggerType | undefined;
  /** Epoch ms. */
  readonly dueBefore?: number | undefined;
}

/** A place in a list: the sort value of an item (epoch ms, name, or null) and its id. */
export interface ListPosition {
  readonly value: number | string | null;
  readonly id: string;
}

export interface ScheduleQuery {
  readonly filter: ScheduleFilter;
  readonly sort: ScheduleSort;
  /** At most 200. */
  readonly limit: number;
  /** Either a keyset position or an offset with a total, as the caller pages. */
  readonly after?: ListPosition | undefined;
  readonly offset?: number | undefined;
}

export interface Page<T, Position> {
  /** May be fewer than asked for, or none, before the end. */
  readonly items: readonly T[];
  /** Null at the end of the list. */
  readonly next: Position | null;
  /** Only when an offset was asked for. */
  readonly total: number | null;
}

/** A schedule as it was found for change, and as it becomes. */
export interface SavedSchedule {
  readonly before: ScheduleEntity;
  readonly after: ScheduleEntity;
}

/** The living schedules of one tenant. */
export interface ScheduleRepository {
  find(id: ScheduleId): Promise<ScheduleEntity | null>;
  /** Locks the timer, then the schedule, until the transaction ends. */
  findForChange(by: Address): Promise<ScheduleEntity | null>;
  /** As `findForChange`, all at once and in an order that never deadlocks; aligned with `addresses`. */
  findAllForChange(addresses: readonly Address[]): Promise<readonly (ScheduleEntity | null)[]>;
  page(query: ScheduleQuery): Promise<Page<ScheduleEntity, ListPosition>>;
  /** Schedule, first version and timer, sent and not waited for: the transaction throws ALREADY_EXISTS when a living schedule has its key. */
  insert(entity: ScheduleEntity): void;
  /** As `insert`, all at once. Answers the ids of those inserted: not the ones whose key a living schedule has. */
  insertAll(entities: readonly ScheduleEntity[]): Promise<ReadonlySet<ScheduleId>>;
  /** The changed schedule: its row, a version row when the definition changed, its timer in or out, and the runs of `entity.passed`. */
  save(entity: ScheduleEntity, before: ScheduleEntity): Promise<void>;
  /** As `save`, all at once, of schedules with the keys they had. */
  saveAll(saved: readonly SavedSchedule[]): Promise<void>;
  /** Soft: no slot comes any more, waiting runs end as CANCELLED DELETED, the keys are free again. Found for change before. */
  removeAll(entities: readonly ScheduleEntity[], now: number): Promise<void>;
  /** True when a node whose heartbeat is fresh has registered the command. */
  knowsCommand(name: string): Promise<boolean>;
  /** The schedule an earlier request with this key made, null for one that made none; keys are forgotten after 24 hours. */
  findIdempotent(key: string): Promise<{ readonly requestHash: string; readonly scheduleId: ScheduleId | null } | null>;
  /** False when another request stored the key first. */
  storeIdempotent(key: string, requestHash: string, scheduleId: ScheduleId): Promise<boolean>;
}
