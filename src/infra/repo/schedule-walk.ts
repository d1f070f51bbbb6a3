import { and, eq, isNull, type SQL, sql } from 'drizzle-orm';
import type { TenantId } from '../../domain/ids.ts';
import type { ListPosition, ScheduleFilter } from '../../domain/ports/schedule-repository.ts';
import type { Transaction } from '../db/client.ts';
import { schedules, timers } from '../db/schema.ts';
import { statement } from '../db/statement.ts';
import { isIndexed, isLiving, passes, timerOfSchedule } from './schedule-filter.ts';
import { beside, besidePlace, inOrder, orderOf, type Walk } from './schedule-order.ts';
import { type LivingRow, livingColumns } from './schedule-rows.ts';

/*
 * A list goes along one index from where the page before ended, and reads no more of it than the page needs. With a filter a page
 * looks at a bounded number of schedules: at all that an index finds for the filter, where they are that few; else at a stretch of
 * the order, and tells where it ended, be the page full or not.
 */

/** Schedules that a page with a filter looks at, at most: some milliseconds. */
const MOST_LOOKED_AT = 1000;

/** What one page asks of its ways. `few`: the ids of all that can be meant, where an index found them. */
export interface Stretch {
  readonly tenantId: TenantId;
  readonly filter: ScheduleFilter;
  readonly few: readonly string[] | null;
  readonly isDescending: boolean;
  readonly after: ListPosition | undefined;
  readonly limit: number;
}

/** At most `limit` rows behind a place, in order; `end` where they were looked for no further, null where nothing is left to look at. */
export async function alongWalks(
  tx: Transaction,
  walks: readonly Walk[],
  stretch: Stretch,
): Promise<{ readonly rows: readonly LivingRow[]; readonly end: ListPosition | null }> {
  const end = await endOf(tx, walks, stretch);
  const found = await Promise.all(walks.map((walk) => rowsOf(tx, walk, stretch, end)));
  const [only = [], ...others] = found;
  if (others.length === 0) return { rows: only, end };
  const rows = found
    .flat()
    .toSorted((left, right) => inOrder(left.schedule.id, right.schedule.id, stretch.isDescending));
  return { rows: rows.slice(0, stretch.limit), end };
}

function rowsOf(
  tx: Transaction,
  walk: Walk,
  stretch: Stretch,
  end: ListPosition | null,
): Promise<readonly LivingRow[]> {
  const { tenantId, filter, few, limit, isDescending } = stretch;
  const wanted = passes(filter);
  if (wanted === undefined && few === null) return plainPage(walk, stretch)(tx, plainValues(stretch));
  // With a filter it is planned for what is asked, which takes a round trip more.
  return living(tx)
    .where(
      and(
        isLiving(tenantId),
        few === null ? undefined : sql`${schedules.id} = any(${`{${few.join(',')}}`}::text::uuid[])`,
        wanted,
        walk.only,
        behind(walk, stretch),
        end === null ? undefined : beside(walk, end, isDescending ? '>=' : '<='),
      ),
    )
    .orderBy(...orderOf(walk, isDescending))
    .limit(limit);
}

type PlainPage = (tx: Transaction, values: Readonly<Record<string, unknown>>) => Promise<readonly LivingRow[]>;

/** Pages without a filter, which are nearly all: each statement of a walk that stays is built once. By walk, then by direction and by whether they begin behind a place. */
const plainPages = new WeakMap<Walk, Map<string, PlainPage>>();

function plainPage(walk: Walk, { after, isDescending }: Stretch): PlainPage {
  const known = plainPages.get(walk) ?? new Map<string, PlainPage>();
  plainPages.set(walk, known);
  const which = `${isDescending} ${after === undefined}`;
  const page =
    known.get(which) ?? statement((tx) => builtPage(tx, walk, { hasPlace: after !== undefined, isDescending }));
  known.set(which, page);
  return page;
}

function builtPage(
  tx: Transaction,
  walk: Walk,
  { hasPlace, isDescending }: { readonly hasPlace: boolean; readonly isDescending: boolean },
) {
  const place = { value: sql.placeholder('value'), id: sql.placeholder('id'), isText: walk.by === schedules.name };
  return living(tx)
    .where(
      and(
        eq(schedules.tenantId, sql.placeholder('tenantId')),
        isNull(schedules.deletedAt),
        walk.only,
        hasPlace ? besidePlace(walk, place, isDescending ? '<' : '>') : undefined,
      ),
    )
    .orderBy(...orderOf(walk, isDescending))
    .limit(sql.placeholder('limit'))
    .prepare('page_of_schedules');
}

function plainValues({ tenantId, after, limit }: Stretch): Readonly<Record<string, unknown>> {
  return { tenantId, limit, value: after?.value ?? null, id: after?.id ?? null };
}

function living(tx: Transaction) {
  return tx.select(livingColumns).from(schedules).leftJoin(timers, timerOfSchedule);
}

/** The last place that a page looks at; null where it may look at all that is left. */
async function endOf(tx: Transaction, walks: readonly Walk[], stretch: Stretch): Promise<ListPosition | null> {
  if (stretch.few !== null || passes(stretch.filter) === undefined) return null;
  const ends = await Promise.all(walks.map((walk) => endOfWalk(tx, walk, stretch)));
  const [first = null] = ends
    .filter((end) => end !== null)
    .toSorted((left, right) => inOrder(left.id, right.id, stretch.isDescending));
  return first;
}

async function endOfWalk(tx: Transaction, walk: Walk, stretch: Stretch): Promise<ListPosition | null> {
  const place = tx.select({ value: walk.by ?? sql<null>`null`, id: walk.id }).from(walk.id.table);
  const [last] = await place
    .where(
      and(
        walk.id.table === timers ? eq(timers.tenantId, stretch.tenantId) : isLiving(stretch.tenantId),
        walk.only,
        behind(walk, stretch),
      ),
    )
    .orderBy(...orderOf(walk, stretch.isDescending))
    .limit(1)
    .offset(MOST_LOOKED_AT - 1);
  return last === undefined ? null : { value: placeOf(last.value), id: String(last.id) };
}

function placeOf(value: unknown): ListPosition['value'] {
  if (value instanceof Date) return value.getTime();
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

/** The ids of all that an index finds for a filter; null where it has nothing for an index, or they are too many to look at each. */
export async function fewOf(
  tx: Transaction,
  tenantId: TenantId,
  filter: ScheduleFilter,
): Promise<readonly string[] | null> {
  const indexed = isIndexed(filter);
  if (indexed === undefined) return null;
  const found = await tx
    .select({ id: schedules.id })
    .from(schedules)
    .leftJoin(timers, timerOfSchedule)
    .where(and(isLiving(tenantId), indexed))
    .limit(MOST_LOOKED_AT + 1);
  return found.length > MOST_LOOKED_AT ? null : found.map(({ id }) => id);
}

function behind(walk: Walk, { after, isDescending }: Stretch): SQL | undefined {
  return after === undefined ? undefined : beside(walk, after, isDescending ? '<' : '>');
}
