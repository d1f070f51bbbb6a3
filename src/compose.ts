import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { v7 as newId } from 'uuid';
import { EchoReceiver } from './app/routes/echo.ts';
import { buildServer } from './app/server.ts';
import { Engine } from './app/workers/engine.ts';
import type { Config } from './config.ts';
import type { Journal } from './domain/ports/journal.ts';
import type { Senders } from './domain/ports/sender.ts';
import type { TokenVerifier } from './domain/ports/token-verifier.ts';
import { DeliveryService } from './domain/services/delivery-service.ts';
import { FiringService } from './domain/services/firing-service.ts';
import { RunService } from './domain/services/run-service.ts';
import { SchedulingService } from './domain/services/scheduling-service.ts';
import { SettlingService } from './domain/services/settling-service.ts';
import { UpkeepService } from './domain/services/upkeep-service.ts';
import { tzdataVersion } from './domain/time/zone.ts';
import { checkRole, connectPool, openDatabase } from './infra/db/client.ts';
import { DatabaseClock } from './infra/db/database-clock.ts';
import { startEmbeddedPostgres } from './infra/db/embedded-postgres.ts';
import { EnginePool } from './infra/db/engine-pool.ts';
import { DatabaseHealthProbe } from './infra/db/health-probe.ts';
import { migrate, newestMigration } from './infra/db/migrate.ts';
import { type CommandFunction, CommandSender } from './infra/messaging/command-sender.ts';
import { HttpSender } from './infra/messaging/http-sender.ts';
import { InProcessBus } from './infra/messaging/in-process-bus.ts';
import { NatsSender } from './infra/messaging/nats-sender.ts';
import { PostgresBell } from './infra/messaging/postgres-bell.ts';
import { createSenders } from './infra/messaging/senders.ts';
import { DrizzleUnitOfWork } from './infra/repo/drizzle-unit-of-work.ts';
import { PostgresEngineStore } from './infra/repo/postgres-engine-store.ts';
import { PostgresSigningKeys } from './infra/repo/postgres-signing-keys.ts';
import { PostgresUpkeepStore } from './infra/repo/postgres-upkeep-store.ts';
import { ScheduleVersionCache } from './infra/repo/schedule-version-cache.ts';
import { type DevIssuer, openDevIssuer } from './infra/security/dev-tokens.ts';
import { createEgressGuard } from './infra/security/egress-guard.ts';
import { SecretBox } from './infra/security/secret-box.ts';
import { createWebhookSigner } from './infra/security/signature.ts';
import { createLocalTokenVerifier, createTokenVerifier } from './infra/security/token-verifier.ts';
import { startTelemetry, type Telemetry } from './infra/telemetry/start-telemetry.ts';

const CACHED_VERSIONS = 20_000;
const CACHED_BYTES = 64 * 1024 * 1024;
/** Claimed ahead of what delivers now, so that a slow batch never idles the sockets. */
const AHEAD = 4_000;

/** The service in one process: what its doors hold on to. Disposing it drains, settles and closes all. */
export interface Scheduler extends AsyncDisposable {
  readonly scheduling: SchedulingService;
  readonly runs: RunService;
  readonly journal: Journal;
  readonly server: FastifyInstance | null;
  /** Signs development tokens in embedded mode; else null. */
  readonly issuer: DevIssuer | null;
  /** Starts the loops and, for the api role, listens. Answers the API's address. */
  start(): Promise<string | null>;
}

