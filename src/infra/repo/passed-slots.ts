import type { RunCause } from '../../domain/entities/run.ts';
import type { PassedSlots, ScheduleEntity } from '../../domain/entities/schedule.ts';
import type { SkippedSlots } from '../../domain/entities/timer.ts';
import { SLOT_SPACE } from '../../domain/ids.ts';
import { LANES, type Lane } from '../../domain/ports/run-repository.ts';
import type { Transaction } from '../db/client.ts';
import { retries, runs } from '../db/schema.ts';

const CHUNK = 2_000;

/** Records slots that came due without a claim: as runs due at once, and the rest as one skipped stretch. What has a record keeps it. */
export async function recordPassed(
  tx: Transaction,
  { state }: ScheduleEntity,
  passed: PassedSlots,
  now: number,
): Promise<void> {
  const of = { scheduleId: state.id, tenantId: state.tenantId, space: SLOT_SPACE, version: passed.version };
  const skipped = [...(passed.skipped === null ? [] : [passed.skipped]), ...(passed.others ?? [])];
  for (const stretches of chunksOf(skipped))
    await tx
      .insert(runs)
      .values(stretches.map((stretch) => ({ ...of, ...skippedRun(stretch, now) })))
      .onConflictDoNothing();
  const missed = passed.fired.map((slot) => ({
    slot,
    due: slot,
    nextDue: now,
    lane: LANES.catchUp,
    cause: 'CATCH_UP' as const,
  }));
  const put = (passed.waiting ?? []).map(({ slot, due }) => ({
    slot,
    due,
    nextDue: due,
    lane: LANES.live,
    cause: 'SCHEDULE' as const,
  }));
  for (const waiting of chunksOf([...missed, ...put])) await enqueue(tx, of, waiting);
}

interface Waiting {
  readonly slot: number;
  readonly due: number;
  readonly nextDue: number;
  readonly lane: Lane;
  readonly cause: RunCause;
}

async function enqueue(
  tx: Transaction,
  of: Pick<typeof runs.$inferInsert, 'scheduleId' | 'tenantId' | 'space' | 'version'>,
  waiting: readonly Waiting[],
): Promise<void> {
  const rows = waiting.map(({ slot, due, cause }) => ({
    ...of,
    slot,
    state: 'PENDING' as const,
    cause,
    due: new Date(due),
  }));
  const created = await tx.insert(runs).values(rows).onConflictDoNothing().returning({ slot: runs.slot });
  const isCreated = new Set(created.map(({ slot }) => slot));
  const places = waiting
    .filter(({ slot }) => isCreated.has(slot))
    .map(({ slot, lane, nextDue }) => ({ ...of, slot, lane, nextDue }));
  if (places.length > 0) await tx.insert(retries).values(places).onConflictDoNothing();
}

/** A statement has at most 65,535 parameters. */
function chunksOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const chunks: (readonly Item[])[] = [];
  for (let at = 0; at < items.length; at += CHUNK) chunks.push(items.slice(at, at + CHUNK));
  return chunks;
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
