import { crashPoint } from '#crash-point';
import type { Claimant, RecoveredClaim, RecoveredClaims } from '../../domain/ports/engine-store.ts';
import { type Buried, buryRuns } from './bury-runs.ts';
import { arrayLiteral, claimedRun, type EngineSql, executorOf, type RunningRow } from './engine-rows.ts';
import type { ScheduleVersionCache, VersionLookup } from './schedule-version-cache.ts';
import { lockTimers } from './terminal-transition.ts';

/*
 * Claims whose lease has expired. First death of a batch: the same claim under the next fence. From the second on each
 * open run gets a claim of its own, so that a run which kills its process is alone when it does; after three deaths
 * alone it is DEAD with reason POISON. What kills processes may have nothing to do with the run they happen to hold, so
 * from the second death alone on only those count before which its attempt had begun: the holder of a claim that was
 * taken over writes the start of the attempt first, and whoever takes the claim over erases it.
 *
 * The end of a run needs its schedule's timer, and timers are locked before claims: so a first look, without locks, finds
 * the schedules of which a run may end here, and what it saw is read again once the claims are held.
 */

/** Deaths of a claim that held one run alone before that run is quarantined. */
const POISON_DEATHS = 3;
/** Most claims of one round. */
const BATCH = 20;

interface ExpiredRow extends RunningRow {
  readonly claim_id: string;
  readonly fence: number;
  readonly recoveries: number;
  /** How many runs the claim was made for. */
  readonly size: number;
  readonly open: boolean;
}

interface TakenClaim {
  readonly id: string;
  readonly from: string;
  readonly fence: number;
  readonly recoveries: number;
  readonly rows: readonly ExpiredRow[];
}

export interface RecoveryRequest {
  readonly room: number;
  /** Claims to leave alone. */
  readonly held: readonly string[];
  readonly newId: () => string;
}

/** Takes over at least one expired claim, and no more than `room` runs' worth of others. Only inside a transaction. */
export async function recoverClaims(
  sql: EngineSql,
  claimant: Claimant,
  request: RecoveryRequest,
  versions: ScheduleVersionCache,
): Promise<RecoveredClaims> {
  crashPoint('recover.before-lock');
  const { ids: expired, isMoreLeft, nextInMs } = await findExpired(sql, request);
  if (expired.length === 0) return { claims: [], poisoned: 0, isMoreLeft: false, nextInMs, over: [] };
  const seen = await openRuns(sql, expired, versions);
  const mayEnd = new Set(seen.rows.filter((row) => mayBury(row, seen.lookup)).map((row) => row.schedule_id));
  const timers = await lockTimers(executorOf(sql), [...mayEnd].toSorted());
  const ids = await lockExpired(sql, expired);
  crashPoint('recover.after-lock');
  const { rows, lookup } = await openRuns(sql, ids, versions);
  const isBuried = (row: ExpiredRow): boolean => mayEnd.has(row.schedule_id) && reasonToBury(row, lookup) !== null;
  const buried = rows.flatMap((row): Buried[] => {
    const reason = isBuried(row) ? reasonToBury(row, lookup) : null;
    return reason === null ? [] : [{ ...row, reason }];
  });
  const taken = regrouped(
    rows.filter((row) => !isBuried(row)),
    request.newId,
  );
  const [over] = await Promise.all([buryRuns(sql, timers, buried), ...takeOver(sql, { ids, taken, claimant })]);
  crashPoint('recover.after-write');
  const claims = taken.map(
    ({ id, fence, recoveries, rows: runs }): RecoveredClaim => ({
      lease: { claimId: id, fence, recoveries },
      runs: runs.flatMap((row) => claimedRun(row, lookup) ?? []),
    }),
  );
  return { claims, poisoned: buried.length, isMoreLeft, nextInMs, over };
}

/** The claims of this round, unlocked, and when the next lease ends. */
async function findExpired(
  sql: EngineSql,
  { room, held }: RecoveryRequest,
): Promise<{ readonly ids: readonly string[]; readonly isMoreLeft: boolean; readonly nextInMs: number }> {
  const soonest = await sql<{ id: string; size: number; ms: number }[]>`
    /* index claims_lease */
    select id, cardinality(slots) as size, date_part('epoch', lease_until - now()) * 1000 as ms from claims
    where not id = any(${arrayLiteral(held)}::text::uuid[])
    order by lease_until limit ${BATCH}`;
  const expired = soonest.filter(({ ms }) => ms < 0);
  let runs = 0;
  const chosen = expired.filter(({ size }, index) => {
    runs += size;
    return index === 0 || runs <= room;
  });
  return {
    ids: chosen.map((row) => row.id),
    isMoreLeft: chosen.length < expired.length || expired.length === BATCH,
    nextInMs: soonest[expired.length]?.ms ?? Number.POSITIVE_INFINITY,
  };
}

/** Those of the claims that nobody else takes over or has taken over meanwhile. */
async function lockExpired(sql: EngineSql, ids: readonly string[]): Promise<readonly string[]> {
  const locked = await sql<{ id: string }[]>`
    /* claims by primary key */
    select id from claims where id = any(${arrayLiteral(ids)}::text::uuid[]) and lease_until < now() order by id for update skip locked`;
  return locked.map((row) => row.id);
}

async function openRuns(
  sql: EngineSql,
  ids: readonly string[],
  versions: ScheduleVersionCache,
): Promise<{ readonly rows: readonly ExpiredRow[]; readonly lookup: VersionLookup }> {
  const rows = (await runsNamed(sql, arrayLiteral(ids))).filter((row) => row.open);
  const lookup = await versions.load(
    sql,
    rows.map((row) => ({ scheduleId: row.schedule_id, version: row.version })),
  );
  return { rows, lookup };
}

