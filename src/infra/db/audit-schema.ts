import { customType, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { AuditAction } from '../../domain/entities/audit.ts';
import { instant, tenant } from './columns.ts';

/** `jsonb` that is written as the text it already is. */
const jsonText = customType<{ data: string; driverData: string }>({ dataType: () => 'jsonb' });

/** Who changed what. The API's role may add and read, the engine's read and delete; nobody changes an entry. */
export const auditEntries = pgTable(
  'audit_entries',
  {
    tenantId: tenant(),
    at: instant('at').notNull(),
    id: uuid('id').notNull(),
    subject: text('subject').notNull(),
    action: text('action').$type<AuditAction>().notNull(),
    kind: text('kind').notNull(),
    resourceId: text('resource_id').notNull(),
    organizationId: text('organization_id'),
    before: jsonText('before'),
    after: jsonText('after'),
    traceId: text('trace_id'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.at, table.id] }),
    index('audit_entries_resource').on(table.tenantId, table.kind, table.resourceId, table.at),
    index('audit_entries_age').using('brin', table.at),
  ],
);
