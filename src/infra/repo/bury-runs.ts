import type { RunCause } from '../../domain/entities/run.ts';
import type { ScheduleId } from '../../domain/ids.ts';
import type { ScheduleOver } from '../../domain/ports/engine-store.ts';
import { type EngineSql, executorOf } from './engine-rows.ts';
import { applyEnds, type LockedTimers } from './terminal-transition.ts';

/** A run that no process shall try again. POISON: its processes died with it; REFUSED: its definition can no longer be read. */
export interface Buried {
  readonly schedule_id: ScheduleId;
  readonly slot: number;
  readonly space: number;
  readonly version: number;
  readonly cause: RunCause | null;
  readonly reason: 'POISON' | 'REFUSED';
}

/**
 * Ends runs that are open as DEAD without another attempt, and does what the end of a run does to its schedule, whose timer
 * is among those locked before. Answers the schedules that are over by it. Only inside a transaction.
 */
export async function buryRuns(
  sql: EngineSql,
  timers: LockedTimers,
  buried: readonly Buried[],
): Promise<readonly ScheduleOver[]> {
  if (buried.length === 0) return [];
  const rows = buried.map(({ schedule_id: s, slot: t, space: p, version: v, cause, reason: re }) => ({
    s,
    t,
    p,
    v,
    ca: cause ?? 'SCHEDULE',
    re,
  }));
  const ended = await sql<{ s: ScheduleId; t: number; p: number; re: Buried['reason']; ea: number }[]>`
    insert into runs (schedule_id, slot, space, tenant_id, version, state, reason, cause, due, ended_at)
    select i.s, to_timestamp(i.t / 1000), i.p, v.tenant_id, i.v, 'DEAD', i.re, i.ca, to_timestamp(i.t / 1000), now()
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as i(s uuid, t float8, p int, v int, ca text, re text)
    join schedule_versions v on v.schedule_id = i.s and v.version = i.v
    order by i.s, i.t, i.p
    on conflict (schedule_id, slot, space) do update set state = 'DEAD', reason = excluded.reason, ended_at = now(), claim_id = null
      where runs.state = 'RUNNING'
    returning schedule_id as s, date_part('epoch', slot) * 1000 as t, space as p, reason as re, date_part('epoch', ended_at) * 1000 as ea`;
  const runs = ended.map(({ s, t, p, re, ea }) => ({
    scheduleId: s,
    slot: Math.round(t),
    space: p,
    state: 'DEAD' as const,
    reason: re,
    endedAt: Math.round(ea),
  }));
  const { over } = await applyEnds(executorOf(sql), timers, runs);
  return over;
}
