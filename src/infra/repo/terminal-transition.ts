import { type SQL, sql } from 'drizzle-orm';
import type { RunReason } from '../../domain/entities/run.ts';
import { type TimerState, timerAfterRun } from '../../domain/entities/timer.ts';
import { type ScheduleId, SLOT_SPACE } from '../../domain/ids.ts';
import type { ScheduleOver } from '../../domain/ports/engine-store.ts';

/*
 * What the end of a run does to its schedule, in the transaction that ends the run and nowhere else: the next slot of a
 * FIXED_DELAY chain, the release of a buffered run, completion after the last slot, disabling after 410 or too many dead
 * runs. Locks timers, in id order, then schedules. Upkeep calls it too, for the rare run that ended unseen by its timer.
 */

/** A drizzle transaction, or anything else that sends a statement within the caller's transaction. */
export interface Executor {
  execute(query: SQL): PromiseLike<Iterable<unknown>>;
}

export interface EndedRun {
  readonly scheduleId: ScheduleId;
  readonly slot: number;
  readonly space: number;
  readonly state: 'SUCCEEDED' | 'DEAD' | 'CANCELLED';
  readonly reason: RunReason | null;
  /** Epoch ms. */
  readonly endedAt: number;
}

interface TimerRow {
  readonly schedule_id: ScheduleId;
  readonly slot: number;
  readonly due: number;
  readonly cursor: number;
  readonly last_fired: number | null;
  readonly fires: number;
  readonly delay_sec: number | null;
  readonly end_at: number | null;
  readonly max_fires: number | null;
  readonly overlap_policy: string;
  readonly pause_on_failures: number | null;
}

/** What ends did: the earliest instant (epoch ms) at which something became due, else Infinity, and the schedules that are over. */
interface Aftermath {
  readonly nextDue: number;
  readonly over: readonly ScheduleOver[];
}

export interface Ending {
  readonly s: ScheduleId;
  /** Why it is DISABLED; null: COMPLETED. */
  readonly p: string | null;
}

/** Applies the ends to timers and schedules. */
export async function afterRunsEnded(tx: Executor, ended: readonly EndedRun[]): Promise<Aftermath> {
  return applyEnds(tx, await lockTimers(tx, schedulesOf(ended)), ended);
}

/** Timers that the transaction has locked; schedules that are not active have none. */
export type LockedTimers = ReadonlyMap<ScheduleId, TimerRow>;

/** As {@link afterRunsEnded}, for a transaction that locked the timers before it wrote the runs. */
export async function applyEnds(tx: Executor, timers: LockedTimers, ended: readonly EndedRun[]): Promise<Aftermath> {
  const chained: (TimerState & { readonly s: ScheduleId })[] = [];
  const endings: Ending[] = [];
  for (const run of ended) {
    const row = timers.get(run.scheduleId);
    if (row === undefined) continue;
    const disabled = await whyDisabled(tx, row, run);
    const isSlot = run.space === SLOT_SPACE;
    const next = disabled === null && isSlot ? timerAfterRun(timerOf(row), ruleOf(row), run.slot, run.endedAt) : null;
    if (disabled !== null) endings.push({ s: run.scheduleId, p: disabled });
    else if (next === 'COMPLETED') endings.push({ s: run.scheduleId, p: null });
    else if (next !== null) chained.push({ ...next, s: run.scheduleId });
  }
  if (chained.length > 0) await chain(tx, chained);
  const releasedAt = await releaseBuffered(tx, timers, ended);
  const over = endings.length > 0 ? await endSchedules(tx, endings) : [];
  return { nextDue: Math.min(releasedAt, ...chained.map((timer) => timer.due)), over };
}

/** Locks the timers of these schedules, in id order: before the runs, as a claim does. */
export async function lockTimers(tx: Executor, ids: readonly ScheduleId[]): Promise<LockedTimers> {
  if (ids.length === 0) return new Map();
  const rows = await rowsOf<TimerRow>(
    tx,
    sql`
    select t.schedule_id, date_part('epoch', t.slot) * 1000 as slot, date_part('epoch', t.next_due) * 1000 as due,
           date_part('epoch', t.cursor) * 1000 as cursor, date_part('epoch', t.last_fired) * 1000 as last_fired, t.fires::float8 as fires,
           (v.trigger->>'delaySec')::float8 as delay_sec, date_part('epoch', v.end_at) * 1000 as end_at, v.max_fires, v.pause_on_failures,
           -- slots that a calendar moves to one date wait for one another
           case when v.calendars->>'onExcluded' <> 'SKIP' and v.overlap_policy = 'SKIP' then 'BUFFER_ALL' else v.overlap_policy end as overlap_policy
    from timers t join schedule_versions v on v.schedule_id = t.schedule_id and v.version = t.version
    where t.schedule_id = any(${literal(ids)}::text::uuid[]) order by t.schedule_id for update of t`,
  );
  return new Map(rows.map((row) => [row.schedule_id, row]));
}

