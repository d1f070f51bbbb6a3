import { packageVersion } from './adapters.ts';
import { Engine } from './app/workers/engine.ts';
import { Loops, SteadyLoops } from './app/workers/loops.ts';
import { Worker } from './app/workers/worker.ts';
import type { Config } from './config.ts';
import { openDispatch } from './dispatch.ts';
import type { TenantId } from './domain/ids.ts';
import type { Bell } from './domain/ports/bell.ts';
import type { Journal } from './domain/ports/journal.ts';
import type { Senders } from './domain/ports/sender.ts';
import type { UnitOfWork } from './domain/ports/unit-of-work.ts';
import type { BackfillService } from './domain/services/backfill-service.ts';
import type { CalendarService } from './domain/services/calendar-service.ts';
import { DeliveryService } from './domain/services/delivery-service.ts';
import { FiringService } from './domain/services/firing-service.ts';
import { NodeService } from './domain/services/node-service.ts';
import { ParcelService } from './domain/services/parcel-service.ts';
import type { RedriveService } from './domain/services/redrive-service.ts';
import type { SchedulingService } from './domain/services/scheduling-service.ts';
import { SettlingService } from './domain/services/settling-service.ts';
import { TenantFlightLimits } from './domain/services/tenant-flight-limits.ts';
import { TenantMovesService } from './domain/services/tenant-moves-service.ts';
import { UpkeepService } from './domain/services/upkeep-service.ts';
import { WatchService } from './domain/services/watch-service.ts';
import { ZoneDataService } from './domain/services/zone-data-service.ts';
import { tzdataVersion } from './domain/time/zone.ts';
import type { DatabaseClock } from './infra/db/database-clock.ts';
import type { EnginePool } from './infra/db/engine-pool.ts';
import { DatabaseHealthProbe } from './infra/db/health-probe.ts';
import { newestMigration } from './infra/db/migrate.ts';
import { newId } from './infra/db/new-id.ts';
import type { CommandFunction } from './infra/messaging/command-sender.ts';
import { PostgresEngineStore } from './infra/repo/postgres-engine-store.ts';
import { PostgresTenantMoves } from './infra/repo/postgres-tenant-moves.ts';
import { PostgresUpkeepStore } from './infra/repo/postgres-upkeep-store.ts';
import { PostgresVersionSource } from './infra/repo/postgres-version-source.ts';
import { PostgresWatchStore } from './infra/repo/postgres-watch-store.ts';
import { PostgresZoneDataStore } from './infra/repo/postgres-zone-data-store.ts';
import type { ScheduleVersionCache } from './infra/repo/schedule-version-cache.ts';

/** Claimed ahead of what delivers now, so that a slow batch never idles the sockets. */
const AHEAD = 4_000;
/** Beyond a lease: what recovery and the gathering of slots into batches may take before the watchmen call it late. */
const PATIENCE_MS = 3_000;

/** What a process does beside answering requests, put together for `compose.ts`. */
export interface Background {
  /** Null without the role, as is the worker. */
  readonly engine: Engine | null;
  readonly worker: Worker | null;
  /** Heartbeat and upkeep; null where this process is an API alone, and no node. */
  readonly steady: SteadyLoops | null;
  readonly node: NodeService;
  readonly health: DatabaseHealthProbe;
}

interface BackgroundNeeds {
  readonly clock: DatabaseClock;
  readonly journal: Journal;
  readonly enginePool: EnginePool;
  readonly unitOfWork: UnitOfWork;
  readonly bell: Bell;
  readonly senders: Senders;
  readonly scheduling: SchedulingService;
  readonly backfills: BackfillService;
  readonly redrives: RedriveService;
  readonly calendars: CalendarService;
  readonly versions: ScheduleVersionCache;
  readonly commands: ReadonlyMap<string, CommandFunction>;
  readonly closing: AsyncDisposableStack;
}

