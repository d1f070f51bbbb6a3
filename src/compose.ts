import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  cursorKeyOf,
  openDatabaseUrl,
  openPool,
  openSeal,
  openSenders,
  openTelemetry,
  openVerifier,
  packageVersion,
} from './adapters.ts';
import { buildOpsServer } from './app/ops-server.ts';
import { EchoReceiver } from './app/routes/echo.ts';
import { buildServer } from './app/server.ts';
import { buildBackground } from './background.ts';
import type { Config } from './config.ts';
import type { Journal } from './domain/ports/journal.ts';
import { BackfillService } from './domain/services/backfill-service.ts';
import { BulkService } from './domain/services/bulk-service.ts';
import { CalendarService } from './domain/services/calendar-service.ts';
import { RedriveService } from './domain/services/redrive-service.ts';
import { RunService } from './domain/services/run-service.ts';
import { SchedulingService } from './domain/services/scheduling-service.ts';
import { SealedHeaders } from './domain/services/sealed-headers.ts';
import { checkRole, openDatabase } from './infra/db/client.ts';
import { DatabaseClock } from './infra/db/database-clock.ts';
import { EnginePool } from './infra/db/engine-pool.ts';
import { migrate } from './infra/db/migrate.ts';
import { newId } from './infra/db/new-id.ts';
import { onceItAnswers } from './infra/db/once-it-answers.ts';
import type { CommandFunction } from './infra/messaging/command-sender.ts';
import { PostgresBell } from './infra/messaging/postgres-bell.ts';
import { DrizzleUnitOfWork } from './infra/repo/drizzle-unit-of-work.ts';
import { PostgresBackfillStore } from './infra/repo/postgres-backfill-store.ts';
import { PostgresCalendarChanges } from './infra/repo/postgres-calendar-changes.ts';
import { PostgresRedriveStore } from './infra/repo/postgres-redrive-store.ts';
import { PostgresSecretValues } from './infra/repo/postgres-secret-values.ts';
import { PostgresSigningKeys } from './infra/repo/postgres-signing-keys.ts';
import { ScheduleVersionCache } from './infra/repo/schedule-version-cache.ts';
import { openDevIssuer } from './infra/security/dev-tokens.ts';
import type { Telemetry } from './infra/telemetry/start-telemetry.ts';
import { ComposedScheduler, type Scheduler } from './scheduler.ts';
import { buildTenancy } from './tenancy.ts';

const CACHED_VERSIONS = 40_000;
const CACHED_BYTES = 64 * 1024 * 1024;

/** The object graph, by hand. `commands`: what COMMAND targets may name. */
export async function compose(config: Config, commands: ReadonlyMap<string, CommandFunction>): Promise<Scheduler> {
  const closing = new AsyncDisposableStack();
  try {
    return await composeInto(closing, config, commands);
  } catch (error) {
    await closing.disposeAsync();
    throw error;
  }
}

async function composeInto(
  closing: AsyncDisposableStack,
  config: Config,
  commands: ReadonlyMap<string, CommandFunction>,
): Promise<Scheduler> {
  const base = await openBase(config, closing);
  const { journal, telemetry, enginePool, url } = base;
  const echo = config.embedded ? new EchoReceiver() : null;
  const seal = await openSeal(config);
  const signingKeys = new PostgresSigningKeys(enginePool, seal);
  const secretValues = new PostgresSecretValues(enginePool, seal);
  const senders = openSenders(config, { commands, signingKeys, secretValues, echo, ...base }, closing);
  const kept = { ...base, senders, seal, newId, retentionDays: config.RETENTION_DAYS };
  const scheduling = new SchedulingService(kept);
  const bulk = new BulkService({ ...kept, nextTurn });
  const runs = new RunService(base);
  const versions = new ScheduleVersionCache(CACHED_VERSIONS, CACHED_BYTES, new SealedHeaders(seal));
  const backfills = new BackfillService({ ...base, store: new PostgresBackfillStore(enginePool, versions), newId });
  const redrives = new RedriveService({ ...base, store: new PostgresRedriveStore(enginePool), newId });
  const calendars = new CalendarService({ ...base, changes: new PostgresCalendarChanges(enginePool) });
  const tenancy = await buildTenancy(config, base, seal, closing);
  const parts = { scheduling, bulk, redrives, runs, backfills, calendars, ...tenancy, journal };
  const background = buildBackground(config, { ...base, ...parts, senders, versions, commands, closing });
  const { health } = background;
  const issuer = config.embedded && config.JWKS_URL === undefined ? await openDevIssuer(config.DATA_DIR) : null;
  const server = config.ROLES.includes('api')
    ? await buildServer({
        ...parts,
        health,
        echo,
        verifier: openVerifier(config, issuer, journal),
        cursorKey: cursorKeyOf(url),
        trustedProxies: config.TRUST_PROXY,
        corsOrigins: config.CORS_ORIGINS,
        docs: { version: packageVersion() },
      })
    : null;
  const ops = config.OPS_PORT === undefined ? null : buildOpsServer({ health, telemetry, journal });
  return new ComposedScheduler({ config, ...parts, ...background, server, ops, issuer, closing: closing.move() });
}

interface Base {
  readonly url: string;
  readonly clock: DatabaseClock;
  readonly telemetry: Telemetry;
  readonly journal: Journal;
  readonly enginePool: EnginePool;
  readonly unitOfWork: DrizzleUnitOfWork;
  readonly bell: PostgresBell;
}

/** Telemetry, then the database: current, reached only through roles that cannot escape the walls. */
async function openBase(config: Config, closing: AsyncDisposableStack): Promise<Base> {
  const clock = new DatabaseClock();
  const telemetry = closing.adopt(await openTelemetry(config, clock), (opened) => opened.shutdown());
  const { journal } = telemetry;
  const url = await openDatabaseUrl(config, closing);
  const waiting = (error: unknown): void => journal.loopFailed('start', error);
  if (config.MIGRATE_AT_START) await onceItAnswers(() => migrate(url), waiting).catch(unusable(url));
  const apiPool = closing.adopt(
    openPool(config, url, { role: 'scheduler_api', max: config.POSTGRES_API_POOL }),
    (pool) => pool.end({ timeout: 5 }),
  );
  const openEnginePool = () => openPool(config, url, { role: 'scheduler_engine', max: config.POSTGRES_ENGINE_POOL });
  const enginePool = closing.use(new EnginePool(openEnginePool, config.POSTGRES_DEADLINE_MS));
  const checkRoles = () => Promise.all([checkRole(apiPool), enginePool.query(checkRole)]);
  await onceItAnswers(checkRoles, waiting).catch(unusable(url));
  const openBellPool = () => openPool(config, url, { role: 'scheduler_engine', max: 1 });
  const bell = closing.use(new PostgresBell(openBellPool, (error) => journal.loopFailed('bell', error)));
  const unitOfWork = new DrizzleUnitOfWork(openDatabase(apiPool), config.POSTGRES_DEADLINE_MS);
  return { url, clock, telemetry, journal, enginePool, unitOfWork, bell };
}

/** Says which database it was, without its password. */
function unusable(url: string): (error: unknown) => never {
  return (error) => {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`the database at ${new URL(url).host} is not usable: ${message}`, { cause: error });
  };
}
