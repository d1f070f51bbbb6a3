import { and, eq, isNull, type SQL, sql } from 'drizzle-orm';
import type { ScheduleEntity } from '../../domain/entities/schedule.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { Transaction } from '../db/client.ts';
import { schedules, timers } from '../db/schema.ts';
import { statement } from '../db/statement.ts';
import { arrayLiteral } from './engine-rows.ts';
import { timerOfSchedule } from './schedule-filter.ts';
import { entityOf, type LivingRow, livingColumns } from './schedule-rows.ts';

/** One living schedule by `tenantId` and `id`: schedules and timers by primary key. */
export const findSchedule: (
  tx: Transaction,
  by: { readonly tenantId: TenantId; readonly id: ScheduleId },
) => Promise<readonly LivingRow[]> = statement((tx) =>
  living(tx, eq(schedules.id, sql.placeholder('id'))).prepare('find_schedule'),
);

const findMany: (
  tx: Transaction,
  by: { readonly tenantId: TenantId; readonly ids: string },
) => Promise<readonly LivingRow[]> = statement((tx) =>
  living(tx, sql`${schedules.id} = any(${sql.placeholder('ids')}::text::uuid[])`).prepare('find_schedules'),
);

function living(tx: Transaction, isMeant: SQL) {
  return tx
    .select(livingColumns)
    .from(schedules)
    .leftJoin(timers, timerOfSchedule)
    .where(and(eq(schedules.tenantId, sql.placeholder('tenantId')), isMeant, isNull(schedules.deletedAt)));
}

/** The living schedules with these ids, aligned with them; in one statement, which is the one of `findSchedule` where one is looked for. */
export async function findSchedules(
  tx: Transaction,
  tenantId: TenantId,
  ids: readonly ScheduleId[],
): Promise<readonly (ScheduleEntity | null)[]> {
  const different = [...new Set(ids)];
  const [only] = different;
  const rows =
    different.length === 1 && only !== undefined
      ? await findSchedule(tx, { tenantId, id: only })
      : await findMany(tx, { tenantId, ids: arrayLiteral(different) });
  const found = new Map(rows.map((row) => [row.schedule.id, entityOf(row)]));
  return ids.map((id) => found.get(id) ?? null);
}
