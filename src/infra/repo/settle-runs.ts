import type { RunKey, ScheduleId } from '../../domain/ids.ts';
import type { Lease, SettledRun } from '../../domain/ports/engine-store.ts';
import { arrayLiteral, type EngineSql, quotedLiteral } from './engine-rows.ts';

/*
 * Outcomes in one statement. The claim row is taken FOR SHARE and its fence compared where the rows are written, so an
 * outcome of a holder that lost its lease writes nothing. Slots that succeed at once, which is nearly all of them, go by a statement of their own
 * (settle-plain-runs.ts). A row is overwritten only while it is RUNNING under a claim of ours: not a final one, nor one that a second try of the same settlement finds settled. A failed attempt writes its
 * row and its place in `retries` together. Claims whose every run is settled are deleted in the same statement, by their
 * fence too: a holder that lost its lease must not take the claim from its heir.
 */

const JSON_SEPARATOR = '\u001f';

/** Answers the keys whose outcome was stale: another holder has the lease, or the run had ended. */
export async function settleRuns(
  sql: EngineSql,
  settled: readonly SettledRun[],
  closed: readonly Lease[],
): Promise<readonly RunKey[]> {
  const literals = literalsOf(settled);
  const stale = await sql<{ s: ScheduleId; t: number; p: number }[]>`
    /* claims, runs, retries by primary key */
    with input as materialized (
      select * from unnest(${literals.s}::text::uuid[], ${literals.t}::text::float8[], ${literals.p}::text::int[], ${literals.n}::text::text[],
                           ${literals.v}::text::int[], ${literals.st}::text::text[], ${literals.re}::text::text[], ${literals.ca}::text::text[],
                           string_to_array(${literals.at}, chr(31)), string_to_array(${literals.pa}, chr(31), ''), ${literals.du}::text::float8[],
                           ${literals.sa}::text::float8[], ${literals.ea}::text::float8[], ${literals.na}::text::float8[], ${literals.cl}::text::uuid[],
                           ${literals.fe}::text::int[], ${literals.la}::text::smallint[]) as r(s, t, p, n, v, st, re, ca, at, pa, du, sa, ea, na, cl, fe, la)
    ), closing as materialized (
      select * from unnest(${arrayLiteral(closed.map((lease) => lease.claimId))}::text::uuid[],
                           ${arrayLiteral(closed.map((lease) => lease.fence))}::text::int[]) as u(id, fence)
    ), held as materialized (
      select id, fence from claims where id in (select cl from input union select id from closing) order by id for share
    ), written as (
      insert into runs (schedule_id, slot, space, tenant_id, version, state, reason, cause, attempts, payload, due, started_at, ended_at, next_attempt_at)
      select i.s, to_timestamp(i.t / 1000), i.p, i.n, i.v, i.st, i.re, i.ca, i.at::jsonb, i.pa::jsonb, to_timestamp(i.du / 1000), to_timestamp(i.sa / 1000),
             to_timestamp(i.ea / 1000), to_timestamp(i.na / 1000)
      from input i join held h on h.id = i.cl and h.fence = i.fe
      on conflict (schedule_id, slot, space) do update
        set state = excluded.state, reason = excluded.reason, attempts = excluded.attempts, started_at = excluded.started_at,
            ended_at = excluded.ended_at, next_attempt_at = excluded.next_attempt_at, claim_id = null
        where runs.state = 'RUNNING' and runs.claim_id in (select id from held)
      returning schedule_id, slot, space
    ), waiting as (
      insert into retries (schedule_id, slot, space, tenant_id, version, lane, next_due)
      select i.s, w.slot, i.p, i.n, i.v, i.la, to_timestamp(i.na / 1000)
      from input i join written w on w.schedule_id = i.s and w.slot = to_timestamp(i.t / 1000) and w.space = i.p
      where i.st = 'RETRYING'
      on conflict (schedule_id, slot, space) do update set next_due = excluded.next_due, lane = excluded.lane
    ), closed as (
      delete from claims c using held h join closing o on o.id = h.id and o.fence = h.fence where c.id = h.id
    )
    select i.s, i.t, i.p from input i
    left join written w on w.schedule_id = i.s and w.slot = to_timestamp(i.t / 1000) and w.space = i.p
    where w.schedule_id is null`;
  return stale.map((row) => ({ scheduleId: row.s, slot: Math.round(row.t), space: row.p }));
}

