import { sql } from 'drizzle-orm';
import { type AuditEntry, type AuditedChange, auditedDifference } from '../../domain/entities/audit.ts';
import type { Caller } from '../../domain/entities/caller.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { AuditPosition, AuditQuery, AuditTrail, CallersChange } from '../../domain/ports/audit-trail.ts';
import type { Page } from '../../domain/ports/schedule-repository.ts';
import { auditEntries } from '../db/audit-schema.ts';
import type { Transaction } from '../db/client.ts';
import { newId } from '../db/new-id.ts';
import { auditPage } from './audit-page.ts';
import { givenRows } from './column-arrays.ts';
import { insertRow } from './insert-row.ts';
import type { SentWrites } from './sent-writes.ts';

type Row = typeof auditEntries.$inferInsert;

/** One tenant's trail, in one transaction. */
export class DrizzleAuditTrail implements AuditTrail {
  readonly #tx: Transaction;
  readonly #tenantId: TenantId;
  readonly #now: number;
  readonly #writes: SentWrites;

  /** Entries are sent at once, and told by `writes`. */
  constructor(
    tx: Transaction,
    tenantId: TenantId,
    { now, writes }: { readonly now: number; readonly writes: SentWrites },
  ) {
    this.#tx = tx;
    this.#writes = writes;
    this.#tenantId = tenantId;
    this.#now = now;
  }

  record(caller: Caller, ...changes: readonly AuditedChange[]): void {
    const [row, ...others] = changes.map((change) => this.#rowOf(caller, change));
    if (row === undefined) return;
    this.#writes.add(others.length === 0 ? insertRow(this.#tx, auditEntries, row) : this.#insertAll([row, ...others]));
  }

  recordEach(changes: readonly CallersChange[]): void {
    const rows = changes.map(({ caller, change }) => this.#rowOf(caller, change));
    if (rows.length > 0) this.#writes.add(this.#insertAll(rows));
  }

  async page(query: AuditQuery): Promise<Page<AuditEntry, AuditPosition>> {
    return auditPage(this.#tx, this.#tenantId, query);
  }

  #insertAll(rows: readonly Row[]): Promise<unknown> {
    const { names, query } = givenRows(auditEntries, rows);
    return this.#tx.execute(sql`insert into ${auditEntries} (${names}) ${query}`).execute();
  }

  #rowOf(caller: Caller, { action, id, organizationId, before, after }: AuditedChange): Row {
    return {
      tenantId: this.#tenantId,
      at: new Date(this.#now),
      id: newId(),
      subject: caller.subject,
      action,
      kind: action.slice(0, action.indexOf('.')),
      resourceId: id,
      organizationId: organizationId ?? null,
      ...auditedDifference(before, after),
      traceId: caller.traceId ?? null,
    };
  }
}
