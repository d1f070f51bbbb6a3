import { sql } from 'drizzle-orm';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { Transaction } from '../db/client.ts';
import { arrayLiteral } from './engine-rows.ts';
import { instantOf } from './schedule-rows.ts';

/** Ends the schedules' PENDING and RETRYING runs as CANCELLED DELETED: each has its place in `retries`, nothing else has. */
export async function cancelWaiting(
  tx: Transaction,
  of: { readonly tenantId: TenantId; readonly ids: readonly ScheduleId[] },
  now: number,
): Promise<void> {
  const isTheirs = sql`schedule_id = any(${arrayLiteral(of.ids)}::text::uuid[])`;
  // retries and runs by primary key
  await tx.execute(sql`
    with waiting as (
      delete from retries where tenant_id = ${of.tenantId} and ${isTheirs} returning schedule_id, slot, space
    )
    update runs r set state = 'CANCELLED', reason = 'DELETED', ended_at = ${instantOf(now)}, next_attempt_at = null
    from waiting w
    where r.tenant_id = ${of.tenantId} and r.schedule_id = w.schedule_id and r.slot = w.slot and r.space = w.space and r.state in ('PENDING', 'RETRYING')`);
}
