import { type FireDecision, startsNow, type TimerState } from '../../domain/entities/timer.ts';
import type { Claimant, DueSlot, ScheduleOver } from '../../domain/ports/engine-store.ts';
import { LANES } from '../../domain/ports/run-repository.ts';
import { tzdataVersion } from '../../domain/time/zone.ts';
import { arrayLiteral, type EngineSql, executorOf, instantsSince, quotedLiteral } from './engine-rows.ts';
import { type Ending, endSchedules } from './terminal-transition.ts';

interface Decided {
  readonly slot: DueSlot;
  /** Of its row in `timers`, which is locked. */
  readonly place: string;
  readonly decision: FireDecision;
}

/** Sends, without waiting in between, all that a claim transaction writes. Answers the schedules that are over by it. */
export async function writeFired(
  sql: EngineSql,
  decided: readonly Decided[],
  claimant: Claimant,
): Promise<readonly ScheduleOver[]> {
  const writes: Promise<unknown>[] = [];
  const moved = movedTimers(decided);
  if (moved.length > 0) writes.push(advance(sql, moved, claimant));
  const skipped = decided.filter(({ decision }) => decision.skipped !== null);
  if (skipped.length > 0) writes.push(insertSkipped(sql, skipped));
  const buffered = decided.filter(({ decision }) => decision.fired?.start === 'BUFFER');
  if (buffered.length > 0) writes.push(...insertBuffered(sql, buffered));
  const replaced = decided.filter(({ decision }) => decision.fired?.start === 'CANCEL_OTHER');
  if (replaced.length > 0) writes.push(...cancelPrevious(sql, replaced));
  const [, over] = await Promise.all([Promise.all(writes), endOver(sql, decided)]);
  return over;
}

async function endOver(sql: EngineSql, decided: readonly Decided[]): Promise<readonly ScheduleOver[]> {
  const endings = decided.flatMap(({ slot: { scheduleId: s }, decision: { next } }): Ending[] => {
    if (next === 'COMPLETED') return [{ s, p: null }];
    return 'disabled' in next ? [{ s, p: next.disabled }] : [];
  });
  return endings.length > 0 ? endSchedules(executorOf(sql), endings) : [];
}

/** A timer that goes on. `at`: the place of its slot among those that the claim fires; null: it fires none. */
interface MovedTimer {
  readonly at: number | null;
  readonly place: string;
  readonly next: TimerState;
}

/** Throws if a slot is fired whose timer does not go on with it: its run would be nobody's. */
function movedTimers(decided: readonly Decided[]): readonly MovedTimer[] {
  const moved: MovedTimer[] = [];
  let named = 0;
  for (const { slot, place, decision } of decided) {
    const { fired, next } = decision;
    const goesOn = typeof next === 'object' && 'slot' in next;
    if (fired !== null && !(goesOn && next.lastFired === fired.slot))
      throw new Error(`the timer of ${slot.scheduleId} does not tell the slot that is fired`);
    if (goesOn) moved.push({ at: startsNow(fired) ? named++ : null, place, next });
  }
  return moved;
}

/**
 * Moves timers on and names in a claim what has fired, in the order of the decisions: by that runs are settled. Fails, and with it the
 * transaction, if a timer is not where it was locked: it would stay due, and its slot be fired again.
 */
function advance(sql: EngineSql, moved: readonly MovedTimer[], claimant: Claimant): Promise<unknown> {
  const base = moved[0]?.next.slot ?? 0;
  const instants = (of: (next: TimerState) => number | null): string =>
    instantsSince(
      base,
      moved.map(({ next }) => of(next)),
    );
  return sql`
    /* timers by place, which spares a search of the primary key; what the claim names comes from their rows, as ids cost most to read from
       text; arrays side by side in the list of a select, as a function in FROM first puts all its rows by */
    with moved as (
      update timers t set next_due = coalesce(to_timestamp((${base}::float8 + u.due) / 1000), 'infinity'), slot = to_timestamp((${base}::float8 + u.slot) / 1000),
             cursor = to_timestamp((${base}::float8 + u.cursor) / 1000), last_fired = to_timestamp((${base}::float8 + u.last_fired) / 1000), fires = u.fires,
             skip_next = u.skip_next, tzdata = ${tzdataVersion}
      from (select unnest(${quotedLiteral(moved.map(({ place }) => place))}::text::tid[]) as place, unnest(${arrayLiteral(moved.map(({ at }) => at))}::text::int[]) as at,
                   unnest(${instants((next) => (next.due === Number.POSITIVE_INFINITY ? null : next.due))}::text::bigint[]) as due, unnest(${instants((next) => next.slot)}::text::bigint[]) as slot,
                   unnest(${instants((next) => next.cursor)}::text::bigint[]) as cursor,
                   unnest(${instants((next) => next.lastFired)}::text::bigint[]) as last_fired,
                   unnest(${arrayLiteral(moved.map(({ next }) => next.fires))}::text::bigint[]) as fires,
                   unnest(${arrayLiteral(moved.map(({ next }) => String(next.skipNext === true)))}::text::boolean[]) as skip_next) u
      where t.ctid = u.place
      returning u.at, t.schedule_id, t.last_fired as slot, t.version
    ), claimed as (
      insert into claims (id, owner, fence, lease_until, schedule_ids, slots, spaces, versions)
      select ${claimant.claimId}, ${claimant.owner}, 1, now() + ${claimant.leaseMs}::float8 * interval '1 millisecond',
             array_agg(f.schedule_id), array_agg(f.slot), array_agg(0), array_agg(f.version)
      from (select * from moved where at is not null order by at) f
      having count(*) > 0
    )
    select case when count(*) <> ${moved.length}::int then ('only ' || count(*) || ' timers are where they were locked')::int end from moved`;
}

