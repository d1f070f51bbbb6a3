import { and, eq, isNull, sql } from 'drizzle-orm';
import { schedules, timers } from '../db/schema.ts';
import { statement } from '../db/statement.ts';
import { timerOfSchedule } from './schedule-page.ts';
import { livingColumns } from './schedule-rows.ts';

/** One living schedule by `tenantId` and `id`: schedules and timers by primary key. */
export const findSchedule = statement((tx) =>
  tx
    .select(livingColumns)
    .from(schedules)
    .leftJoin(timers, timerOfSchedule)
    .where(
      and(
        eq(schedules.tenantId, sql.placeholder('tenantId')),
        eq(schedules.id, sql.placeholder('id')),
        isNull(schedules.deletedAt),
      ),
    )
    .prepare('find_schedule'),
);