/** The schedules of these runs, each once, in the order in which their timers are locked. */
export function schedulesOf(ended: readonly EndedRun[]): readonly ScheduleId[] {
  return [...new Set(ended.map((run) => run.scheduleId))].sort();
}

async function whyDisabled(tx: Executor, row: TimerRow, run: EndedRun): Promise<string | null> {
  if (run.state !== 'DEAD') return null;
  if (run.reason === 'GONE') return 'the target answered 410 Gone';
  const limit = row.pause_on_failures;
  if (limit === null) return null;
  const [found] = await rowsOf<{ dead: number }>(
    tx,
    sql`
    select count(*) filter (where state = 'DEAD')::int as dead
    from (select state from runs where schedule_id = ${run.scheduleId} and state in ('SUCCEEDED', 'DEAD') order by slot desc limit ${limit}) as latest`,
  );
  return (found?.dead ?? 0) >= limit ? `${limit} runs in a row are dead` : null;
}

async function chain(tx: Executor, chained: readonly (TimerState & { readonly s: ScheduleId })[]): Promise<void> {
  await tx.execute(sql`
    update timers t set next_due = to_timestamp(r.due / 1000), slot = to_timestamp(r.slot / 1000)
    from jsonb_to_recordset(${JSON.stringify(chained)}::text::jsonb) as r(s uuid, slot float8, due float8)
    where t.schedule_id = r.s and t.next_due = 'infinity'`);
}

/**
 * Makes the earliest buffered run of each schedule due now, where a run that was under way has ended. One that was cancelled
 * in the buffer frees nothing. A schedule without a timer is no longer active; its buffered runs run nevertheless.
 */
async function releaseBuffered(tx: Executor, timers: LockedTimers, ended: readonly EndedRun[]): Promise<number> {
  const freeing = ended.filter(({ scheduleId, space }) => {
    const policy = timers.get(scheduleId)?.overlap_policy;
    return space === SLOT_SPACE && (policy === undefined || policy.startsWith('BUFFER'));
  });
  if (freeing.length === 0) return Number.POSITIVE_INFINITY;
  const runs = JSON.stringify(
    freeing.map(({ scheduleId, slot, state }) => ({ s: scheduleId, t: slot, c: state === 'CANCELLED' })),
  );
  const rows = await rowsOf<{ now: number }>(
    tx,
    sql`
    update retries w set next_due = now()
    from (select distinct on (b.schedule_id) b.schedule_id, b.slot, b.space
          from jsonb_to_recordset(${runs}::text::jsonb) as e(s uuid, t float8, c boolean)
          join retries b on b.schedule_id = e.s and b.next_due = 'infinity'
          where not e.c or claim_of(e.s, to_timestamp(e.t / 1000), 0) is not null
             or exists (select from runs r where r.schedule_id = e.s and r.slot = to_timestamp(e.t / 1000) and r.space = 0 and r.started_at is not null)
          order by b.schedule_id, b.slot) as e
    where w.schedule_id = e.schedule_id and w.slot = e.slot and w.space = e.space
    returning date_part('epoch', now()) * 1000 as now`,
  );
  return rows[0]?.now ?? Number.POSITIVE_INFINITY;
}

/** The timer moves onto the cold row of a schedule that is over. Also called by the claim, whose own slots may be the last. */
export function endSchedules(tx: Executor, endings: readonly Ending[]): Promise<readonly ScheduleOver[]> {
  return rowsOf<ScheduleOver>(
    tx,
    sql`
    with gone as (
      delete from timers t using jsonb_to_recordset(${JSON.stringify(endings)}::text::jsonb) as r(s uuid, p text) where t.schedule_id = r.s returning t.*, r.p
    )
    update schedules s set state = case when g.p is null then 'COMPLETED' else 'DISABLED' end, state_reason = g.p, version = s.version + 1, updated_at = now(),
           slot = g.slot, due = g.next_due, cursor = greatest(g.cursor, g.last_fired), last_fired = g.last_fired, fires = g.fires,
           deleted_at = case when g.p is null and s.on_completion = 'DELETE' then now() end
    from gone g where s.id = g.schedule_id
    returning s.id, s.tenant_id as "tenantId", s.version, s.state`,
  );
}

async function rowsOf<Row>(tx: Executor, query: SQL): Promise<readonly Row[]> {
  return [...(await tx.execute(query))] as Row[];
}

function literal(values: readonly string[]): string {
  return `{${values.join(',')}}`;
}

function timerOf(row: TimerRow): TimerState {
  const lastFired = row.last_fired === null ? null : Math.round(row.last_fired);
  return { slot: Math.round(row.slot), due: row.due, cursor: Math.round(row.cursor), lastFired, fires: row.fires };
}

function ruleOf(row: TimerRow): { delayMs: number | null; endAt: number | null; maxFires: number | null } {
  return { delayMs: row.delay_sec === null ? null : row.delay_sec * 1000, endAt: row.end_at, maxFires: row.max_fires };
}