function insertSkipped(sql: EngineSql, skipped: readonly Decided[]): Promise<unknown> {
  const rows = skipped.flatMap(({ slot, decision }) => {
    if (decision.skipped === null) return [];
    const { from, to, count, reason } = decision.skipped;
    const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), count };
    return [
      {
        s: slot.scheduleId,
        t: from,
        n: slot.tenantId,
        v: slot.version?.version ?? 0,
        re: reason,
        ra: from === to ? null : range,
      },
    ];
  });
  return sql`
    insert into runs (schedule_id, slot, space, tenant_id, version, state, reason, cause, range, due, ended_at)
    select r.s, to_timestamp(r.t / 1000), 0, r.n, r.v, 'SKIPPED', r.re, 'SCHEDULE', r.ra, to_timestamp(r.t / 1000), now()
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(s uuid, t float8, n text, v int, re text, ra jsonb)
    on conflict (schedule_id, slot, space) do nothing`;
}

function insertBuffered(sql: EngineSql, buffered: readonly Decided[]): readonly Promise<unknown>[] {
  const rows = JSON.stringify(
    buffered.map(({ slot, decision }) => ({
      s: slot.scheduleId,
      t: decision.fired?.slot,
      n: slot.tenantId,
      v: slot.version?.version ?? 0,
      ca: decision.fired?.cause,
      du: decision.fired?.due,
    })),
  );
  return [
    sql`
    insert into runs (schedule_id, slot, space, tenant_id, version, state, cause, due)
    select r.s, to_timestamp(r.t / 1000), 0, r.n, r.v, 'PENDING', r.ca, to_timestamp(r.du / 1000)
    from jsonb_to_recordset(${rows}::text::jsonb) as r(s uuid, t float8, n text, v int, ca text, du float8)
    on conflict (schedule_id, slot, space) do nothing`,
    sql`
    insert into retries (schedule_id, slot, space, tenant_id, version, lane, next_due)
    select r.s, to_timestamp(r.t / 1000), 0, r.n, r.v, ${LANES.live}, 'infinity'
    from jsonb_to_recordset(${rows}::text::jsonb) as r(s uuid, t float8, n text, v int)
    on conflict (schedule_id, slot, space) do nothing`,
  ];
}

/** Ends the run before as CANCELLED, whether it waits, is in flight, or has no row yet; its owner learns at its next renewal. */
function cancelPrevious(sql: EngineSql, replaced: readonly Decided[]): readonly Promise<unknown>[] {
  const rows = JSON.stringify(
    replaced.map(({ slot }) => ({
      s: slot.scheduleId,
      t: slot.timer.lastFired,
      n: slot.tenantId,
      v: slot.version?.version ?? 0,
    })),
  );
  return [
    sql`
    delete from retries w using jsonb_to_recordset(${rows}::text::jsonb) as r(s uuid, t float8)
    where w.schedule_id = r.s and w.slot = to_timestamp(r.t / 1000) and w.space = 0`,
    sql`
    /* one in flight without a row has the version that its claim names */
    insert into runs (schedule_id, slot, space, tenant_id, version, state, reason, cause, due, ended_at)
    select r.s, to_timestamp(r.t / 1000), 0, r.n,
           coalesce((select u.version from claims c cross join lateral unnest(c.schedule_ids, c.slots, c.spaces, c.versions) as u(schedule_id, slot, space, version)
                     where c.schedule_ids @> array[r.s] and u.schedule_id = r.s and u.slot = to_timestamp(r.t / 1000) and u.space = 0 limit 1), r.v), 'CANCELLED', 'OVERLAP', 'SCHEDULE', to_timestamp(r.t / 1000), now()
    from jsonb_to_recordset(${rows}::text::jsonb) as r(s uuid, t float8, n text, v int) order by r.s
    on conflict (schedule_id, slot, space) do update
      set state = 'CANCELLED', reason = 'OVERLAP', ended_at = now(), next_attempt_at = null, claim_id = null
      where runs.state in ('PENDING', 'RUNNING', 'RETRYING')`,
  ];
}
