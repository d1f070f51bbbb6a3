import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type postgres from 'postgres';
import type { EchoReceiver } from './app/routes/echo.ts';
import type { Config } from './config.ts';
import type { QueueDriver } from './domain/entities/target.ts';
import type { Clock } from './domain/ports/clock.ts';
import type { Journal } from './domain/ports/journal.ts';
import type { SecretValues } from './domain/ports/secret-repository.ts';
import type { Sender, Senders } from './domain/ports/sender.ts';
import type { TokenVerifier } from './domain/ports/token-verifier.ts';
import { PLACES_AT_DESTINATION } from './domain/services/delivery-service.ts';
import { connectPool } from './infra/db/client.ts';
import { startEmbeddedPostgres } from './infra/db/embedded-postgres.ts';
import { AmqpSender } from './infra/messaging/amqp-sender.ts';
import { type CommandFunction, CommandSender } from './infra/messaging/command-sender.ts';
import { HttpSender } from './infra/messaging/http-sender.ts';
import { InProcessBus } from './infra/messaging/in-process-bus.ts';
import { NatsSender } from './infra/messaging/nats-sender.ts';
import { QueueSender } from './infra/messaging/queue-sender.ts';
import { RedisQueueSender } from './infra/messaging/redis-queue-sender.ts';
import { createSenders } from './infra/messaging/senders.ts';
import type { PostgresSigningKeys } from './infra/repo/postgres-signing-keys.ts';
import { openDevSecretsKey } from './infra/security/dev-secrets-key.ts';
import type { DevIssuer } from './infra/security/dev-tokens.ts';
import { createEgressGuard } from './infra/security/egress-guard.ts';
import { SecretBox } from './infra/security/secret-box.ts';
import { createWebhookSigner } from './infra/security/signature.ts';
import { createLocalTokenVerifier, createTokenVerifier } from './infra/security/token-verifier.ts';
import { startTelemetry, type Telemetry } from './infra/telemetry/start-telemetry.ts';

/* How the configuration chooses and opens each adapter; `compose.ts` puts them together. */

export function openTelemetry(config: Config, clock: Clock): Promise<Telemetry> {
  const isTerminal = config.NODE_ENV !== 'production' && process.stdout.isTTY;
  return startTelemetry({
    logLevel: config.logLevel,
    pretty: config.LOG_FORMAT === undefined ? isTerminal : config.LOG_FORMAT === 'pretty',
    serviceName: config.OTEL_SERVICE_NAME,
    tracing: config.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined,
    clock,
  });
}

/** The configured database, or the embedded server, which ends with `closing`. */
export async function openDatabaseUrl(config: Config, closing: AsyncDisposableStack): Promise<string> {
  if (config.POSTGRES_URL !== undefined) return config.POSTGRES_URL;
  const embedded = closing.adopt(await startEmbeddedPostgres({ dataDir: config.DATA_DIR }), (server) => server.stop());
  return embedded.url;
}

export function openPool(
  config: Config,
  url: string,
  of: { readonly role: 'scheduler_api' | 'scheduler_engine'; readonly max: number },
): postgres.Sql {
  return connectPool(url, {
    ...of,
    applicationName: of.role.replace('_', '-'),
    statementTimeoutMs: config.POSTGRES_DEADLINE_MS,
  });
}

interface SenderNeeds {
  readonly commands: ReadonlyMap<string, CommandFunction>;
  readonly signingKeys: PostgresSigningKeys;
  readonly secretValues: SecretValues;
  /** Takes EVENT and QUEUE messages where no broker is configured; null: such targets are refused. */
  readonly echo: EchoReceiver | null;
  readonly clock: Clock;
  readonly journal: Journal;
}

/** What secrets are stored with: the configured keys, in embedded mode one of its own; null: there is none. */
export async function openSeal(config: Config): Promise<SecretBox | null> {
  if (config.SECRETS_KEY !== undefined) return new SecretBox(config.SECRETS_KEY);
  return config.embedded ? new SecretBox([await openDevSecretsKey(config.DATA_DIR)]) : null;
}

/** A sender for each kind of target this deployment can reach. */
export function openSenders(config: Config, needs: SenderNeeds, closing: AsyncDisposableStack): Senders {
  const { commands, signingKeys, secretValues: secrets, echo, clock, journal } = needs;
  const egress = createEgressGuard({
    allowPrivateNetworks: config.HTTP_ALLOW_PRIVATE_NETWORKS,
    allow: config.HTTP_ALLOW_LIST,
    connectionsPerOrigin: PLACES_AT_DESTINATION,
    allowOrigins: config.embedded ? [`http://127.0.0.1:${config.PORT}`, `http://localhost:${config.PORT}`] : [],
  });
  closing.defer(() => egress.dispatcher.destroy());
  const bus = echo === null ? null : busTo(echo);
  const drivers = openQueueDrivers(config, journal, closing);
  const [first = null] = drivers.keys();
  const sign = createWebhookSigner((tenantId) => signingKeys.of(tenantId));
  const http = new HttpSender({ egress, clock, sign, secrets });
  return createSenders({
    egress,
    http,
    command: new CommandSender(commands),
    event: drivers.get('NATS') ?? bus,
    queue: new QueueSender({ drivers, usual: config.QUEUE_DRIVER ?? first, bus }),
  });
}

/** A sender for each broker that is configured. */
function openQueueDrivers(
  config: Config,
  journal: Journal,
  closing: AsyncDisposableStack,
): ReadonlyMap<QueueDriver, Sender> {
  const { NATS_URL, QUEUE_REDIS_URL, AMQP_URL } = config;
  const drivers = new Map<QueueDriver, Sender & { close(): Promise<void> }>();
  if (NATS_URL !== undefined) drivers.set('NATS', new NatsSender({ url: NATS_URL, journal }));
  if (QUEUE_REDIS_URL !== undefined) drivers.set('REDIS', new RedisQueueSender({ url: QUEUE_REDIS_URL, journal }));
  if (AMQP_URL !== undefined) drivers.set('AMQP', new AmqpSender({ url: AMQP_URL, journal }));
  for (const sender of drivers.values()) closing.defer(() => sender.close());
  return drivers;
}

function busTo(echo: EchoReceiver): InProcessBus {
  return new InProcessBus(({ kind, topic, headers, data }) => {
    echo.record(kind, { method: null, path: topic, headers, body: JSON.stringify(data) });
  });
}

/** Checks tokens of the configured issuer, or of the embedded mode's own. */
export function openVerifier(config: Config, issuer: DevIssuer | null, journal: Journal): TokenVerifier {
  const claims = {
    tenant: config.JWT_TENANT_CLAIM,
    tenants: config.JWT_TENANTS_CLAIM,
    roles: config.JWT_ROLES_CLAIM,
    organization: config.JWT_ORGANIZATION_CLAIM,
  };
  const failed = (error: unknown): void => journal.loopFailed('jwks', error);
  if (config.JWKS_URL !== undefined) {
    return createTokenVerifier({
      jwksUrl: config.JWKS_URL,
      issuer: config.JWT_ISSUER,
      audience: config.JWT_AUDIENCE,
      claims,
      failed,
    });
  }
  if (issuer === null) throw new Error('JWKS_URL is needed so that tokens can be checked');
  return createLocalTokenVerifier({ jwks: issuer.jwks, issuer: issuer.issuer, claims });
}

/** The same on every replica: cursors are signed with a key that follows from the shared secret in the database's URL. */
export function cursorKeyOf(databaseUrl: string): Buffer {
  return createHash('sha256').update(`cursors of ${databaseUrl}`).digest();
}

export function packageVersion(): string {
  const read: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown';
}
