import type { ScheduleId } from '../../domain/ids.ts';
import type { Claimant, RecoveredClaim } from '../../domain/ports/engine-store.ts';
import { arrayLiteral, claimedRun, type EngineSql, type RunningRow } from './engine-rows.ts';
import type { ScheduleVersionCache } from './schedule-version-cache.ts';

/*
 * Claims whose lease has expired. First death of a batch: the same claim under the next fence. From the second on each
 * open run gets a claim of its own, so that a run which kills its process is alone when it does; after three deaths
 * alone it is DEAD with reason POISON.
 */

/** Deaths of a claim that held one run alone before that run is quarantined. */
const POISON_DEATHS = 3;

interface ExpiredRow extends RunningRow {
  readonly claim_id: string;
  readonly fence: number;
  readonly recoveries: number;
  readonly size: number;
  readonly open: boolean;
}

export interface Recovery {
  readonly claims: readonly RecoveredClaim[];
  readonly poisoned: readonly { readonly scheduleId: ScheduleId; readonly slot: number; readonly space: number }[];
}

/** Only inside a transaction. */
export async function recoverClaims(
  sql: EngineSql,
  request: { readonly limit: number; readonly claimant: Claimant; readonly newId: () => string },
  versions: ScheduleVersionCache,
): Promise<Recovery> {
  const { limit, claimant, newId } = request;
  const locked = await sql<{ id: string }[]>`
    /* index claims_lease */
    select id from claims where lease_until < now() order by lease_until limit ${limit} for update skip locked`;
  if (locked.length === 0) return { claims: [], poisoned: [] };
  const ids = arrayLiteral(locked.map((row) => row.id));
  const rows = (await openRuns(sql, ids)).filter((row) => row.open);
  const lookup = await versions.load(
    sql,
    rows.map((row) => ({ scheduleId: row.schedule_id, version: row.version })),
  );
  const isPoison = (row: ExpiredRow): boolean => row.size === 1 && row.recoveries + 1 >= POISON_DEATHS;
  const poisoned = rows.filter((row) => isPoison(row) || lookup.of(row.schedule_id, row.version).version === null);
  const kept = rows.filter((row) => !poisoned.includes(row));
  const taken = regrouped(kept, newId);
  await Promise.all([
    ...(poisoned.length > 0 ? [bury(sql, poisoned)] : []),
    ...taken.map((claim) => takeOver(sql, claim, claimant)),
    dropClaims(sql, ids, arrayLiteral(taken.filter((claim) => claim.id === claim.from).map((claim) => claim.id))),
  ]);
  const claims = taken.map((claim) => ({
    lease: { claimId: claim.id, fence: claim.fence, recoveries: claim.recoveries },
    runs: claim.rows.flatMap((row) => claimedRun(row, lookup) ?? []),
  }));
  return {
    claims,
    poisoned: poisoned.map((row) => ({ scheduleId: row.schedule_id, slot: Math.round(row.slot), space: row.space })),
  };
}

/** Each run the claims name; open when it has no row, or one RUNNING under this very claim. */
async function openRuns(sql: EngineSql, ids: string): Promise<readonly ExpiredRow[]> {
  return sql<ExpiredRow[]>`
    /* claims and runs by primary key */
    select c.id as claim_id, c.fence, c.recoveries, cardinality(c.slots) as size, u.schedule_id, date_part('epoch', u.slot) * 1000 as slot, u.space, u.version,
           r.cause, r.attempts, r.payload, date_part('epoch', r.due) * 1000 as due, date_part('epoch', r.started_at) * 1000 as started_at,
           (r.state is null or (r.state = 'RUNNING' and r.claim_id = c.id)) as open
    from claims c cross join lateral unnest(c.schedule_ids, c.slots, c.spaces, c.versions) as u(schedule_id, slot, space, version)
    left join runs r on r.schedule_id = u.schedule_id and r.slot = u.slot and r.space = u.space
    where c.id = any(${ids}::text::uuid[])`;
}

interface TakenClaim {
  readonly id: string;
  readonly from: string;
  readonly fence: number;
  readonly recoveries: number;
  readonly rows: readonly ExpiredRow[];
}

function regrouped(rows: readonly ExpiredRow[], newId: () => string): readonly TakenClaim[] {
  const groups = new Map<string, ExpiredRow[]>();
  for (const row of rows) groups.set(row.claim_id, [...(groups.get(row.claim_id) ?? []), row]);
  return [...groups].flatMap(([from, members]): TakenClaim[] => {
    const [first] = members;
    if (first === undefined) return [];
    if (first.size === 1 || first.recoveries === 0)
      return [{ id: from, from, fence: first.fence + 1, recoveries: first.recoveries + 1, rows: members }];
    return members.map((row) => ({ id: newId(), from, fence: 1, recoveries: 0, rows: [row] }));
  });
}

function takeOver(sql: EngineSql, claim: TakenClaim, claimant: Claimant): Promise<unknown> {
  const { owner, leaseMs } = claimant;
  if (claim.id === claim.from) {
    return sql`
      update claims set owner = ${owner}, fence = ${claim.fence}, recoveries = ${claim.recoveries}, lease_until = now() + ${leaseMs}::float8 * interval '1 millisecond'
      where id = ${claim.id}`;
  }
  const [row] = claim.rows;
  if (row === undefined) return Promise.resolve();
  return sql`
    with alone as (
      insert into claims (id, owner, fence, recoveries, lease_until, schedule_ids, slots, spaces, versions)
      select ${claim.id}::uuid, ${owner}::uuid, 1, 0, now() + ${leaseMs}::float8 * interval '1 millisecond', array[${row.schedule_id}::uuid],
             array[to_timestamp(${row.slot}::float8 / 1000)], array[${row.space}::int], array[${row.version}::int]
    )
    update runs set claim_id = ${claim.id}
    where schedule_id = ${row.schedule_id} and slot = to_timestamp(${row.slot}::float8 / 1000) and space = ${row.space} and claim_id = ${claim.from}`;
}

function dropClaims(sql: EngineSql, ids: string, kept: string): Promise<unknown> {
  return sql`delete from claims where id = any(${ids}::text::uuid[]) and not id = any(${kept}::text::uuid[])`;
}

function bury(sql: EngineSql, poisoned: readonly ExpiredRow[]): Promise<unknown> {
  const rows = JSON.stringify(
    poisoned.map((row) => ({
      s: row.schedule_id,
      t: row.slot,
      p: row.space,
      v: row.version,
      ca: row.cause ?? 'SCHEDULE',
    })),
  );
  return sql`
    insert into runs (schedule_id, slot, space, tenant_id, version, state, reason, cause, due, ended_at)
    select i.s, to_timestamp(i.t / 1000), i.p, v.tenant_id, i.v, 'DEAD', 'POISON', i.ca, to_timestamp(i.t / 1000), now()
    from jsonb_to_recordset(${rows}::text::jsonb) as i(s uuid, t float8, p int, v int, ca text)
    join schedule_versions v on v.schedule_id = i.s and v.version = i.v
    on conflict (schedule_id, slot, space) do update set state = 'DEAD', reason = 'POISON', ended_at = now(), claim_id = null
      where runs.state in ('PENDING', 'RUNNING', 'RETRYING')`;
}
