import type postgres from 'postgres';

/** A connection as postgres.js 3.4 hands it to the `onexecute` of a query that was just sent on it; no part of its types. */
interface Connection {
  /** Sends a query behind those before it. Unless it answers true, nothing may follow before the answer. */
  execute(query: Sendable): unknown;
  /** While set, the connection takes no query of others until the server says that no transaction is open; called when all is answered before that. */
  reserved: (() => void) | null;
  onclose: ((error: Error) => void) | null;
  queue: { remove(connection: Connection): unknown };
}

/** What drizzle asks for statements, as a pool and as a transaction. */
export type Client = postgres.Sql & postgres.TransactionSql;

/** A query that was made and not sent yet; asked for its rows it does not send itself. */
interface Sendable extends Promise<unknown> {
  reject(error: unknown): void;
}

/** Where a connection that belongs to a transaction waits: no one looks for it here. */
const NOWHERE = { remove: () => undefined };
const NEVER = new AbortController().signal;

/**
 * One transaction on one connection of the pool, whose statements need not wait for one another, nor for BEGIN: what is sent
 * in one turn goes out in one write. The `begin` of postgres.js waits for BEGIN's answer, and goes on sending on a connection
 * that was lost meanwhile and may be another transaction's by then; here nothing is sent any more once the connection is lost
 * or the transaction is over.
 */
export class TransactionLine {
  readonly #pool: postgres.Sql;
  /** What cannot be sent yet, in order: there is no connection, or a statement's types must be known first. */
  readonly #waiting: Sendable[] = [];
  #connection: Connection | null = null;
  #isClear = false;
  #isOver = false;
  #lost: Error | null = null;
  #failure: Error | null = null;

  /** Begins at once; where `signal` is aborted before there is a connection, nothing that waited is sent. */
  constructor(pool: postgres.Sql, begin: 'begin' | 'begin read only', signal: AbortSignal) {
    this.#pool = pool;
    const onexecute = (connection: Connection): void => {
      if (signal.aborted) this.#giveUp(signal.reason);
      this.#hold(connection);
    };
    const options = { prepare: false, onexecute };
    pool.unsafe(begin, [], options).catch((error: unknown) => this.#lose(error));
  }

  /** What drizzle takes for a client: its statements are sent here. */
  get client(): Client {
    return clientOf(this.#pool, (query) => this.send(query));
  }

  /** The first error of a statement or of the connection; null while there is none. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** Sends a statement of ours. */
  run<Row extends postgres.Row>(text: string, parameters: readonly string[] = []): postgres.PendingQuery<Row[]> {
    return this.client.unsafe<Row[]>(text, [...parameters], { prepare: parameters.length > 0 });
  }

  /** Sends a query as soon as those before it allow it; after the end, or on a lost connection, rejects it. */
  send(query: Sendable): void {
    query.catch((error: unknown) => {
      this.#failure ??= asError(error);
    });
    if (this.#lost !== null) query.reject(this.#lost);
    else if (this.#isOver) query.reject(new Error('the transaction is over'));
    else {
      this.#waiting.push(query);
      this.#sendOn();
    }
  }

  /** Sent behind all else, not waiting for it. Throws the first error of a statement when there was one: nothing is committed then. */
  async commit(): Promise<void> {
    const { command } = await this.#end('commit');
    if (command !== 'COMMIT') throw this.#failure ?? new Error('the database did not commit');
  }

  /** Resolves when the transaction is undone, be it by the loss of its connection. */
  async rollback(): Promise<void> {
    if (!this.#isOver) await this.#end('rollback').catch(() => undefined);
  }

  #end(statement: 'commit' | 'rollback'): postgres.PendingQuery<postgres.Row[]> {
    const ending = this.run(statement);
    this.#isOver = true;
    return ending;
  }

  #hold(connection: Connection): void {
    connection.queue.remove(connection);
    connection.queue = NOWHERE;
    connection.reserved = () => this.#clear();
    connection.onclose = (error) => this.#lose(error);
    this.#connection = connection;
    this.#clear();
  }

  #clear(): void {
    this.#isClear = true;
    this.#sendOn();
  }

  #sendOn(): void {
    while (this.#isClear && this.#connection !== null) {
      const query = this.#waiting.shift();
      if (query === undefined) return;
      this.#isClear = this.#connection.execute(query) === true;
    }
  }

  #lose(error: unknown): void {
    this.#lost ??= asError(error);
    this.#rejectWaiting(error);
  }