/** RUNNING rows for runs in flight, so that people see them and an heir knows that they had begun. */
export async function insertRunning(sql: EngineSql, running: readonly SettledRun[]): Promise<void> {
  await sql`
    insert into runs (schedule_id, slot, space, tenant_id, version, state, cause, attempts, payload, due, started_at, claim_id)
    select i.s, to_timestamp(i.t / 1000), i.p, i.n, i.v, 'RUNNING', i.ca, i.at, i.pa, to_timestamp(i.du / 1000), to_timestamp(i.sa / 1000), i.cl
    from jsonb_to_recordset(${JSON.stringify(running.map(recordOf))}::text::jsonb)
      as i(s uuid, t float8, p int, n text, v int, ca text, at jsonb, pa jsonb, du float8, sa float8, cl uuid, fe int)
    join (select id, fence from claims where id = any(${arrayLiteral([...new Set(running.map((run) => run.lease.claimId))])}::text::uuid[]) order by id for share) h
      on h.id = i.cl and h.fence = i.fe
    on conflict (schedule_id, slot, space) do update set started_at = excluded.started_at
      where runs.state = 'RUNNING' and runs.claim_id = excluded.claim_id and runs.started_at is null`;
}

function recordOf(run: SettledRun): Readonly<Record<string, unknown>> {
  return {
    s: run.key.scheduleId,
    t: run.key.slot,
    p: run.key.space,
    n: run.tenantId,
    v: run.version,
    st: run.state,
    re: run.reason,
    ca: run.cause,
    at: run.attempts,
    pa: run.payload,
    du: run.due,
    sa: run.startedAt,
    ea: run.state === 'RETRYING' || run.state === 'RUNNING' ? null : run.endedAt,
    na: run.retryAt,
    cl: run.lease.claimId,
    fe: run.lease.fence,
  };
}

/** Columns as array literals: a third of the work that one JSON document of rows makes in both processes. JSON is kept apart by a character it cannot hold. */
function literalsOf(settled: readonly SettledRun[]) {
  const json = (values: readonly (string | null)[]): string => values.map((value) => value ?? '').join(JSON_SEPARATOR);
  return {
    s: arrayLiteral(settled.map((run) => run.key.scheduleId)),
    t: arrayLiteral(settled.map((run) => run.key.slot)),
    p: arrayLiteral(settled.map((run) => run.key.space)),
    n: quotedLiteral(settled.map((run) => run.tenantId)),
    v: arrayLiteral(settled.map((run) => run.version)),
    st: arrayLiteral(settled.map((run) => run.state)),
    re: arrayLiteral(settled.map((run) => run.reason)),
    ca: arrayLiteral(settled.map((run) => run.cause)),
    at: json(settled.map((run) => JSON.stringify(run.attempts))),
    pa: json(settled.map((run) => (run.payload === null ? null : JSON.stringify(run.payload)))),
    du: arrayLiteral(settled.map((run) => run.due)),
    sa: arrayLiteral(settled.map((run) => run.startedAt)),
    ea: arrayLiteral(settled.map((run) => (run.state === 'RETRYING' ? null : run.endedAt))),
    na: arrayLiteral(settled.map((run) => run.retryAt)),
    cl: arrayLiteral(settled.map((run) => run.lease.claimId)),
    fe: arrayLiteral(settled.map((run) => run.lease.fence)),
    la: arrayLiteral(settled.map((run) => run.lane)),
  };
}
