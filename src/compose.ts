import { setImmediate as nextTurn } from 'node:timers/promises';
import { v7 as newId } from 'uuid';
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
import { Engine } from './app/workers/engine.ts';
import type { Config } from './config.ts';
import type { TenantId } from './domain/ids.ts';
import type { Journal } from './domain/ports/journal.ts';
import type { Senders } from './domain/ports/sender.ts';
import type { NodeRecord } from './domain/ports/upkeep-store.ts';
import { BackfillService } from './domain/services/backfill-service.ts';
import { BulkService } from './domain/services/bulk-service.ts';
import { CalendarService } from './domain/services/calendar-service.ts';
import { DeliveryService } from './domain/services/delivery-service.ts';
import { FiringService } from './domain/services/firing-service.ts';
import { RedriveService } from './domain/services/redrive-service.ts';
import { RunService } from './domain/services/run-service.ts';
import { SchedulingService } from './domain/services/scheduling-service.ts';
import { SealedHeaders } from './domain/services/sealed-headers.ts';
import { SettlingService } from './domain/services/settling-service.ts';
import { TenantFlightLimits } from './domain/services/tenant-flight-limits.ts';
import { TenantMovesService } from './domain/services/tenant-moves-service.ts';
import { UpkeepService } from './domain/services/upkeep-service.ts';
import { WatchService } from './domain/services/watch-service.ts';
import { ZoneDataService } from './domain/services/zone-data-service.ts';
import { tzdataVersion } from './domain/time/zone.ts';
import { checkRole, openDatabase } from './infra/db/client.ts';
import { DatabaseClock } from './infra/db/database-clock.ts';
import { EnginePool } from './infra/db/engine-pool.ts';
import { DatabaseHealthProbe } from './infra/db/health-probe.ts';
import { migrate, newestMigration } from './infra/db/migrate.ts';
import type { CommandFunction } from './infra/messaging/command-sender.ts';
import { PostgresBell } from './infra/messaging/postgres-bell.ts';
import { DrizzleUnitOfWork } from './infra/repo/drizzle-unit-of-work.ts';
import { PostgresBackfillStore } from './infra/repo/postgres-backfill-store.ts';
import { PostgresCalendarChanges } from './infra/repo/postgres-calendar-changes.ts';
import { PostgresEngineStore } from './infra/repo/postgres-engine-store.ts';
import { PostgresRedriveStore } from './infra/repo/postgres-redrive-store.ts';
import { PostgresSecretValues } from './infra/repo/postgres-secret-values.ts';
import { PostgresSigningKeys } from './infra/repo/postgres-signing-keys.ts';
import { PostgresTenantMoves } from './infra/repo/postgres-tenant-moves.ts';
import { PostgresUpkeepStore } from './infra/repo/postgres-upkeep-store.ts';
import { PostgresWatchStore } from './infra/repo/postgres-watch-store.ts';
import { PostgresZoneDataStore } from './infra/repo/postgres-zone-data-store.ts';
import { ScheduleVersionCache } from './infra/repo/schedule-version-cache.ts';
import { openDevIssuer } from './infra/security/dev-tokens.ts';
import type { Telemetry } from './infra/telemetry/start-telemetry.ts';
import { ComposedScheduler, type Scheduler } from './scheduler.ts';
import { buildTenancy } from './tenancy.ts';

const CACHED_VERSIONS = 40_000;
const CACHED_BYTES = 64 * 1024 * 1024;
/** Claimed ahead of what delivers now, so that a slow batch never idles the sockets. */
const AHEAD = 4_000;
/** Beyond a lease: what recovery and the gathering of slots into batches may take before the watchmen call it late. */
const PATIENCE_MS = 3_000;

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
  const tenancy = buildTenancy(config, base, seal, closing);
  const loops = buildEngine(config, {
    ...base,
    senders,
    scheduling,
    backfills,
    redrives,
    calendars,
    versions,
    commands,
  });
  const issuer = config.embedded && config.JWKS_URL === undefined ? await openDevIssuer(config.DATA_DIR) : null;
  const parts = { scheduling, bulk, redrives, runs, backfills, calendars, ...tenancy, journal, health: loops.health };
  const server = config.ROLES.includes('api')
    ? await buildServer({
        ...parts,
        echo,
        verifier: openVerifier(config, issuer, journal),
        cursorKey: cursorKeyOf(url),
        trustedProxies: config.TRUST_PROXY,
        corsOrigins: config.CORS_ORIGINS,
        docs: { version: packageVersion() },
      })
    : null;
  const ops = config.OPS_PORT === undefined ? null : buildOpsServer({ ...loops, telemetry, journal });
  return new ComposedScheduler({ config, ...parts, ...loops, server, ops, issuer, closing: closing.move() });
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
  if (config.MIGRATE_AT_START) await migrate(url).catch(unusable(url));
  const apiPool = closing.adopt(
    openPool(config, url, { role: 'scheduler_api', max: config.POSTGRES_API_POOL }),
    (pool) => pool.end({ timeout: 5 }),
  );
  const openEnginePool = () => openPool(config, url, { role: 'scheduler_engine', max: config.POSTGRES_ENGINE_POOL });
  const enginePool = closing.use(new EnginePool(openEnginePool, config.POSTGRES_DEADLINE_MS));
  await Promise.all([checkRole(apiPool), enginePool.query(checkRole)]).catch(unusable(url));
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

