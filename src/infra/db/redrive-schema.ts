import { sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { ScheduleId } from '../../domain/ids.ts';
import type { Redrive, RedriveFilter } from '../../domain/ports/redrive-repository.ts';
import { instant, instantMs, tenant } from './columns.ts';

/** Requests to put dead runs back. Runs up to the cursor (slot, schedule, space) are done; the next chunk is due at `next_at`. */
export const redrives = pgTable(
  'redrives',
  {
    id: uuid('id').primaryKey(),
    tenantId: tenant(),
    organizationId: text('organization_id'),
    filter: jsonb('filter').$type<RedriveFilter>().notNull(),
    ratePerSec: integer('rate_per_sec').notNull(),
    state: text('state').$type<Redrive['state']>().notNull(),
    redriven: integer('redriven').notNull().default(0),
    cursorSlot: instantMs('cursor_slot'),
    cursorScheduleId: uuid('cursor_schedule_id').$type<ScheduleId>(),
    cursorSpace: integer('cursor_space'),
    nextAt: instant('next_at').notNull(),
    createdAt: instant('created_at').notNull(),
    createdBy: text('created_by').notNull(),
    endedAt: instant('ended_at'),
  },
  (table) => [
    index('redrives_next').on(table.nextAt).where(sql`state = 'RUNNING'`),
    index('redrives_page').on(table.tenantId, table.createdAt),
  ],
);
