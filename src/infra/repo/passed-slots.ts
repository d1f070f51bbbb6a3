import type { PassedSlots, ScheduleEntity } from '../../domain/entities/schedule.ts';
import type { SkippedSlots } from '../../domain/entities/timer.ts';
import { SLOT_SPACE } from '../../domain/ids.ts';
import { LANES } from '../../domain/ports/run-repository.ts';
import type { Transaction } from '../db/client.ts';
import { retries, runs } from '../db/schema.ts';

/** Records slots that came due without a claim: as runs due at once, and the rest as one skipped stretch. What has a record keeps it. */
export async function recordPassed(
  tx: Transaction,
  { state }: ScheduleEntity,
  passed: PassedSlots,
  now: number,
): Promise<void> {
  const of = { scheduleId: state.id, tenantId: state.tenantId, space: SLOT_SPACE, version: passed.version };
  if (passed.skipped !== null)
    await tx
      .insert(runs)
      .values({ ...of, ...skippedRun(passed.skipped, now) })
      .onConflictDoNothing();
  if (passed.fired.length === 0) return;
  const created = await tx
    .insert(runs)
    .values(
      passed.fired.map((slot) => ({
        ...of,
        slot,
        state: 'PENDING' as const,
        cause: 'CATCH_UP' as const,
        due: new Date(slot),
      })),
    )
    .onConflictDoNothing()
    .returning({ slot: runs.slot });
  const waiting = created.map(({ slot }) => ({ ...of, slot, lane: LANES.catchUp, nextDue: now }));
  if (waiting.length > 0) await tx.insert(retries).values(waiting).onConflictDoNothing();
}

function skippedRun(
  { from, to, count, reason }: SkippedSlots,
  now: number,
): Omit<typeof runs.$inferInsert, 'scheduleId' | 'tenantId' | 'space' | 'version'> {
  const range = from === to ? null : { from: new Date(from).toISOString(), to: new Date(to).toISOString(), count };
  return {
    slot: from,
    state: 'SKIPPED',
    reason,
    cause: 'SCHEDULE',
    range,
    due: new Date(from),
    endedAt: new Date(now),
  };
}