/** The loops that the roles ask for, and the probe that watches them. */
export function buildBackground(config: Config, needs: BackgroundNeeds): Background {
  const { clock, journal, enginePool, versions } = needs;
  const isEngine = config.ROLES.includes('engine');
  const mayKeepUp = isEngine || config.ROLES.includes('upkeep');
  const isNode = mayKeepUp || config.ROLES.includes('worker');
  const nodeId = newId();
  const version = packageVersion();
  const about = { build: `${version}+${config.BUILD_ID}`, tzdata: tzdataVersion ?? 'unknown' };
  const flightLimits = new TenantFlightLimits(config.QUOTA_CONCURRENT_DELIVERIES ?? null);
  const loops = new Loops(clock, journal);
  const zoneStore = new PostgresZoneDataStore(enginePool, versions);
  const zones = new ZoneDataService({ store: zoneStore, clock, journal, version: tzdataVersion });
  const { senders, post } = openDispatch(config, { ...needs, nodeId });
  const engine = isEngine ? buildEngine(config, { ...needs, senders, flightLimits, nodeId, zones, loops }) : null;
  const versionSource = new PostgresVersionSource(enginePool, versions);
  const parcels = new ParcelService({ ...needs, versions: versionSource });
  const worker = post === null ? null : new Worker({ post, parcels, loops });
  const store = new PostgresUpkeepStore(enginePool);
  const { upkeep, tenants, watch } = buildUpkeep(config, { ...needs, flightLimits, store });
  const record = { id: nodeId, ...about, roles: config.ROLES };
  const node = new NodeService({
    store,
    zones,
    tenants,
    journal,
    node: () => ({ ...record, commands: [...needs.commands.keys()] }),
  });
  const steps = { heartbeat: () => node.step(), ...(mayKeepUp && { upkeep: () => upkeep.step() }) };
  const health = new DatabaseHealthProbe({
    pool: enginePool,
    version,
    ...about,
    migration: newestMigration(),
    staleLoops: () => loops.stale,
    needsWorkers: config.DISPATCH === 'nats',
    watchmen: () => (upkeep.isOnDuty ? watch.health : null),
    outdated: () => zones.outdated,
  });
  return { engine, worker, steady: isNode ? new SteadyLoops(loops, steps) : null, node, health };
}

interface EngineNeeds extends BackgroundNeeds {
  readonly flightLimits: TenantFlightLimits;
  readonly nodeId: string;
  readonly zones: ZoneDataService;
  readonly loops: Loops;
}

function buildEngine(config: Config, needs: EngineNeeds): Engine {
  const { clock, journal, enginePool, senders, versions, flightLimits, zones } = needs;
  const firesPerMinute = config.QUOTA_FIRES_PER_MINUTE ?? null;
  const store = new PostgresEngineStore(enginePool, versions, () => clock.monotonic(), firesPerMinute);
  const ofTenant = (tenantId: TenantId) => flightLimits.of(tenantId);
  const limits = { concurrency: config.DELIVERY_CONCURRENCY, ahead: AHEAD, ofTenant };
  const delivery = new DeliveryService({ senders, clock, journal, random: Math.random, limits });
  const identity = { owner: needs.nodeId, leaseMs: config.LEASE_MS };
  const catchUpPerSec = config.CATCH_UP_PER_SEC;
  const firing = new FiringService({ store, delivery, clock, journal, newId, identity, catchUpPerSec });
  firing.holdsSlots = () => zones.outdated !== null;
  const settling = new SettlingService({ store, delivery, firing, clock, journal });
  return new Engine({ ...needs, firing, delivery, settling });
}

interface UpkeepNeeds extends BackgroundNeeds {
  readonly flightLimits: TenantFlightLimits;
  readonly store: PostgresUpkeepStore;
}

function buildUpkeep(
  config: Config,
  needs: UpkeepNeeds,
): { upkeep: UpkeepService; tenants: TenantMovesService; watch: WatchService } {
  const { clock, journal, enginePool } = needs;
  const patienceMs = config.LEASE_MS + PATIENCE_MS;
  const watch = new WatchService({ store: new PostgresWatchStore(enginePool), clock, journal, patienceMs });
  const retentionDays = config.RETENTION_DAYS;
  const tenants = new TenantMovesService({ ...needs, moves: new PostgresTenantMoves(enginePool), retentionDays });
  const upkeep = new UpkeepService({
    ...needs,
    watch,
    tenants,
    hasRole: config.ROLES.includes('upkeep'),
    retentionDays,
    auditRetentionDays: config.AUDIT_RETENTION_DAYS,
  });
  return { upkeep, tenants, watch };
}
