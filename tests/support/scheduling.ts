import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { v7 as newId } from 'uuid';
import type { ScheduleInput } from '../../src/domain/entities/schedule.ts';
import { SERVICE_DEFAULTS, type ServicePolicy } from '../../src/domain/entities/tenant-policy.ts';
import type { Bell } from '../../src/domain/ports/bell.ts';
import type { Journal } from '../../src/domain/ports/journal.ts';
import type { UnitOfWork } from '../../src/domain/ports/unit-of-work.ts';
import { AuditService } from '../../src/domain/services/audit-service.ts';
import { BackfillService } from '../../src/domain/services/backfill-service.ts';
import { BulkService } from '../../src/domain/services/bulk-service.ts';
import { CalendarService } from '../../src/domain/services/calendar-service.ts';
import { RedriveService } from '../../src/domain/services/redrive-service.ts';
import { RunService } from '../../src/domain/services/run-service.ts';
import { SchedulingService } from '../../src/domain/services/scheduling-service.ts';
import { SecretService } from '../../src/domain/services/secret-service.ts';
import { SigningKeyService } from '../../src/domain/services/signing-key-service.ts';
import { TenantPolicies } from '../../src/domain/services/tenant-policies.ts';
import { TenantService } from '../../src/domain/services/tenant-service.ts';
import { connectPool, openDatabase } from '../../src/infra/db/client.ts';
import { DatabaseClock } from '../../src/infra/db/database-clock.ts';
import { EnginePool } from '../../src/infra/db/engine-pool.ts';
import { DrizzleUnitOfWork } from '../../src/infra/repo/drizzle-unit-of-work.ts';
import { PostgresCalendarChanges } from '../../src/infra/repo/postgres-calendar-changes.ts';
import { PostgresRedriveStore } from '../../src/infra/repo/postgres-redrive-store.ts';
import { PostgresTenantDirectory } from '../../src/infra/repo/postgres-tenant-directory.ts';
import { SecretBox } from '../../src/infra/security/secret-box.ts';
import { newSigningKey } from '../../src/infra/security/signature.ts';

/** What secrets are sealed with here. */
export const TEST_SEAL = new SecretBox([randomBytes(32).toString('base64')]);

/** The use cases on a database, without HTTP or an engine of their own. */
export interface OpenScheduling {
  readonly service: SchedulingService;
  readonly bulk: BulkService;
  readonly redrives: RedriveService;
  readonly runs: RunService;
  readonly backfills: BackfillService;
  readonly calendars: CalendarService;
  readonly secrets: SecretService;
  readonly signingKeys: SigningKeyService;
  readonly audit: AuditService;
  readonly policies: TenantPolicies;
  readonly tenants: TenantService;
  readonly unitOfWork: UnitOfWork;
  close(): Promise<void>;
}

/** The policy of a service that nobody configured. */
export const SERVICE_POLICY: ServicePolicy = {
  defaults: { ...SERVICE_DEFAULTS, retentionDays: 30 },
  quotas: {
    schedules: null,
    firesPerMinute: null,
    concurrentDeliveries: null,
    payloadBytes: 262_144,
    minIntervalSec: null,
    requestsPerSec: null,
    requestBurst: null,
  },
};

/** What a busy machine may take for what takes it milliseconds otherwise. */
const PATIENT_MS = 60_000;

const SILENT_BELL: Bell = { ring: () => undefined, listen: () => undefined };

/** `bell`: left out, nobody hears of what is written. */
export async function openScheduling(
  url: string,
  journal = silentJournal(),
  bell: Bell = SILENT_BELL,
): Promise<OpenScheduling> {
  const pool = connectPool(url, { role: 'scheduler_api', max: 4, applicationName: 'test' });
  const openEngine = () => connectPool(url, { role: 'scheduler_engine', max: 1, applicationName: 'test-upkeep' });
  const enginePool = new EnginePool(openEngine, PATIENT_MS);
  const unitOfWork = new DrizzleUnitOfWork(openDatabase(pool), PATIENT_MS);
  const senders = {
    of: () => {
      throw new Error('nothing is sent from here');
    },
    check: () => undefined,
  };
  const service = new SchedulingService({ unitOfWork, bell, senders, seal: TEST_SEAL, journal, newId });
  const clock = new DatabaseClock();
  const bulk = new BulkService({ unitOfWork, bell, senders, seal: TEST_SEAL, journal, newId, clock, nextTurn });
  const store = {
    emit: () => {
      throw new Error('nothing is emitted from here');
    },
  };
  const backfills = new BackfillService({ unitOfWork, store, bell, journal, newId });
  const policies = new TenantPolicies({ unitOfWork, service: SERVICE_POLICY, monotonic: () => performance.now() });
  return {
    service,
    policies,
    tenants: new TenantService({ unitOfWork, policies, journal, directory: new PostgresTenantDirectory(enginePool) }),
    bulk,
    redrives: new RedriveService({
      unitOfWork,
      store: new PostgresRedriveStore(enginePool),
      bell,
      clock,
      journal,
      newId,
    }),
    runs: new RunService({ unitOfWork, bell, journal }),
    backfills,
    calendars: new CalendarService({ unitOfWork, changes: new PostgresCalendarChanges(enginePool), bell, journal }),
    secrets: new SecretService({ unitOfWork, seal: TEST_SEAL }),
    signingKeys: new SigningKeyService({ unitOfWork, seal: TEST_SEAL, newId, newKey: newSigningKey }),
    audit: new AuditService({ unitOfWork }),
    unitOfWork,
    close: async () => {
      await Promise.all([pool.end(), enginePool[Symbol.asyncDispose]()]);
    },
  };
}

/** A journal that keeps silent. */
export function silentJournal(): Journal {
  const silent = (): undefined => undefined;
  return {
    scheduleChanged: silent,
    slotsClaimed: silent,
    retriesClaimed: silent,
    claimsRecovered: silent,
    traceFire: () => null,
    attemptStarted: silent,
    runSettled: silent,
    runPostponed: silent,
    breakerChanged: silent,
    outcomeStale: silent,
    leaseLost: silent,
    watchFound: silent,
    loopFailed: silent,
    requestFailed: silent,
    note: silent,
  };
}

/** A journal that is silent but for the ends of schedules. */
export function tellingEnds(told: string[]): Journal {
  return {
    ...silentJournal(),
    scheduleChanged: (event, { id, version }, by) => {
      if (event === 'completed' || event === 'disabled') told.push(`${id} ${event} v${version} by ${by}`);
    },
  };
}

/** A schedule as a caller would give it, with the service's defaults; name only what matters. */
export function scheduleInput(given: Partial<ScheduleInput>): ScheduleInput {
  return {
    name: 'a schedule',
    key: null,
    description: null,
    labels: {},
    scope: 'TENANT',
    organizationId: null,
    tz: 'UTC',
    trigger: { type: 'CRON', cron: '0 9 * * *' },
    target: { kind: 'COMMAND', command: { name: 'noop' } },
    payload: null,
    startAt: null,
    endAt: null,
    maxFires: null,
    jitter: null,
    dst: {},
    calendars: null,
    excluded: null,
    overlapPolicy: 'SKIP',
    misfire: { policy: 'FIRE_ONCE', thresholdSec: 60, windowSec: 86_400 },
    retry: {
      maxAttempts: 8,
      initialDelaySec: 5,
      backoffCoefficient: 3,
      maxDelaySec: 3600,
      jitter: 1,
      maxAgeSec: 86_400,
    },
    timeoutSec: 30,
    pauseOnFailures: null,
    onCompletion: 'KEEP',
    ...given,
  };
}