/** The object graph, by hand. `commands`: what COMMAND targets may name. */
export async function compose(config: Config, commands: ReadonlyMap<string, CommandFunction>): Promise<Scheduler> {
  const closing = new AsyncDisposableStack();
  try {
    const clock = new DatabaseClock();
    const telemetry = closing.adopt(await openTelemetry(config, clock), (opened) => opened.shutdown());
    const { journal } = telemetry;
    const url = await databaseUrl(config, closing);
    if (config.MIGRATE_AT_START) await migrate(url);
    const apiPool = closing.adopt(connectPool(url, poolOf(config, 'scheduler_api', config.POSTGRES_API_POOL)), (pool) => pool.end({ timeout: 5 }));
    const openEngine = (): ReturnType<typeof connectPool> => connectPool(url, poolOf(config, 'scheduler_engine', config.POSTGRES_ENGINE_POOL));
    const enginePool = closing.use(new EnginePool(openEngine, config.POSTGRES_DEADLINE_MS));
    await Promise.all([checkRole(apiPool), enginePool.query(checkRole)]);
    const bellPool = closing.adopt(connectPool(url, poolOf(config, 'scheduler_engine', 1)), (pool) => pool.end({ timeout: 1 }));
    const bell = new PostgresBell(bellPool, (error) => journal.loopFailed('bell', error));
    const echo = config.embedded ? new EchoReceiver() : null;
    const signingKeys = new PostgresSigningKeys(enginePool, config.SECRETS_KEY === undefined ? null : new SecretBox(config.SECRETS_KEY));
    const senders = closing.use(openSenders(config, { commands, signingKeys, echo, clock, journal }));
    const unitOfWork = new DrizzleUnitOfWork(openDatabase(apiPool), config.POSTGRES_DEADLINE_MS);
    const scheduling = new SchedulingService({ unitOfWork, bell, senders: senders.senders, journal, newId });
    const runs = new RunService({ unitOfWork, bell, journal });
    const store = new PostgresEngineStore(enginePool, new ScheduleVersionCache(CACHED_VERSIONS, CACHED_BYTES), () => clock.monotonic());
    const limits = { concurrency: config.DELIVERY_CONCURRENCY, ahead: AHEAD };
    const delivery = new DeliveryService({ senders: senders.senders, clock, journal, random: Math.random, limits });
    const owner = newId();
    const firing = new FiringService({ store, delivery, clock, journal, newId, identity: { owner, leaseMs: config.LEASE_MS } });
    const settling = new SettlingService({ store, delivery, firing, clock, journal });
    const version = packageVersion();
    const build = `${version}+${config.BUILD_ID}`;
    const tzdata = tzdataVersion ?? 'unknown';
    const node = () => ({ id: owner, build, tzdata, roles: config.ROLES, commands: [...commands.keys()] });
    const upkeep = new UpkeepService({ store: new PostgresUpkeepStore(enginePool), scheduling, clock, journal, node, retentionDays: config.RETENTION_DAYS });
    const engine = config.ROLES.includes('engine') ? new Engine({ firing, delivery, settling, upkeep, bell, clock, journal }) : null;
    const health = new DatabaseHealthProbe({
      pool: enginePool,
      build,
      version,
      tzdata,
      migration: newestMigration(),
      staleLoops: () => engine?.stale ?? [],
    });
    const issuer = config.embedded && config.JWKS_URL === undefined ? await openDevIssuer(config.DATA_DIR) : null;
    const server = config.ROLES.includes('api')
      ? await buildServer({ scheduling, runs, verifier: verifierOf(config, issuer), health, journal, echo, cursorKey: cursorKey(url), corsOrigins: config.CORS_ORIGINS })
      : null;
    return new ComposedScheduler({ config, scheduling, runs, journal, server, issuer, engine, upkeep, health, closing: closing.move() });
  } catch (error) {
    await closing.disposeAsync();
    throw error;
  }
}

interface Parts {
  readonly config: Config;
  readonly scheduling: SchedulingService;
  readonly runs: RunService;
  readonly journal: Journal;
  readonly server: FastifyInstance | null;
  readonly issuer: DevIssuer | null;
  readonly engine: Engine | null;
  readonly upkeep: UpkeepService;
  readonly health: DatabaseHealthProbe;
  readonly closing: AsyncDisposableStack;
}

class ComposedScheduler implements Scheduler {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get scheduling(): SchedulingService {
    return this.#parts.scheduling;
  }
  get runs(): RunService {
    return this.#parts.runs;
  }
  get journal(): Journal {
    return this.#parts.journal;
  }
  get server(): FastifyInstance | null {
    return this.#parts.server;
  }
  get issuer(): DevIssuer | null {
    return this.#parts.issuer;
  }

  async start(): Promise<string | null> {
    const { server, engine, upkeep, config } = this.#parts;
    if (engine !== null) {
      await upkeep.prepare();
      engine.start();
    }
    return server === null ? null : server.listen({ port: config.PORT, host: config.host });
  }

