import { and, eq, isNull, sql } from 'drizzle-orm';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { Transaction } from '../db/client.ts';
import { schedules, timers } from '../db/schema.ts';
import { statement } from '../db/statement.ts';
import { timerOfSchedule } from './schedule-page.ts';
import { type LivingRow, livingColumns } from './schedule-rows.ts';

/** One living schedule by `tenantId` and `id`: schedules and timers by primary key. */
export const findSchedule: (
  tx: Transaction,
  by: { readonly tenantId: TenantId; readonly id: ScheduleId },
) => Promise<readonly LivingRow[]> = statement((tx) =>
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