/** Wider than {@link reasonToBury}: the start of an attempt may be written until the claim is locked. */
function mayBury(row: ExpiredRow, lookup: VersionLookup): boolean {
  return !isReadable(row, lookup) || (row.size === 1 && row.recoveries + 1 >= POISON_DEATHS);
}

function reasonToBury(row: ExpiredRow, lookup: VersionLookup): Buried['reason'] | null {
  if (!isReadable(row, lookup)) return 'REFUSED';
  return row.size === 1 && deathsOf(row) >= POISON_DEATHS ? 'POISON' : null;
}

function isReadable(row: ExpiredRow, lookup: VersionLookup): boolean {
  return lookup.of(row.schedule_id, row.version).version !== null;
}

/** Each run the claims name; open when it has no row, or one RUNNING under this very claim. */
async function runsNamed(sql: EngineSql, ids: string): Promise<readonly ExpiredRow[]> {
  return sql<ExpiredRow[]>`
    /* claims and runs by primary key */
    select c.id as claim_id, c.fence, c.recoveries, cardinality(c.slots) as size, u.schedule_id, date_part('epoch', u.slot) * 1000 as slot, u.space, u.version,
           r.cause, r.attempts, r.payload, date_part('epoch', r.due) * 1000 as due, date_part('epoch', r.started_at) * 1000 as started_at,
           (r.state is null or (r.state = 'RUNNING' and r.claim_id = c.id)) as open
    from claims c cross join lateral unnest(c.schedule_ids, c.slots, c.spaces, c.versions) as u(schedule_id, slot, space, version)
    left join runs r on r.schedule_id = u.schedule_id and r.slot = u.slot and r.space = u.space
    where c.id = any(${ids}::text::uuid[])`;
}

function regrouped(rows: readonly ExpiredRow[], newId: () => string): readonly TakenClaim[] {
  return [...Map.groupBy(rows, (row) => row.claim_id)].flatMap(([from, members]): TakenClaim[] => {
    const [first] = members;
    if (first === undefined) return [];
    const same = { id: from, from, fence: first.fence + 1, recoveries: deathsOf(first), rows: members };
    if (first.size === 1 || first.recoveries === 0) return [same];
    return members.map((row) => ({ id: newId(), from, fence: 1, recoveries: 0, rows: [row] }));
  });
}

/** The deaths that count against a claim, with the one its lease has just told of. */
function deathsOf({ size, recoveries, started_at }: ExpiredRow): number {
  const isUnproven = size === 1 && recoveries > 0 && started_at === null;
  return isUnproven ? recoveries : recoveries + 1;
}

/** The claims that stay get the next fence, runs put alone a claim of their own; what is left of `ids` has no open run and goes. */
function takeOver(
  sql: EngineSql,
  {
    ids,
    taken,
    claimant,
  }: { readonly ids: readonly string[]; readonly taken: readonly TakenClaim[]; readonly claimant: Claimant },
): readonly Promise<unknown>[] {
  const { owner, leaseMs } = claimant;
  const kept = taken
    .filter((claim) => claim.id === claim.from)
    .map(({ id, fence, recoveries }) => ({ id, fe: fence, re: recoveries }));
  const begun = taken.flatMap((claim) => claim.rows).filter((row) => row.size === 1 && row.started_at !== null);
  const alone = taken
    .filter((claim) => claim.id !== claim.from)
    .flatMap(({ id, from, rows }) =>
      rows.map(({ schedule_id: s, slot: t, space: p, version: v }) => ({ id, from, s, t, p, v })),
    );
  return [
    sql`
      update claims c set owner = ${owner}, fence = k.fe, recoveries = k.re, lease_until = now() + ${leaseMs}::float8 * interval '1 millisecond'
      from jsonb_to_recordset(${JSON.stringify(kept)}::text::jsonb) as k(id uuid, fe int, re int) where c.id = k.id`,
    sql`
      with alone as materialized (
        select * from jsonb_to_recordset(${JSON.stringify(alone)}::text::jsonb) as a(id uuid, "from" uuid, s uuid, t float8, p int, v int)
      ), made as (
        insert into claims (id, owner, fence, recoveries, lease_until, schedule_ids, slots, spaces, versions)
        select id, ${owner}::uuid, 1, 0, now() + ${leaseMs}::float8 * interval '1 millisecond', array[s], array[to_timestamp(t / 1000)], array[p], array[v] from alone
      )
      update runs r set claim_id = a.id from alone a
      where r.schedule_id = a.s and r.slot = to_timestamp(a.t / 1000) and r.space = a.p and r.claim_id = a."from"`,
    sql`
      update runs r set started_at = null
      from unnest(${arrayLiteral(begun.map((row) => row.claim_id))}::text::uuid[], ${arrayLiteral(begun.map((row) => row.schedule_id))}::text::uuid[],
                  ${arrayLiteral(begun.map((row) => row.slot))}::text::float8[], ${arrayLiteral(begun.map((row) => row.space))}::text::int[]) as b(c, s, t, p)
      where r.schedule_id = b.s and r.slot = to_timestamp(b.t / 1000) and r.space = b.p and r.claim_id = b.c`,
    sql`delete from claims where id = any(${arrayLiteral(ids)}::text::uuid[]) and not id = any(${arrayLiteral(kept.map((claim) => claim.id))}::text::uuid[])`,
  ];
}
