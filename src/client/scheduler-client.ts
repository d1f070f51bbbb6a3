import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './schema.ts';

/* The client of the HTTP API, `scheduler-domain/client`. Speaks HTTP alone, in Node and in browsers; its types are those of the OpenAPI document. */

/** What the API takes and answers, by name: `Schemas['Schedule']`. */
export type Schemas = components['schemas'];
export type Problem = Schemas['Problem'];

/** Every operation by its method and path, each answering `{data, error, response}`: https://openapi-ts.dev/openapi-fetch/api */
export type SchedulerClient = Client<paths>;

export interface SchedulerClientOptions {
  /** Where the API is: `https://scheduler.example.com`. */
  readonly baseUrl: string;
  /** A token, or what gives one for each request. */
  readonly token: string | (() => string | Promise<string>);
  /** Needed where the token names several. */
  readonly tenant?: string | undefined;
  /** In place of the global one. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
}

export function createSchedulerClient({ baseUrl, token, tenant, fetch }: SchedulerClientOptions): SchedulerClient {
  const client = createClient<paths>({ baseUrl, ...(fetch !== undefined && { fetch }) });
  client.use({
    async onRequest({ request, params }) {
      for (const [name, value] of Object.entries(params.path ?? {})) checkPathValue(name, value);
      request.headers.set('authorization', `Bearer ${typeof token === 'string' ? token : await token()}`);
      if (tenant !== undefined && !request.headers.has('x-tenant-id')) request.headers.set('x-tenant-id', tenant);
      return request;
    },
    onResponse({ response }) {
      const type = response.headers.get('content-type') ?? '';
      if (response.ok && response.status !== 204 && !/\bjson\b/i.test(type)) throw new SchedulerRefusal(null, response);
    },
  });
  return client;
}

/** Of a URL's path, these would mean another path. */
function checkPathValue(name: string, value: unknown): void {
  if (value === undefined || value === '' || value === '.' || value === '..')
    throw new TypeError(`${name} is no part of a path`);
}

/** A request that was not answered as asked. `code` and `problem` say why; `problem` is null where something else than the API answered, be it with 200. */
export class SchedulerRefusal extends Error {
  readonly status: number;
  readonly code: string | null;
  readonly problem: Problem | null;
  /** Seconds to wait before another try, where the answer says so. */
  readonly retryAfterSec: number | null;

  constructor(problem: unknown, response: Response) {
    const read = isProblem(problem) ? problem : null;
    super(read === null ? `HTTP ${response.status}` : `${read.code}: ${read.detail ?? read.title}`);
    this.name = 'SchedulerRefusal';
    this.status = response.status;
    this.code = read?.code ?? null;
    this.problem = read;
    const after = Number(response.headers.get('retry-after') ?? Number.NaN);
    this.retryAfterSec = Number.isFinite(after) ? after : null;
  }
}

/** An answer as the client's methods give it. */
export interface Answer<Data> {
  readonly data?: Data | undefined;
  readonly error?: unknown;
  readonly response: Response;
}

/** What was answered: `await dataOf(client.GET('/schedules/{id}', …))`. Throws SchedulerRefusal, and what `fetch` throws. */
export async function dataOf<Data>(asked: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await asked;
  if (!response.ok) throw new SchedulerRefusal(error, response);
  // An answer without a body has the type `undefined`.
  return data as Data;
}

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/**
 * Every item of a list, page by page, as they are asked for. `ask` puts `next` among its query:
 * `(next) => client.GET('/runs', { params: { query: { ...next, state: 'DEAD' } } })`. Throws as {@link dataOf}.
 */
export async function* itemsOf<Item>(
  ask: (next: { readonly cursor?: string }) => Promise<Answer<Page<Item>>>,
): AsyncGenerator<Item, void, void> {
  let next: { readonly cursor?: string } | null = {};
  while (next !== null) {
    const { items, nextCursor }: Page<Item> = await dataOf(ask(next));
    yield* items;
    if (nextCursor !== null && nextCursor === next.cursor)
      throw new Error('the same page came again: was `next` asked for?');
    next = nextCursor === null ? null : { cursor: nextCursor };
  }
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string';
}
