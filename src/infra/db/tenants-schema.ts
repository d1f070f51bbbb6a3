import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import type { MissedChoice } from '../../domain/entities/schedule.ts';
import type { SealedSigningKey } from '../../domain/entities/signing-key.ts';
import type { Suspension, TenantLifecycle } from '../../domain/entities/tenant.ts';
import type { ChosenDefaults, GrantedQuotas } from '../../domain/entities/tenant-policy.ts';
import type { TenantId } from '../../domain/ids.ts';
import { instant, tenant } from './columns.ts';

/* What is kept of tenants themselves. */

export const tenants = pgTable(
  'tenants',
  {
    tenantId: text('tenant_id').$type<TenantId>().primaryKey(),
    name: text('name'),
    state: text('state').$type<TenantLifecycle>().notNull().default('ACTIVE'),
    /** What the tenant chose, and what the platform granted, where it is not the service's own. */
    defaults: jsonb('defaults').$type<ChosenDefaults>().notNull().default({}),
    quotas: jsonb('quotas').$type<GrantedQuotas>().notNull().default({}),
    suspension: jsonb('suspension').$type<Suspension>(),
    /** What becomes of slots that passed during the suspension that ended last. */
    missed: text('missed').$type<MissedChoice>().notNull().default('SKIP'),
    /** False while schedules still follow a suspension, its end, or a deletion. */
    isSettled: boolean('is_settled').notNull().default(true),
    version: integer('version').notNull().default(1),
    /** Sealed webhook signing keys, newest first; two while a rotation lasts. */
    signingKeys: jsonb('signing_keys').$type<readonly SealedSigningKey[]>().notNull().default([]),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (table) => [
    index('tenants_page').on(sql`tenant_id collate "C"`),
    index('tenants_inactive').on(table.tenantId).where(sql`state <> 'ACTIVE'`),
    index('tenants_unsettled').on(table.updatedAt).where(sql`not is_settled`),
  ],
);

/** How many slots became runs in a tenant's latest minute; a row only for tenants with a quota of them. */
export const tenantMinutes = pgTable('tenant_minutes', {
  tenantId: tenant().primaryKey(),
  minute: instant('minute').notNull(),
  fires: integer('fires').notNull(),
});
