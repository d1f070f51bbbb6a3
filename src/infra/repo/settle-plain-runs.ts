import { SLOT_SPACE } from '../../domain/ids.ts';
import type { Lease, SettledRun } from '../../domain/ports/engine-store.ts';
import { arrayLiteral, type EngineSql, instantsSince, quotedLiteral } from './engine-rows.ts';
import { areUntold } from './untold-attempts.ts';

/*
 * Outcomes as nearly all are: a slot that succeeded at its first attempt, has no row yet, and of whose attempt its row tells all. What they
 * have in common is said once, claims are named by their place in a list, and which outcomes are stale follows from the
 * claims that are held. A run's schedule, slot and version are those that its claim's row names at the run's place:
 * PostgreSQL 15 takes 0.6 µs to read an id from text. The statement for all outcomes (settle-runs.ts) also tells what is written
 * here and why. Where a run has a row after all, the statement fails and nothing of it happens.
 */

export function isPlain(run: SettledRun): boolean {
  return (
    run.state === 'SUCCEEDED' &&
    run.freshAt !== null &&
    run.cause === 'SCHEDULE' &&
    run.payload === null &&
    run.key.space === SLOT_SPACE &&
    areUntold(run.attempts)
  );
}

/** `also`: leases that the transaction needs later, locked here so that all are locked in one order. Answers the stale ones. */
export async function settlePlainRuns(
  sql: EngineSql,
  settled: readonly SettledRun[],
  { also, closed }: { readonly also: readonly Lease[]; readonly closed: readonly Lease[] },
): Promise<readonly SettledRun[]> {
  const places = new Map<Lease, number>();
  const placeOf = (lease: Lease): number => {
    const place = places.get(lease) ?? places.size;
    places.set(lease, place);
    return place;
  };
  const claimPlaces = settled.map((run) => placeOf(run.lease));
  for (const lease of [...also, ...closed]) placeOf(lease);
  const leases = [...places.keys()];
  const closing = new Set(closed);
  const base = settled[0]?.due ?? 0;
  const instants = (of: (run: SettledRun) => number): string => instantsSince(base, settled.map(of));
  const held = await sql<{ place: number }[]>`
    /* claims by primary key; || takes their arrays out of their packing once, where each look into one would do it again */
    with held as materialized (
      select c.id, k.place, k.closing, c.schedule_ids || '{}'::uuid[] as schedule_ids, c.slots || '{}'::timestamptz[] as slots,
             c.versions || '{}'::int[] as versions
      from unnest(${arrayLiteral(leases.map((lease) => lease.claimId))}::text::uuid[], ${arrayLiteral(leases.map((lease) => lease.fence))}::text::int[],
                  ${arrayLiteral(leases.map((lease) => String(closing.has(lease))))}::text::boolean[],
                  ${arrayLiteral(leases.map((_, place) => place))}::text::int[]) as k(id, fence, closing, place)
      join claims c on c.id = k.id and c.fence = k.fence order by c.id for share of c
    ), written as (
      insert into runs (schedule_id, slot, space, tenant_id, version, state, cause, http_status, due, started_at, ended_at)
      select h.schedule_ids[i.at], h.slots[i.at], ${SLOT_SPACE}::int, i.n, h.versions[i.at], 'SUCCEEDED', 'SCHEDULE', i.hs,
             to_timestamp((${base}::float8 + i.du) / 1000), to_timestamp((${base}::float8 + i.sa) / 1000), to_timestamp((${base}::float8 + i.ea) / 1000)
      from (select unnest(${arrayLiteral(claimPlaces)}::text::int[]) as c, unnest(${arrayLiteral(settled.map(({ freshAt }) => (freshAt ?? 0) + 1))}::text::int[]) as at,
                   unnest(${quotedLiteral(settled.map((run) => run.tenantId))}::text::text[]) as n,
                   unnest(${arrayLiteral(settled.map(({ attempts }) => attempts[0]?.httpStatus ?? null))}::text::smallint[]) as hs,
                   unnest(${instants((run) => run.due)}::text::bigint[]) as du, unnest(${instants((run) => run.startedAt)}::text::bigint[]) as sa,
                   unnest(${instants((run) => run.endedAt)}::text::bigint[]) as ea) i
      join held h on h.place = i.c
    ), closed as (
      delete from claims c using held h where h.closing and c.id = h.id
    )
    select place from held`;
  if (held.length === leases.length) return [];
  const present = new Set(held.map(({ place }) => place));
  return settled.filter((_, index) => !present.has(claimPlaces[index] ?? -1));
}
