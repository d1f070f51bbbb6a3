import { and, desc, eq, gte, lt, lte, type SQL, sql } from 'drizzle-orm';
import { type AuditEntry, type AuditedChange, auditedDifference } from '../../domain/entities/audit.ts';
import type { Caller } from '../../domain/entities/caller.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { AuditPosition, AuditQuery, AuditTrail, CallersChange } from '../../domain/ports/audit-trail.ts';
import type { Page } from '../../domain/ports/schedule-repository.ts';
import { auditEntries } from '../db/audit-schema.ts';
import type { Transaction } from '../db/client.ts';
import { newId } from '../db/new-id.ts';
import { givenRows } from './column-arrays.ts';
import { insertRow } from './insert-row.ts';
import { instantOf } from './schedule-rows.ts';
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
    // audit_entries by primary key, backwards; with a kind and an id by audit_entries_resource
    const rows = await this.#tx
      .select()
      .from(auditEntries)
      .where(and(eq(auditEntries.tenantId, this.#tenantId), ...conditionsOf(query)))
      .orderBy(desc(auditEntries.at), desc(auditEntries.id))
      .limit(query.limit + 1);
    const items = rows.slice(0, query.limit).map(entryOf);
    const last = rows.length > query.limit ? items.at(-1) : undefined;
    return { items, next: last === undefined ? null : { at: last.at.getTime(), id: last.id }, total: null };
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

function entryOf({ before, after, ...row }: typeof auditEntries.$inferSelect): AuditEntry {
  return {
    ...row,
    before: before === null ? null : JSON.parse(before),
    after: after === null ? null : JSON.parse(after),
  };
}

function conditionsOf(query: AuditQuery): readonly (SQL | undefined)[] {
  const { organizationId, subject, action, kind, resourceId, from, to, after } = query;
  return [
    organizationId === null ? undefined : eq(auditEntries.organizationId, organizationId),
    subject === undefined ? undefined : eq(auditEntries.subject, subject),
    action === undefined ? undefined : sql`${auditEntries.action} = ${action}::text`,
    kind === undefined ? undefined : eq(auditEntries.kind, kind),
    resourceId === undefined ? undefined : eq(auditEntries.resourceId, resourceId),
    from === undefined ? undefined : gte(auditEntries.at, new Date(from)),
    to === undefined ? undefined : lt(auditEntries.at, new Date(to)),
    // The first part finds the place in the index, the second the place among entries of one instant.
    after === undefined ? undefined : lte(auditEntries.at, new Date(after.at)),
    after === undefined
      ? undefined
      : sql`(${auditEntries.at}, ${auditEntries.id}) < (${instantOf(after.at)}, ${after.id}::uuid)`,
  ];
}
