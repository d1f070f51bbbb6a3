import type { ExtractTablesWithRelations } from 'drizzle-orm';
import { PgDialect, type PgTransaction } from 'drizzle-orm/pg-core';
import {
  drizzle,
  type PostgresJsDatabase,
  type PostgresJsQueryResultHKT,
  PostgresJsSession,
  PostgresJsTransaction,
} from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { DomainError } from '../../domain/errors.ts';
import { databaseSockets } from './database-socket.ts';
import { splitTlsMode } from './tls-mode.ts';
import { beginOn, type Client } from './transaction-line.ts';

type NoSchema = Record<string, never>;

export type Database = PostgresJsDatabase<NoSchema> & { readonly $client: postgres.Sql };
export type Transaction = PgTransaction<PostgresJsQueryResultHKT, NoSchema, ExtractTablesWithRelations<NoSchema>>;

const dialect = new PgDialect();

export interface PoolOptions {
  /** What the connections act as; the login role of the URL must be a member. Left out: as the login role. */
  readonly role?: 'scheduler_api' | 'scheduler_engine' | undefined;
  readonly max: number;
  readonly applicationName: string;
  /** The server ends a statement after this long; a second later our side gives up the socket. */
  readonly statementTimeoutMs?: number | undefined;
  /** The server ends a session that holds a transaction open and says nothing. */
  readonly idleInTransactionMs?: number | undefined;
  readonly connectTimeoutSec?: number | undefined;
}

const STATEMENT_TIMEOUT_MS = 10_000;
const SOCKET_GRACE_MS = 1000;
const IDLE_IN_TRANSACTION_MS = 10_000;
const CONNECT_TIMEOUT_SEC = 5;
const KEEP_ALIVE_SEC = 15;
/** Between two attempts of one connection to reach the database. */
const REDIAL_SEC = 0.1;

/**
 * A pool whose every connection acts as `role` and whose every wait ends. Connects at the first query. Its `begin` takes no
 * options and no savepoints: the one of postgres.js goes on sending when its connection is lost, which ends the process.
 */
export function connectPool(url: string, options: PoolOptions): postgres.Sql {
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  const { url: address, tls } = splitTlsMode(url);
  const settings = {
    max: options.max,
    ssl: false,
    // Its query on connecting has nobody to hear of its failure, which ends the process.
    fetch_types: false,
    connect_timeout: options.connectTimeoutSec ?? CONNECT_TIMEOUT_SEC,
    keep_alive: KEEP_ALIVE_SEC,
    backoff: () => REDIAL_SEC,
    onnotice: () => undefined,
    socket: databaseSockets(statementTimeoutMs + SOCKET_GRACE_MS, tls),
    connection: {
      application_name: options.applicationName,
      ...(options.role !== undefined && { role: options.role }),
      // Its statements take arrays: planned for the values of one batch they read whole tables, five times per connection.
      ...(options.role === 'scheduler_engine' && { plan_cache_mode: 'force_generic_plan' }),
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: options.idleInTransactionMs ?? IDLE_IN_TRANSACTION_MS,
      TimeZone: 'UTC',
      DateStyle: 'ISO',
    },
  };
  const pool = postgres(address, settings);
  return Object.assign(pool, { begin: <T>(work: (sql: Client) => Promise<T>) => beginOn(pool, work) });
}

/** drizzle on a pool. From then on the pool's own queries get instants and JSON as text, as drizzle reads them itself. */
export function openDatabase(pool: postgres.Sql): Database {
  const database = drizzle(pool);
  // Otherwise JSON is read twice, and a payload that is the text "12" becomes the number.
  pool.options.parsers[114] = asText;
  pool.options.parsers[3802] = asText;
  return database;
}

/** drizzle on the client of one transaction of a database's pool. */
export function transactionOn(client: Client): Transaction {
  const session = new PostgresJsSession<Client, NoSchema, ExtractTablesWithRelations<NoSchema>>(
    client,
    dialect,
    undefined,
  );
  return new PostgresJsTransaction(dialect, session, undefined);
}

/** Throws unless row-level security holds for the pool's role: no superuser, no BYPASSRLS, not the tables' owner. */
export async function checkRole(pool: postgres.Sql): Promise<void> {
  const [who] = await pool<{ role: string; super: boolean; bypass: boolean; owns: boolean }[]>`
    select current_user as role, rolsuper as super, rolbypassrls as bypass,
           exists (select from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
                   and pg_has_role(current_user, c.relowner, 'USAGE')) as owns
    from pg_roles where rolname = current_user`;
  if (who === undefined) throw new Error('the database did not say who we are');
  const loophole = who.super
    ? 'is a superuser'
    : who.bypass
      ? 'may bypass row-level security'
      : who.owns
        ? 'owns tables'
        : null;
  if (loophole !== null)
    throw new Error(`the database role "${who.role}" ${loophole}: the walls between tenants would not hold`);
}

/**
 * What `work` answers, or UNAVAILABLE after `ms`. The signal is aborted then: a transaction must look at it before it commits.
 * What was asked may have happened nevertheless.
 */
export async function withinDeadline<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const late = new DomainError('UNAVAILABLE', `the database did not answer within ${ms} ms`);
    deadline.abort(late);
    reject(late);
  }, ms);
  const working = work(deadline.signal);
  try {
    return await Promise.race([working, expired]);
  } finally {
    clearTimeout(timer);
    working.catch(() => undefined);
  }
}

/**
 * The answers to statements of one transaction that were sent without waiting in between. Throws the error of the first that
 * failed: those after it only say that the transaction is aborted.
 */
export async function pipelined<T extends readonly Promise<unknown>[] | []>(
  sent: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  const answers: readonly PromiseSettledResult<unknown>[] = await Promise.allSettled(sent);
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return Promise.all(sent);
}

function asText(value: string): string {
  return value;
}
