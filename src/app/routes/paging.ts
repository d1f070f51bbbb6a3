import { z } from 'zod';
import type { Caller } from '../../domain/entities/caller.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Page } from '../../domain/ports/schedule-repository.ts';
import type { Cursors } from '../middleware/cursor.ts';
import { parsedBy } from '../middleware/field-problems.ts';
import { wholeInQuery } from './fields.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;
const MAX_PAGE = 100_000;

const limit = wholeInQuery(1, MAX_LIMIT)
  .optional()
  .meta({ description: `At most so many items; default ${DEFAULT_LIMIT}` });
const cursor = z.string().max(5000).optional().meta({ description: 'nextCursor of the page before' });

export const cursorFields = { limit, cursor };

export const pageFields = {
  page: wholeInQuery(1, MAX_PAGE)
    .optional()
    .meta({ description: 'Counted from 1; with pageSize, instead of cursor and limit' }),
  pageSize: wholeInQuery(1, MAX_LIMIT)
    .optional()
    .meta({ description: `Default ${DEFAULT_LIMIT}` }),
};

interface CursorQuery {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

interface PageQuery extends CursorQuery {
  readonly page?: number | undefined;
  readonly pageSize?: number | undefined;
}

/** What a cursor is bound to: it opens no other list, tenant or organization. */
export interface ListIdentity {
  readonly operation: string;
  readonly caller: Caller;
  readonly filter: unknown;
  readonly sort: string;
}

/** A list by cursor: reads where the request wants to go on, and writes where the next one may. */
export class CursorList<Position> {
  readonly #cursors: Cursors;
  readonly #bound: unknown;
  readonly #position: z.ZodType<Position>;

  constructor(cursors: Cursors, position: z.ZodType<Position>, list: ListIdentity) {
    const { tenantId, organizationId } = list.caller;
    this.#cursors = cursors;
    this.#position = position;
    this.#bound = { operation: list.operation, tenantId, organizationId, filter: list.filter, sort: list.sort };
  }

  /** Throws VALIDATION_FAILED for a foreign or changed cursor. */
  window(query: CursorQuery): { readonly limit: number; readonly after: Position | undefined } {
    const after =
      query.cursor === undefined ? undefined : parsedBy(this.#position, this.#cursors.read(this.#bound, query.cursor));
    return { limit: query.limit ?? DEFAULT_LIMIT, after };
  }

  /** As `window`, or an offset where the request counts pages. Throws VALIDATION_FAILED for both at once. */
  pagedWindow(query: PageQuery): {
    readonly limit: number;
    readonly after?: Position | undefined;
    readonly offset?: number;
  } {
    const { page, pageSize = DEFAULT_LIMIT } = query;
    if (page === undefined && query.pageSize === undefined) return this.window(query);
    if (query.cursor !== undefined || query.limit !== undefined) {
      throw new DomainError('VALIDATION_FAILED', 'page and pageSize cannot be combined with cursor and limit', [
        { path: query.cursor === undefined ? 'limit' : 'cursor', message: 'cannot be combined with page and pageSize' },
      ]);
    }
    return { limit: pageSize, offset: ((page ?? 1) - 1) * pageSize };
  }

  nextCursor(next: Position | null): string | null {
    return next === null ? null : this.#cursors.write(this.#bound, next);
  }
}

/** The answer to a list: `page`, `pageSize` and `total` only where the request counted pages. */
export function listShown<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** As `listShown`, for lists that may be asked for by page. */
export function pagedListShown<Item extends z.ZodType>(item: Item) {
  return listShown(item).extend({ page: z.int().optional(), pageSize: z.int().optional(), total: z.int().optional() });
}

/** `page`, `pageSize` and `total` of an answer; nothing for a list by cursor. */
export function pageCounts(
  query: PageQuery,
  found: Page<unknown, unknown>,
): { page?: number; pageSize?: number; total?: number } {
  if (query.page === undefined && query.pageSize === undefined) return {};
  return { page: query.page ?? 1, pageSize: query.pageSize ?? DEFAULT_LIMIT, total: found.total ?? 0 };
}
