import { setTimeout } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { crashPoint } from '#crash-point';
import type { TenantId } from '../../domain/ids.ts';
import type { TenantWork, UnitOfWork } from '../../domain/ports/unit-of-work.ts';
import { type Database, type Transaction, withinDeadline } from '../db/client.ts';
import { asDomainError, isConnectionLost, isLostRace, isOutage } from '../db/database-errors.ts';
import { DrizzleAuditTrail } from './drizzle-audit-trail.ts';
import { DrizzleBackfillRepository } from './drizzle-backfill-repository.ts';
import { DrizzleCalendarRepository } from './drizzle-calendar-repository.ts';
import { DrizzleIdempotentAnswers } from './drizzle-idempotent-answers.ts';
import { DrizzleRedriveRepository } from './drizzle-redrive-repository.ts';
import { DrizzleRunRepository } from './drizzle-run-repository.ts';
import { DrizzleScheduleRepository } from './drizzle-schedule-repository.ts';
import { DrizzleSecretRepository } from './drizzle-secret-repository.ts';
import { DrizzleSigningKeyRepository } from './drizzle-signing-key-repository.ts';
import { DrizzleTenantRepository } from './drizzle-tenant-repository.ts';

/** How often a transaction is run in all. */
const TRIES = 3;
const LONGEST_PAUSE_MS = 50;
const DEADLINE_MS = 8000;

/** Transactions of one tenant on the API's pool. Row-level security makes the wall; each query names the tenant nevertheless. */
export class DrizzleUnitOfWork implements UnitOfWork {
  readonly #database: Database;
  readonly #deadlineMs: number;

  /** `deadlineMs` bounds a transaction from the wait for a connection to its commit. */
  constructor(database: Database, deadlineMs = DEADLINE_MS) {
    this.#database = database;
    this.#deadlineMs = deadlineMs;
  }

  async forTenant<T>(tenantId: TenantId, work: (tenant: TenantWork) => Promise<T>): Promise<T> {
    try {
      return await withinDeadline(this.#deadlineMs, (signal) => this.#untilDone(tenantId, work, signal));
    } catch (error) {
      throw asDomainError(error);
    }
  }

  /** Runs the work again when its transaction lost a race, or never began because its connection had died while idle. */
  async #untilDone<T>(tenantId: TenantId, work: (tenant: TenantWork) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let tried = 1; ; tried += 1) {
      let hasBegun = false;
      try {
        const done = await transactionOf(this.#database, async (tx) => {
          signal.throwIfAborted();
          const now = await enter(tx, tenantId);
          hasBegun = true;
          const audit = new DrizzleAuditTrail(tx, tenantId, now);
          const parts = partsOf(tx, tenantId, { now, audit });
          const result = await audit.toldFirst(() => work(parts));
          await audit.stored();
          signal.throwIfAborted();
          return result;
        });
        crashPoint('request.after-commit');
        return done;
      } catch (error) {
        const mayRunAgain = isLostRace(error) || (!hasBegun && isOutage(error));
        if (tried === TRIES || !mayRunAgain) throw error;
        // Two that deadlocked would meet again if both began at once.
        await setTimeout(Math.random() * tried * LONGEST_PAUSE_MS, undefined, { signal });
      }
    }
  }
}

/**
 * A transaction on a connection that may die. postgres.js rejects it by itself then; the ROLLBACK that it would also send for
 * an error of `work` would go to a socket that is no more, or to the connection's next transaction.
 */
function transactionOf<T>(database: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return database.transaction(async (tx) => {
    try {
      return await work(tx);
    } catch (error) {
      return isConnectionLost(error) ? new Promise<never>(() => undefined) : Promise.reject(error);
    }
  });
}

/** What a use case works with in its transaction. */
function partsOf(tx: Transaction, tenantId: TenantId, known: Pick<TenantWork, 'now' | 'audit'>): TenantWork {
  return {
    ...known,
    schedules: new DrizzleScheduleRepository(tx, tenantId),
    runs: new DrizzleRunRepository(tx, tenantId),
    backfills: new DrizzleBackfillRepository(tx, tenantId),
    calendars: new DrizzleCalendarRepository(tx, tenantId),
    secrets: new DrizzleSecretRepository(tx, tenantId),
    signingKeys: new DrizzleSigningKeyRepository(tx, tenantId),
    tenants: new DrizzleTenantRepository(tx, tenantId),
    answers: new DrizzleIdempotentAnswers(tx, tenantId),
    redrives: new DrizzleRedriveRepository(tx, tenantId),
  };
}

/** From here to the end of the transaction only the tenant's rows exist. Answers the database's time, epoch ms. */
async function enter(tx: Transaction, tenantId: TenantId): Promise<number> {
  const columns = {
    tenantId: sql<string>`set_config('app.tenant_id', ${tenantId}, true)`,
    now: sql<number>`date_part('epoch', now()) * 1000`,
  };
  const [entered] = await tx.select(columns).from(sql`(values (1)) as one`).prepare('enter_tenant').execute();
  if (entered === undefined) throw new Error('the database did not tell its time');
  return Math.round(entered.now);
}
