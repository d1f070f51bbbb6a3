import { type FireDecision, startsNow, type TimerState } from '../../domain/entities/timer.ts';
import type { Claimant, DueSlot, ScheduleOver } from '../../domain/ports/engine-store.ts';
import { LANES } from '../../domain/ports/run-repository.ts';
import { tzdataVersion } from '../../domain/time/zone.ts';
import { arrayLiteral, type EngineSql, executorOf, quotedLiteral } from './engine-rows.ts';
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
  const fired = decided.filter(({ decision }) => startsNow(decision));
  const writes: Promise<unknown>[] = [];
  const moved = decided.filter(({ decision }) => typeof decision.next === 'object' && 'slot' in decision.next);
  if (moved.length > 0) writes.push(advanceTimers(sql, moved));
  if (fired.length > 0) writes.push(insertClaim(sql, fired, claimant));
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

/** Fails, and with it the transaction, if a timer is not where it was locked: it would stay due, and its slot be fired again. */
function advanceTimers(sql: EngineSql, moved: readonly Decided[]): Promise<unknown> {
  const next = moved.map(({ decision }) => decision.next as TimerState);
  return sql`
    /* timers by place, which spares a search of the primary key; arrays side by side in the list of a select, as a function in FROM first puts all its rows by */
    with moved as (
    update timers t set next_due = to_timestamp(u.due / 1000), slot = to_timestamp(u.slot / 1000), cursor = to_timestamp(u.cursor / 1000),
           last_fired = to_timestamp(u.last_fired / 1000), fires = u.fires, skip_next = u.skip_next, tzdata = ${tzdataVersion}
    from (select unnest(${quotedLiteral(moved.map(({ place }) => place))}::text::tid[]) as place, unnest(${arrayLiteral(next.map((timer) => timer.due))}::text::float8[]) as due,
                 unnest(${arrayLiteral(next.map((timer) => timer.slot))}::text::float8[]) as slot, unnest(${arrayLiteral(next.map((timer) => timer.cursor))}::text::float8[]) as cursor,
                 unnest(${arrayLiteral(next.map((timer) => timer.lastFired))}::text::float8[]) as last_fired, unnest(${arrayLiteral(next.map((timer) => timer.fires))}::text::bigint[]) as fires,
                 unnest(${arrayLiteral(next.map((timer) => String(timer.skipNext === true)))}::text::boolean[]) as skip_next) u
    where t.ctid = u.place
    returning 1
    )
    select case when count(*) <> ${moved.length}::int then ('only ' || count(*) || ' timers are where they were locked')::int end from moved`;
}

function insertClaim(sql: EngineSql, fired: readonly Decided[], claimant: Claimant): Promise<unknown> {
  return sql`
    insert into claims (id, owner, fence, lease_until, schedule_ids, slots, spaces, versions)
    select ${claimant.claimId}, ${claimant.owner}, 1, now() + ${claimant.leaseMs}::float8 * interval '1 millisecond', s.ids, s.slots, s.spaces, s.versions
    from (select array_agg(u.id) as ids, array_agg(to_timestamp(u.slot / 1000)) as slots, array_agg(0) as spaces, array_agg(u.version) as versions
          from (select unnest(${arrayLiteral(fired.map(({ slot }) => slot.scheduleId))}::text::uuid[]) as id,
                       unnest(${arrayLiteral(fired.map(({ slot, decision }) => decision.fired?.slot ?? slot.timer.slot))}::text::float8[]) as slot,
                       unnest(${arrayLiteral(fired.map(({ slot }) => slot.version?.version ?? 0))}::text::int[]) as version) u) as s`;
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