interface EngineNeeds extends Base {
  readonly senders: Senders;
  readonly scheduling: SchedulingService;
  readonly backfills: BackfillService;
  readonly redrives: RedriveService;
  readonly calendars: CalendarService;
  readonly versions: ScheduleVersionCache;
  readonly commands: ReadonlyMap<string, CommandFunction>;
}

/** The loops of this process, null without the engine role, and the probe that watches them. */
function buildEngine(
  config: Config,
  needs: EngineNeeds,
): { engine: Engine | null; upkeep: UpkeepService; health: DatabaseHealthProbe } {
  const { clock, journal, enginePool, senders, bell, backfills, redrives, versions, commands } = needs;
  const firesPerMinute = config.QUOTA_FIRES_PER_MINUTE ?? null;
  const store = new PostgresEngineStore(enginePool, versions, () => clock.monotonic(), firesPerMinute);
  const flightLimits = new TenantFlightLimits(config.QUOTA_CONCURRENT_DELIVERIES ?? null);
  const ofTenant = (tenantId: TenantId) => flightLimits.of(tenantId);
  const limits = { concurrency: config.DELIVERY_CONCURRENCY, ahead: AHEAD, ofTenant };
  const delivery = new DeliveryService({ senders, clock, journal, random: Math.random, limits });
  const identity = { owner: newId(), leaseMs: config.LEASE_MS };
  const catchUpPerSec = config.CATCH_UP_PER_SEC;
  const firing = new FiringService({ store, delivery, clock, journal, newId, identity, catchUpPerSec });
  const settling = new SettlingService({ store, delivery, firing, clock, journal });
  const version = packageVersion();
  const about = { build: `${version}+${config.BUILD_ID}`, tzdata: tzdataVersion ?? 'unknown' };
  const node = () => ({ id: identity.owner, ...about, roles: config.ROLES, commands: [...commands.keys()] });
  const { upkeep, zones, watch } = buildUpkeep(config, { ...needs, flightLimits }, node);
  firing.holdsSlots = () => zones.outdated !== null;
  const engine = config.ROLES.includes('engine')
    ? new Engine({ firing, delivery, settling, upkeep, backfills, redrives, bell, clock, journal })
    : null;
  const health = new DatabaseHealthProbe({
    pool: enginePool,
    version,
    ...about,
    migration: newestMigration(),
    staleLoops: () => engine?.stale ?? [],
    watchmen: () => (engine === null ? null : watch.health),
    outdated: () => zones.outdated,
  });
  return { engine, upkeep, health };
}

function buildUpkeep(
  config: Config,
  needs: EngineNeeds & { readonly flightLimits: TenantFlightLimits },
  node: () => NodeRecord,
): { upkeep: UpkeepService; zones: ZoneDataService; watch: WatchService } {
  const { clock, journal, enginePool, scheduling, calendars, versions } = needs;
  const zoneStore = new PostgresZoneDataStore(enginePool, versions);
  const zones = new ZoneDataService({ store: zoneStore, clock, journal, version: tzdataVersion });
  const patienceMs = config.LEASE_MS + PATIENCE_MS;
  const watch = new WatchService({ store: new PostgresWatchStore(enginePool), clock, journal, patienceMs });
  const retentionDays = config.RETENTION_DAYS;
  const tenants = new TenantMovesService({ ...needs, moves: new PostgresTenantMoves(enginePool), retentionDays });
  const upkeep = new UpkeepService({
    watch,
    tenants,
    zones,
    calendars,
    store: new PostgresUpkeepStore(enginePool),
    scheduling,
    clock,
    journal,
    node,
    retentionDays,
    auditRetentionDays: config.AUDIT_RETENTION_DAYS,
  });
  return { upkeep, zones, watch };
}
