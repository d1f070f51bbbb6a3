import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { DateRange } from '../../domain/entities/calendar.ts';
import type { Weekday } from '../../domain/time/business-days.ts';
import { instant, tenant } from './columns.ts';

/** `icalDays` holds pairs of first and last day number; `revision` grows when the dates change, `isFresh` says that schedules have not all taken them over. */
export const calendars = pgTable(
  'calendars',
  {
    tenantId: tenant(),
    name: text('name').notNull(),
    description: text('description'),
    dates: jsonb('dates').$type<readonly string[]>().notNull(),
    ranges: jsonb('ranges').$type<readonly DateRange[]>().notNull(),
    weekly: jsonb('weekly').$type<readonly Weekday[]>().notNull(),
    /** As it was sent. */
    ical: text('ical'),
    icalDays: jsonb('ical_days').$type<readonly number[]>().notNull(),
    version: integer('version').notNull(),
    revision: integer('revision').notNull(),
    isFresh: boolean('is_fresh').notNull().default(false),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    createdBy: text('created_by').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.name] }),
    index('calendars_fresh').on(table.updatedAt).where(sql`is_fresh`),
  ],
);
