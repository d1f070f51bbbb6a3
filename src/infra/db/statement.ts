import { is, Param, Placeholder } from 'drizzle-orm';
import type { PgPreparedQuery, PreparedQueryConfig } from 'drizzle-orm/pg-core';
import { PostgresJsSession } from 'drizzle-orm/postgres-js';
import type { Transaction } from './client.ts';
import type { Client } from './transaction-line.ts';

/** What differs from call to call, by the names of the placeholders. */
type Values = Readonly<Record<string, unknown>>;
type Fill = (values: Values) => unknown;

/**
 * A statement of the builder that is built once in the life of the process: building costs more than PostgreSQL takes to answer.
 * `build` ends in `.prepare(name)`; what differs from call to call is a `sql.placeholder` in it.
 */
export function statement<Config extends PreparedQueryConfig>(
  build: (tx: Transaction) => PgPreparedQuery<Config>,
): (tx: Transaction, values: Values) => Promise<Config['execute']> {
  let built: { readonly query: PgPreparedQuery<Config>; readonly fills: readonly Fill[] } | null = null;
  return (tx, values) => {
    if (built === null) {
      const query = build(tx);
      built = { query, fills: query.getQuery().params.map(fillOf) };
    }
    const params = built.fills.map((fill) => fill(values));
    const bound: PgPreparedQuery<Config> = Object.assign(Object.create(built.query), { client: clientOf(tx), params });
    return bound.execute();
  };
}

/** Where the statements of a transaction are sent. */
export function clientOf(tx: Transaction): Client {
  const { session } = tx._;
  if (session instanceof PostgresJsSession) return session.client;
  throw new Error('the transaction is not one of ours');
}

function fillOf(param: unknown): Fill {
  if (is(param, Placeholder)) return (values) => values[param.name] ?? null;
  if (!is(param, Param) || !is(param.value, Placeholder)) return () => param;
  const { encoder } = param;
  const { name } = param.value;
  return (values) => {
    const value = values[name] ?? null;
    return value === null ? null : encoder.mapToDriverValue(value);
  };
}
