import { setTimeout as delay } from 'node:timers/promises';
import type postgres from 'postgres';
import { isLostRace } from './database-errors.ts';
import { beginOn, beginSending } from './transaction-line.ts';

/** Thrown when the database did not answer in time; what was asked may or may not have happened. */
export class DatabaseDeadline extends Error {
  readonly code = 'ETIMEDOUT';

  constructor(ms: number) {
    super(`the database did not answer within ${ms} ms`);
    this.name = 'DatabaseDeadline';
  }
}

/** The server cancels a slow statement at the deadline, and the connection stays; only where it says nothing the pool is given up. */
const GRACE_MS = 500;
/** How often a transaction that loses a race is run in all. */
const TRIES = 3;
const LONGEST_PAUSE_MS = 50;

/**
 * The engine's connections. Every transaction has a deadline of ours, as a half-open socket ignores the server's: when it
 * passes, the whole pool is given up and the next call opens a new one.
 */
export class EnginePool implements AsyncDisposable {
  readonly #open: () => postgres.Sql;
  readonly #deadlineMs: number;
  #sql: postgres.Sql;

  constructor(open: () => postgres.Sql, deadlineMs: number) {
    this.#open = open;
    this.#deadlineMs = deadlineMs;
    this.#sql = open();
  }

  /** Runs `work` between BEGIN and COMMIT on one connection; a throw rolls back. After a deadlock `work` is run again. */
  transaction<T>(work: (sql: postgres.TransactionSql) => Promise<T>): Promise<T> {
    return untilNoRace(() => this.#withDeadline((pool) => beginOn(pool, work)));
  }

  /** The same, with COMMIT sent behind the last statements that `work` makes: see {@link beginSending}. */
  sending<T>(work: (sql: postgres.TransactionSql) => Promise<() => T | Promise<T>>): Promise<T> {
    return untilNoRace(() => this.#withDeadline((pool) => beginSending(pool, work)));
  }

  /** Runs one statement by itself, after a deadlock again. */
  query<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    return untilNoRace(() => this.#withDeadline(work));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql.end({ timeout: 5 });
  }

  async #withDeadline<T>(work: (pool: postgres.Sql) => Promise<T>): Promise<T> {
    const pool = this.#sql;
    const { promise: expired, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      this.#giveUp(pool);
      reject(new DatabaseDeadline(this.#deadlineMs));
    }, this.#deadlineMs + GRACE_MS);
    const working = work(pool);
    try {
      return await Promise.race([working, expired]);
    } finally {
      clearTimeout(timer);
      working.catch(() => undefined);
    }
  }

  #giveUp(pool: postgres.Sql): void {
    if (this.#sql !== pool) return;
    this.#sql = this.#open();
    pool.end({ timeout: 0 }).catch(() => undefined);
  }
}

/** Deadlocks and serialization failures leave nothing behind: what lost one may simply run again, a few times. */
async function untilNoRace<T>(run: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await run();
    } catch (error) {
      if (tried === TRIES || !isLostRace(error)) throw error;
      // Two that deadlocked would meet again if both began at once.
      await delay(Math.random() * tried * LONGEST_PAUSE_MS);
    }
  }
}
