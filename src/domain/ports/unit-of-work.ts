import type { TenantId } from '../ids.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { BackfillRepository } from './backfill-repository.ts';
import type { CalendarRepository } from './calendar-repository.ts';
import type { IdempotentAnswers } from './idempotent-answers.ts';
import type { RedriveRepository } from './redrive-repository.ts';
import type { RunRepository } from './run-repository.ts';
import type { ScheduleRepository } from './schedule-repository.ts';
import type { SecretRepository } from './secret-repository.ts';
import type { SigningKeyRepository } from './signing-key-repository.ts';
import type { TenantRepository } from './tenant-repository.ts';

/** What a use case of one tenant works with, inside its transaction. */
export interface TenantWork {
  /** The database's time at the transaction's start, epoch ms. */
  readonly now: number;
  readonly schedules: ScheduleRepository;
  readonly runs: RunRepository;
  readonly calendars: CalendarRepository;
  readonly backfills: BackfillRepository;
  readonly secrets: SecretRepository;
  readonly signingKeys: SigningKeyRepository;
  readonly audit: AuditTrail;
  readonly tenants: TenantRepository;
  readonly answers: IdempotentAnswers;
  readonly redrives: RedriveRepository;
}

/** What a use case that only reads works with. */
export interface TenantReading {
  readonly schedules: Pick<ScheduleRepository, 'find' | 'page'>;
  readonly runs: Pick<RunRepository, 'find' | 'claimedVersion' | 'page'>;
}

/** Opens transactions. Outages become UNAVAILABLE; deadlocks and serialization failures are tried again. */
export interface UnitOfWork {
  /** One transaction in which no other tenant's row exists. */
  forTenant<T>(tenantId: TenantId, work: (tenant: TenantWork) => Promise<T>): Promise<T>;
  /** The same wall around reads, each a transaction of its own that takes one round trip; what one saw may be gone for the next. */
  reading<T>(tenantId: TenantId, work: (tenant: TenantReading) => Promise<T>): Promise<T>;
  /**
   * As `forTenant`, for what many callers of a tenant ask at the same time: questions that come while transactions of the tenant
   * are under way share the next one. A lone one does not wait. `work` answers each question, aligned; where it throws, or
   * the database refuses, each question has a transaction of its own.
   */
  together<Question, Answer>(
    work: (tenant: TenantWork, questions: readonly Question[]) => Promise<readonly Answer[]>,
  ): (tenantId: TenantId, question: Question) => Promise<Answer>;
}
