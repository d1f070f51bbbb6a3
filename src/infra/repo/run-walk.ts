import { and, count, desc, eq, gte, lt, lte, max, min, type SQL, sql } from 'drizzle-orm';
import type { RunKey, ScheduleId, TenantId } from '../../domain/ids.ts';
import type { RunQuery } from '../../domain/ports/run-repository.ts';
import type { Transaction } from '../db/client.ts';
import { runs, schedules } from '../db/schema.ts';
import { instantOf } from './schedule-rows.ts';

/*
 * Runs have one order: newest slot first, those of one slot by schedule. No index holds more of it than the slot, as every fire would pay
 * for it. So a page looks at a bounded number of runs: whole slots where they are not many, one slot where it is large; and of a slot that
 * very many runs share it goes along the tenant's schedules instead and looks for the run of each.
 */

/** Runs that a page looks at, at most: some milliseconds. */
const MOST_LOOKED_AT = 1000;
/** Of an organization, whose runs no index finds among its tenant's. */
const MOST_OF_A_TENANT = 5000;
/** Where more runs share one slot, at most so many are sorted for a page. */
const MOST_OF_A_SLOT = 5000;
/** Of a slot with still more: schedules whose run a page looks for, at most. */
const MOST_SCHEDULES = 5000;

const DAY_MS = 86_400_000;
const FIRST_SCHEDULE = '00000000-0000-0000-0000-000000000000' as ScheduleId;
const LAST_SPACE = 0x7fffffff;

export type RunRecord = typeof runs.$inferSelect;

/** The place before all runs of a slot. */
function beginningOf(slot: number): RunKey {
  return { scheduleId: FIRST_SCHEDULE, slot, space: 0 };
}

/** Runs in order; where they are fewer than asked for, the place at which they were looked for no further, null where nothing is left to look at. */
export interface Walked {
  readonly rows: readonly RunRecord[];
  readonly end: RunKey | null;
}

/** The next runs that `query` means, at most `query.limit`, out of a bounded stretch behind `query.after`. */
export async function walkRuns(tx: Transaction, tenantId: TenantId, query: RunQuery): Promise<Walked> {
  const stretch = await stretchOf(tx, tenantId, query);
  if (stretch === null) return { rows: [], end: null };
  const { newest, oldest, end, isHerd } = stretch;
  if (isHerd) return alongSchedules(tx, tenantId, query, newest);
  const wanted = and(isMeant(tenantId, query), isOfOrganization(tx, query.organizationId));
  const rows = await tx
    .select()
    .from(runs)
    .where(and(wanted, lte(runs.slot, newest), gte(runs.slot, oldest), behind(query.after)))
    .orderBy(desc(runs.slot), runs.scheduleId, runs.space)
    .limit(query.limit);
  return { rows, end };
}

/** Whole slots that a page looks at, from the newest to the oldest, or a herd: a slot of too many runs for a page. `end` as in `Walked`. */
interface Stretch {
  readonly newest: number;
  readonly oldest: number;
  readonly end: RunKey | null;
  readonly isHerd: boolean;
}

async function stretchOf(tx: Transaction, tenantId: TenantId, query: RunQuery): Promise<Stretch | null> {
  for (const way of waysOf(query)) {
    const along = and(eq(runs.tenantId, tenantId), way.only);
    const found = await lookAhead(tx, along, query);
    if (found === null || found.end === null || way.isLast) return found;
  }
  return null;
}

/** A condition that an index finds runs by, in the order of their slots. */
interface Way {
  readonly only: SQL | undefined;
  /** Others are taken only where they lead to few runs, so that a page sees them all. */
  readonly isLast: boolean;
}

/** By runs_dead or runs_by_state, runs_by_cause, the primary key, runs_page: those that a query has, else the last. */
function waysOf({ scheduleId, state, cause }: RunQuery): readonly Way[] {
  const ways = [
    state === undefined || state === 'SUCCEEDED' ? undefined : eq(runs.state, state),
    cause === undefined || cause === 'SCHEDULE' ? undefined : eq(runs.cause, cause),
    scheduleId === undefined ? undefined : eq(runs.scheduleId, scheduleId),
  ].filter((way) => way !== undefined);
  if (ways.length === 0) return [{ only: undefined, isLast: true }];
  return ways.map((only, index) => ({ only, isLast: index === ways.length - 1 }));
}

