import { sql } from 'drizzle-orm';
import { ScheduleEntity } from '../../domain/entities/schedule.ts';
import { type ScheduleId, SLOT_SPACE } from '../../domain/ids.ts';
import type { Transaction } from '../db/client.ts';
import { arrayLiteral } from './engine-rows.ts';

/**
 * The same schedules, with what is known of the run that a stopped one waits for: its end found no timer, so nobody has told the
 * cold row. An end that commits behind our look is told to the timer by upkeep.
 */
export async function withWaitedRuns(
  tx: Transaction,
  entities: readonly ScheduleEntity[],
): Promise<readonly ScheduleEntity[]> {
  const waiting = entities.filter(
    ({ isActive, timer }) => !isActive && timer.lastFired !== null && timer.due === Number.POSITIVE_INFINITY,
  );
  if (waiting.length === 0) return entities;
  const ids = arrayLiteral(waiting.map(({ state }) => state.id));
  const slots = arrayLiteral(waiting.map(({ timer }) => timer.lastFired));
  // runs by primary key; claims: few rows
  const rows = await tx.execute<{ id: ScheduleId }>(sql`
    select u.id from unnest(${ids}::text::uuid[], ${slots}::text::float8[]) as u(id, slot)
    left join runs r on r.schedule_id = u.id and r.slot = to_timestamp(u.slot / 1000) and r.space = ${SLOT_SPACE}
    where r.state in ('PENDING', 'RUNNING', 'RETRYING')
       or (r.state is null and claim_of(u.id, to_timestamp(u.slot / 1000), ${SLOT_SPACE}) is not null)`);
  const open = new Set([...rows].map(({ id }) => id));
  return entities.map((entity) =>
    open.has(entity.state.id) ? new ScheduleEntity(entity.state, { ...entity.timer, isRunOpen: true }) : entity,
  );
}
