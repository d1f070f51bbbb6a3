import { and, desc, eq, gte, lt, lte, type SQL, sql } from 'drizzle-orm';
import type { AuditEntry } from '../../domain/entities/audit.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { AuditPosition, AuditQuery } from '../../domain/ports/audit-trail.ts';
import type { Page } from '../../domain/ports/schedule-repository.ts';
import { auditEntries } from '../db/audit-schema.ts';
import type { Transaction } from '../db/client.ts';
import { instantOf } from './schedule-rows.ts';

/** Entries that a page with a filter looks at, at most: some milliseconds. */
const MOST_LOOKED_AT = 1000;

const { tenantId: tenant, at, id, kind, resourceId: resource, subject, action } = auditEntries;
const PLACE = sql`(${at}, ${id})`;

/** One page of a tenant's trail, newest first. */
export async function auditPage(
  tx: Transaction,
  tenantId: TenantId,
  query: AuditQuery,
): Promise<Page<AuditEntry, AuditPosition>> {
  const along = wayOf(tenantId, query);
  const wanted = passes(query);
  const end = wanted === undefined ? null : await endOf(tx, along);
  const rows = await tx
    .select()
    .from(auditEntries)
    .where(and(along.where, wanted, end === null ? undefined : sql`${PLACE} >= ${placeOf(end)}`))
    .orderBy(...along.order)
    .limit(query.limit + 1);
  const items = rows.slice(0, query.limit).map(entryOf);
  const last = rows.length > query.limit ? items.at(-1) : undefined;
  return { items, next: last === undefined ? end : positionOf(last), total: null };
}

/** What an index finds, in its order: newest first, in one resource or in all. */
interface Way {
  readonly where: SQL | undefined;
  readonly order: readonly SQL[];
}

function wayOf(tenantId: TenantId, query: AuditQuery): Way {
  const { from, to, after } = query;
  const place = and(
    eq(tenant, tenantId),
    from === undefined ? undefined : gte(at, new Date(from)),
    to === undefined ? undefined : lt(at, new Date(to)),
    // The first part finds the place in the index, the second the place among entries of one instant.
    after === undefined ? undefined : lte(at, new Date(after.at)),
    after === undefined ? undefined : sql`${PLACE} < ${placeOf(after)}`,
  );
  const newestFirst = [desc(at), desc(id)];
  if (query.kind === undefined || query.resourceId === undefined) return { where: place, order: newestFirst };
  // audit_entries_resource. Asked for by equality it may be passed over for the primary key, along which the resource may be nowhere near.
  const [first, last] = [from ?? -Infinity, after?.at ?? to ?? Infinity];
  const within = sql`${resourceAt} >= ${resourceAtOf(query, first)} and ${resourceAt} <= ${resourceAtOf(query, last)}`;
  return { where: and(place, within), order: [desc(kind), desc(resource), ...newestFirst] };
}

const resourceAt = sql`(${kind}, ${resource}, ${at})`;

function resourceAtOf({ kind: ofKind, resourceId }: AuditQuery, ms: number): SQL {
  const instant = Number.isFinite(ms) ? instantOf(ms) : sql`${ms < 0 ? '-infinity' : 'infinity'}::timestamptz`;
  return sql`(${ofKind}::text, ${resourceId}::text, ${instant})`;
}

/** The last entry that a page looks at; null where it may look at all that are left. */
async function endOf(tx: Transaction, along: Way): Promise<AuditPosition | null> {
  const [last] = await tx
    .select({ at, id })
    .from(auditEntries)
    .where(along.where)
    .orderBy(...along.order)
    .limit(1)
    .offset(MOST_LOOKED_AT - 1);
  return last === undefined ? null : positionOf(last);
}

/** The rest of a query: what each entry is asked. Undefined where nothing is. */
function passes(query: AuditQuery): SQL | undefined {
  return and(
    query.organizationId === null ? undefined : eq(auditEntries.organizationId, query.organizationId),
    query.subject === undefined ? undefined : eq(subject, query.subject),
    query.action === undefined ? undefined : sql`${action} = ${query.action}::text`,
    query.kind === undefined || query.resourceId !== undefined ? undefined : eq(kind, query.kind),
  );
}

function entryOf({ before, after, ...row }: typeof auditEntries.$inferSelect): AuditEntry {
  return {
    ...row,
    before: before === null ? null : JSON.parse(before),
    after: after === null ? null : JSON.parse(after),
  };
}

function positionOf(entry: { readonly at: Date; readonly id: string }): AuditPosition {
  return { at: entry.at.getTime(), id: entry.id };
}

function placeOf(position: AuditPosition): SQL {
  return sql`(${instantOf(position.at)}, ${position.id}::uuid)`;
}
