import type { AuditEntry, AuditedChange } from '../entities/audit.ts';
import type { Caller } from '../entities/caller.ts';
import type { Page } from './schedule-repository.ts';

/** A place in the trail: the instant (epoch ms) and the id of the last entry. */
export interface AuditPosition {
  readonly at: number;
  readonly id: string;
}

export interface AuditQuery {
  readonly organizationId: string | null;
  readonly subject?: string | undefined;
  readonly action?: string | undefined;
  readonly kind?: string | undefined;
  /** With `kind`. */
  readonly resourceId?: string | undefined;
  /** Epoch ms: from inclusive, to exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** At most 200. */
  readonly limit: number;
  readonly after?: AuditPosition | undefined;
}

export interface CallersChange {
  readonly caller: Caller;
  readonly change: AuditedChange;
}

/** Who changed what in one tenant. Entries are only ever added; retention alone takes them away. */
export interface AuditTrail {
  /**
   * Stores the changes with the transaction or not at all. Sends them without waiting: called right before the statements that save
   * a change, it costs no round trip of its own.
   */
  record(caller: Caller, ...changes: readonly AuditedChange[]): void;
  /** As `record`, of changes that callers made apart from one another. */
  recordEach(changes: readonly CallersChange[]): void;
  /** Newest first. With a filter it looks at a bounded number of entries: may be short, or empty, before the end. */
  page(query: AuditQuery): Promise<Page<AuditEntry, AuditPosition>>;
}
