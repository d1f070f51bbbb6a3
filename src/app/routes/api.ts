import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { AuditService } from '../../domain/services/audit-service.ts';
import type { BackfillService } from '../../domain/services/backfill-service.ts';
import type { BulkService } from '../../domain/services/bulk-service.ts';
import type { CalendarService } from '../../domain/services/calendar-service.ts';
import type { RedriveService } from '../../domain/services/redrive-service.ts';
import type { RunService } from '../../domain/services/run-service.ts';
import type { SchedulingService } from '../../domain/services/scheduling-service.ts';
import type { SecretService } from '../../domain/services/secret-service.ts';
import type { SigningKeyService } from '../../domain/services/signing-key-service.ts';
import type { TenantService } from '../../domain/services/tenant-service.ts';
import type { Cursors } from '../middleware/cursor.ts';

/** A server whose routes are typed by their zod schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** The use cases of schedules and of runs, without what their classes keep to themselves. */
export type Scheduling = Pick<SchedulingService, keyof SchedulingService>;
export type Runs = Pick<RunService, keyof RunService>;
export type Calendars = Pick<CalendarService, 'create' | 'get' | 'list' | 'replace' | 'remove'>;
export type Secrets = Pick<SecretService, keyof SecretService>;
export type SigningKeys = Pick<SigningKeyService, keyof SigningKeyService>;
export type Audit = Pick<AuditService, 'list'>;
export type Tenants = Pick<TenantService, keyof TenantService>;
export type Bulk = Pick<BulkService, 'apply'>;
export type Redrives = Pick<RedriveService, 'request' | 'get' | 'list' | 'cancel'>;
export type Backfills = Pick<BackfillService, 'request'>;

/** What routes of schedules and runs call. */
export interface ApiParts {
  readonly scheduling: Scheduling;
  readonly bulk: Bulk;
  readonly redrives: Redrives;
  readonly runs: Runs;
  readonly backfills: Backfills;
  readonly calendars: Calendars;
  readonly secrets: Secrets;
  readonly signingKeys: SigningKeys;
  readonly audit: Audit;
  readonly tenants: Tenants;
  readonly cursors: Cursors;
}