/** How far the next runs along an index reach; null where there is none. Those of the first slot that lie before the place count as well. */
async function lookAhead(
  tx: Transaction,
  along: SQL | undefined,
  { organizationId, from, to, after }: RunQuery,
): Promise<Stretch | null> {
  const most = organizationId === null ? MOST_LOOKED_AT : MOST_OF_A_TENANT;
  const next = tx
    .select({ slot: runs.slot })
    .from(runs)
    .where(
      and(
        along,
        from === undefined ? undefined : gte(runs.slot, from),
        to === undefined ? undefined : lt(runs.slot, to),
        after === undefined ? undefined : lte(runs.slot, after.slot),
      ),
    )
    .orderBy(desc(runs.slot))
    .limit(most + 1)
    .as('next');
  const [seen] = await tx
    .select({ newest: max(next.slot).mapWith(runs.slot), oldest: min(next.slot).mapWith(runs.slot), runs: count() })
    .from(next);
  if (seen === undefined || seen.newest === null || seen.oldest === null) return null;
  const { newest, oldest } = seen;
  if (seen.runs <= most) return { newest, oldest, end: null, isHerd: false };
  if (oldest !== newest) return { newest, oldest: oldest + 1, end: beginningOf(oldest), isHerd: false };
  const isHerd = await isHerdAt(tx, along, newest);
  return { newest, oldest, end: beginningOf(newest - 1), isHerd };
}

async function isHerdAt(tx: Transaction, along: SQL | undefined, slot: number): Promise<boolean> {
  // Of the day up to the slot, in order: asked for by equality it may be looked for among all runs of the day.
  const [last] = await tx
    .select({ slot: runs.slot })
    .from(runs)
    .where(and(along, gte(runs.slot, slot - DAY_MS), lte(runs.slot, slot)))
    .orderBy(desc(runs.slot))
    .limit(1)
    .offset(MOST_OF_A_SLOT);
  return last?.slot === slot;
}

/** Of the many runs of one slot: those of the next schedules. */
async function alongSchedules(tx: Transaction, tenantId: TenantId, query: RunQuery, slot: number): Promise<Walked> {
  const { organizationId, after, limit } = query;
  const place = after?.slot === slot ? after : beginningOf(slot);
  const next = tx
    .select({ id: schedules.id, organizationId: schedules.organizationId })
    .from(schedules)
    .where(and(eq(schedules.tenantId, tenantId), gte(schedules.id, place.scheduleId)))
    .orderBy(schedules.id)
    .limit(MOST_SCHEDULES)
    .as('next');
  const run = tx
    .select()
    .from(runs)
    .where(and(isMeant(tenantId, query), eq(runs.scheduleId, next.id), eq(runs.slot, slot)))
    .orderBy(runs.space)
    .as('run');
  // schedules_of_tenant, then runs by primary key: each for itself, so that it ends with the page.
  const rows = await tx
    .select()
    .from(next)
    .crossJoinLateral(run)
    .where(
      and(
        organizationId === null ? undefined : eq(next.organizationId, organizationId),
        sql`(${next.id}, ${run.space}) > (${place.scheduleId}::uuid, ${place.space}::int)`,
      ),
    )
    .orderBy(next.id, run.space)
    .limit(limit);
  const [last] =
    rows.length === limit
      ? []
      : await tx
          .select({ id: next.id })
          .from(next)
          .offset(MOST_SCHEDULES - 1);
  const end = last === undefined ? beginningOf(slot - 1) : { scheduleId: last.id, slot, space: LAST_SPACE };
  return { rows: rows.map((row) => row.run), end };
}

/** All that a query asks of runs, but their schedules' organization. */
function isMeant(tenantId: TenantId, { scheduleId, state, cause, from, to }: RunQuery): SQL | undefined {
  return and(
    eq(runs.tenantId, tenantId),
    scheduleId === undefined ? undefined : eq(runs.scheduleId, scheduleId),
    state === undefined ? undefined : eq(runs.state, state),
    cause === undefined ? undefined : eq(runs.cause, cause),
    from === undefined ? undefined : gte(runs.slot, from),
    to === undefined ? undefined : lt(runs.slot, to),
  );
}

/** The first part finds the partition and the place in the index, the second the place among runs of the same slot. */
function behind(after: RunKey | undefined): SQL | undefined {
  if (after === undefined) return undefined;
  const { slot, scheduleId, space } = after;
  return and(
    lte(runs.slot, slot),
    sql`(${runs.slot} < ${instantOf(slot)} or (${runs.scheduleId}, ${runs.space}) > (${scheduleId}::uuid, ${space}::int))`,
  );
}

/** Asks each run's schedule: a join may read all schedules of the organization instead. */
function isOfOrganization(tx: Transaction, organizationId: string | null): SQL | undefined {
  if (organizationId === null) return undefined;
  const theirs = tx
    .select({ organizationId: schedules.organizationId })
    .from(schedules)
    .where(and(eq(schedules.id, runs.scheduleId), eq(schedules.tenantId, runs.tenantId)));
  return sql`${theirs} = ${organizationId}::text`;
}
