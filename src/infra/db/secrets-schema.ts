import { index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, tenant } from './columns.ts';

/** What header values refer to by name. `sealed` opens for this tenant and name alone. */
export const secrets = pgTable(
  'secrets',
  {
    tenantId: tenant(),
    name: text('name').notNull(),
    sealed: text('sealed').notNull(),
    keyId: text('key_id').notNull(),
    version: integer('version').notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    createdBy: text('created_by').notNull(),
    updatedBy: text('updated_by').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.name] }), index('secrets_key').on(table.keyId)],
);
