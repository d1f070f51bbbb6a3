import { setTimeout } from 'node:timers/promises';
import { crashPoint } from '#crash-point';
import type { ScheduleEntity } from '../../domain/entities/schedule.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { TenantReading, TenantWork, UnitOfWork } from '../../domain/ports/unit-of-work.ts';
import { type Database, type Transaction, transactionOn, withinDeadline } from '../db/client.ts';
import { asDomainError, isConnectionLost, isLostRace, isOutage } from '../db/database-errors.ts';
import { ReadingLine, TransactionLine } from '../db/transaction-line.ts';
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
import { findSchedules } from './find-schedule.ts';
import { Gathering } from './gathering.ts';
import { schedulePage } from './schedule-page.ts';
import { SentWrites } from './sent-writes.ts';

/** How often a transaction is run in all. */
const TRIES = 3;
const LONGEST_PAUSE_MS = 50;
const DEADLINE_MS = 8000;
const ENTER = "select set_config('app.tenant_id', $1, true), date_part('epoch', now()) * 1000 as now";

/** Transactions of one tenant on the API's pool. Row-level security makes the wall; each query names the tenant nevertheless. */
export class DrizzleUnitOfWork implements UnitOfWork {
  readonly #database: Database;
  readonly #deadlineMs: number;
  readonly #schedules = new Gathering<ScheduleId, ScheduleEntity | null>((tenantId, ids) =>
    this.#attempts((attempt) => this.#read(tenantId, (tx) => findSchedules(tx(), tenantId, ids), attempt)),
  );

  /** `deadlineMs` bounds a transaction from the wait for a connection to its commit. */
  constructor(database: Database, deadlineMs = DEADLINE_MS) {
    this.#database = database;
    this.#deadlineMs = deadlineMs;
  }

  forTenant<T>(tenantId: TenantId, work: (tenant: TenantWork) => Promise<T>): Promise<T> {
    return toldAsDomain(this.#attempts((attempt) => this.#transaction(tenantId, work, attempt)));
  }

  reading<T>(tenantId: TenantId, work: (tenant: TenantReading) => Promise<T>): Promise<T> {
    const attempts = this.#attempts((attempt) =>
      this.#read(tenantId, (tx) => work(this.#readingOf(tx, tenantId, attempt.signal)), attempt),
    );
    return toldAsDomain(attempts);
  }

  together<Question, Answer>(
    work: (tenant: TenantWork, questions: readonly Question[]) => Promise<readonly Answer[]>,
  ): (tenantId: TenantId, question: Question) => Promise<Answer> {
    const gathering = new Gathering<Question, Answer>((tenantId, questions, mayEnd) => {
      const all = async (tenant: TenantWork): Promise<readonly Answer[]> => {
        const answers = await work(tenant, questions);
        mayEnd();
        return answers;
      };
      return this.#attempts((attempt) => this.#transaction(tenantId, all, attempt));
    });
    return (tenantId, question) =>
      toldAsDomain(withinDeadline(this.#deadlineMs, (signal) => gathering.ask(tenantId, question, signal)));
  }

  #attempts<T>(work: (attempt: Attempt) => Promise<T>): Promise<T> {
    return withinDeadline(this.#deadlineMs, (signal) => untilDone(signal, work));
  }

  async #transaction<T>(tenantId: TenantId, work: (tenant: TenantWork) => Promise<T>, attempt: Attempt): Promise<T> {
    const { signal } = attempt;
    const line = new TransactionLine(this.#database.$client, 'begin', signal);
    try {
      const now = await enter(line, tenantId);
      attempt.mayRepeat = false;
      const tx = transactionOn(line.client);
      const writes = new SentWrites();
      const audit = new DrizzleAuditTrail(tx, tenantId, { now, writes });
      const result = await writes.toldFirst(() => work({ ...partsOf(tx, tenantId, writes), now, audit }));
      signal.throwIfAborted();
      await writes.committed(line.commit());
      crashPoint('request.after-commit');
      return result;
    } catch (error) {
      await line.rollback();
      throw error;
    }
  }

  async #read<T>(tenantId: TenantId, work: (tx: () => Transaction) => Promise<T>, attempt: Attempt): Promise<T> {
    const entering = (line: TransactionLine): void => void enter(line, tenantId).catch(() => undefined);
    const lines = new ReadingLine(this.#database.$client, entering, attempt.signal);
    try {
      const result = await work(() => transactionOn(lines.client));
      if (lines.failure !== null) throw lines.failure;
      return result;
    } catch (error) {
      const first = lines.failure ?? error;
      attempt.mayRepeat = isConnectionLost(first);
      throw first;
    }
  }

  /** What reads work with: schedules by their id are found together with what others of the tenant look for. */
  #readingOf(tx: () => Transaction, tenantId: TenantId, signal: AbortSignal): TenantReading {
    return {
      schedules: {
        find: (id) => toldAsDomain(this.#schedules.ask(tenantId, id, signal)),
        page: (query) => schedulePage(tx(), tenantId, query),
      },
      get runs() {
        return new DrizzleRunRepository(tx(), tenantId);
      },
    };
  }
}

async function toldAsDomain<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw asDomainError(error);
  }
}

/** One of the times that a piece of work is run. */
interface Attempt {
  readonly signal: AbortSignal;
  /** After an outage: nothing has happened yet. */
  mayRepeat: boolean;
}

/** Runs work again when its transaction lost a race, or when it met an outage and did nothing: its connection had died while idle, say. */
async function untilDone<T>(signal: AbortSignal, work: (attempt: Attempt) => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    const attempt = { signal, mayRepeat: true };
    try {
      return await work(attempt);
    } catch (error) {
      const mayRunAgain = isLostRace(error) || (attempt.mayRepeat && isOutage(error));
      if (tried === TRIES || !mayRunAgain) throw error;
      // Two that deadlocked would meet again if both began at once.
      await setTimeout(Math.random() * tried * LONGEST_PAUSE_MS, undefined, { signal });
    }
  }
}

/** What a use case works with. */
function partsOf(tx: Transaction, tenantId: TenantId, writes: SentWrites): Omit<TenantWork, 'now' | 'audit'> {
  return {
    schedules: new DrizzleScheduleRepository(tx, tenantId, writes),
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
async function enter(line: TransactionLine, tenantId: TenantId): Promise<number> {
  const [entered] = await line.run<{ now: number }>(ENTER, [tenantId]);
  if (entered === undefined) throw new Error('the database did not tell its time');
  return Math.round(entered.now);
}