  /** Not ready first; then the engine drains while requests end; leases and connections last. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { server, engine, upkeep, health, config, closing, journal } = this.#parts;
    health.drain();
    journal.note('draining', {});
    await new Promise((resolve) => setTimeout(resolve, config.SHUTDOWN_DELAY_MS));
    await Promise.all([engine?.[Symbol.asyncDispose](), server?.close()]);
    if (engine !== null) await upkeep.leave().catch((error: unknown) => journal.loopFailed('leave', error));
    journal.note('stopped', {});
    await closing.disposeAsync();
  }
}

function openTelemetry(config: Config, clock: DatabaseClock): Promise<Telemetry> {
  const pretty = config.LOG_FORMAT === undefined ? config.NODE_ENV !== 'production' && process.stdout.isTTY : config.LOG_FORMAT === 'pretty';
  return startTelemetry({ logLevel: config.LOG_LEVEL, pretty, serviceName: config.OTEL_SERVICE_NAME, tracing: config.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined, clock });
}

async function databaseUrl(config: Config, closing: AsyncDisposableStack): Promise<string> {
  if (config.POSTGRES_URL !== undefined) return config.POSTGRES_URL;
  const embedded = closing.adopt(await startEmbeddedPostgres({ dataDir: config.DATA_DIR }), (server) => server.stop());
  return embedded.url;
}

function poolOf(config: Config, role: 'scheduler_api' | 'scheduler_engine', max: number): Parameters<typeof connectPool>[1] {
  return { role, max, applicationName: role.replace('_', '-'), statementTimeoutMs: config.POSTGRES_DEADLINE_MS };
}

interface SenderNeeds {
  readonly commands: ReadonlyMap<string, CommandFunction>;
  readonly signingKeys: PostgresSigningKeys;
  readonly echo: EchoReceiver | null;
  readonly clock: DatabaseClock;
  readonly journal: Journal;
}

function openSenders(config: Config, needs: SenderNeeds): { readonly senders: Senders } & AsyncDisposable {
  const { commands, signingKeys, echo, clock, journal } = needs;
  const egress = createEgressGuard({
    allowPrivateNetworks: config.HTTP_ALLOW_PRIVATE_NETWORKS,
    allow: config.HTTP_ALLOW_LIST,
    allowOrigins: config.embedded ? [`http://127.0.0.1:${config.PORT}`, `http://localhost:${config.PORT}`] : [],
  });
  const nats = config.NATS_URL === undefined ? null : new NatsSender({ url: config.NATS_URL, journal });
  const bus = nats === null && echo !== null ? new InProcessBus((message) => echo.record(message.kind, { method: null, path: message.topic, headers: message.headers, body: JSON.stringify(message.data) })) : null;
  const http = new HttpSender({ egress, clock, sign: createWebhookSigner((tenantId) => signingKeys.of(tenantId)) });
  const senders = createSenders({ egress, http, command: new CommandSender(commands), broker: nats ?? bus });
  return {
    senders,
    async [Symbol.asyncDispose]() {
      await nats?.close();
      await egress.dispatcher.destroy();
    },
  };
}

function verifierOf(config: Config, issuer: DevIssuer | null): TokenVerifier {
  const claims = {
    tenant: config.JWT_TENANT_CLAIM,
    tenants: config.JWT_TENANTS_CLAIM,
    roles: config.JWT_ROLES_CLAIM,
    organization: config.JWT_ORGANIZATION_CLAIM,
  };
  if (config.JWKS_URL === undefined) {
    if (issuer === null) throw new Error('JWKS_URL is needed so that tokens can be checked');
    return createLocalTokenVerifier({ jwks: issuer.jwks, issuer: issuer.issuer, claims });
  }
  return createTokenVerifier({ jwksUrl: config.JWKS_URL, issuer: config.JWT_ISSUER, audience: config.JWT_AUDIENCE, claims });
}

/** The same on every replica: cursors are signed with a key that follows from the shared secret in the database's URL. */
function cursorKey(url: string): Buffer {
  return createHash('sha256').update(`cursors of ${url}`).digest();
}

function packageVersion(): string {
  const read: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown';
}