  /** BEGIN was sent and is undone; what waited, be it the end, is not sent. */
  #giveUp(reason: unknown): void {
    this.#rejectWaiting(reason);
    this.#isOver = false;
    void this.rollback();
  }

  #rejectWaiting(error: unknown): void {
    this.#failure ??= asError(error);
    for (const query of this.#waiting.splice(0)) query.reject(error);
  }
}

/**
 * A client every statement of which is a transaction of its own that only reads, in one round trip: BEGIN, what `enter` sends,
 * the statement and COMMIT go out in one write.
 */
export class ReadingLine {
  readonly #begin: () => TransactionLine;
  readonly #pool: postgres.Sql;
  readonly #lines: TransactionLine[] = [];

  constructor(pool: postgres.Sql, enter: (line: TransactionLine) => void, signal: AbortSignal) {
    this.#pool = pool;
    this.#begin = () => {
      const line = new TransactionLine(pool, 'begin read only', signal);
      this.#lines.push(line);
      enter(line);
      return line;
    };
  }

  get client(): Client {
    return clientOf(this.#pool, (query) => {
      const line = this.#begin();
      line.send(query);
      line.commit().catch(() => undefined);
    });
  }

  /** The first error of all transactions, of what came before the statement too: what was read is no answer then. */
  get failure(): Error | null {
    return this.#lines.find(({ failure }) => failure !== null)?.failure ?? null;
  }
}

/**
 * What `work` answers, run between BEGIN and COMMIT; a throw rolls back. Where the connection is lost it throws at once, and
 * sends no more.
 */
export function beginOn<T>(pool: postgres.Sql, work: (sql: Client) => Promise<T>): Promise<T> {
  return beginSending(pool, async (sql) => {
    const result = await work(sql);
    return () => result;
  });
}

/**
 * The same, but COMMIT goes out right behind the statements that `work` made last, which spares a round trip: `work` answers
 * when they are made and asked for, with what waits for their answers. Where one of them fails, nothing is committed.
 */
export async function beginSending<T>(
  pool: postgres.Sql,
  work: (sql: Client) => Promise<() => T | Promise<T>>,
): Promise<T> {
  const line = new TransactionLine(pool, 'begin', NEVER);
  try {
    const answer = await work(line.client);
    // A statement that is asked for is sent by a microtask; all of them have run by then.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const committed = line.commit();
    committed.catch(() => undefined);
    const result = await answer();
    await committed;
    return result;
  } catch (error) {
    await line.rollback();
    throw error;
  }
}

/** The pool, but for where its statements are sent: those of `unsafe` as they are made, tagged ones when they are awaited. */
function clientOf(pool: postgres.Sql, send: (query: Sendable) => void): Client {
  const unsafe = (...statement: Parameters<postgres.Sql['unsafe']>) => {
    const query = Object.assign(pool.unsafe(...statement), { handler: () => undefined });
    if (!isSendable(query)) throw new Error('this postgres.js is not one whose queries we can send');
    send(query);
    return query;
  };
  const tagged = (...parts: unknown[]): unknown => {
    const made: unknown = Reflect.apply(pool, undefined, parts);
    return made instanceof Promise ? Object.assign(made, { handler: send }) : made;
  };
  return Object.assign(Object.setPrototypeOf(tagged, pool), { unsafe });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function isSendable<Query extends object>(query: Query): query is Query & Pick<Sendable, 'reject'> {
  return 'reject' in query && typeof query.reject === 'function';
}
