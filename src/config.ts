import { z } from 'zod';
import { QUEUE_BROKERS } from './infra/messaging/queue-sender.ts';

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const whole = (from: number, to: number) => z.coerce.number().int().min(from).max(to);
const port = whole(1, 65_535);
const MANY = 2_147_483_647;

/** Every environment variable the service reads, its form, its default and what it is for. */
export const environmentSchema = z.object({
  NODE_ENV: z.string().optional().describe('`production` refuses the embedded mode and logs JSON'),
  BUILD_ID: z.string().default('dev').describe('shown by /health, so that a roll-out can be told'),
  PORT: port.default(3080).describe('where the API, the docs and the probes listen'),
  HOST: z.string().optional().describe('the address to listen on; default 127.0.0.1 in embedded mode, else 0.0.0.0'),
  OPS_PORT: port.optional().describe('a second port for probes, and the only one for /metrics'),
  ROLES: list
    .pipe(z.array(z.enum(['api', 'engine', 'worker', 'upkeep'])).min(1))
    .default(['api', 'engine', 'upkeep'])
    .describe('what this process does: api, engine, upkeep, worker'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
    .optional()
    .describe('default debug in embedded mode, where each fire shows; else info'),
  LOG_FORMAT: z
    .enum(['json', 'pretty'])
    .optional()
    .describe('default pretty on a terminal outside production, else json'),
  CORS_ORIGINS: list.default([]).describe('origins a browser may call the API from; none by default'),
  POSTGRES_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .describe('PostgreSQL 15 or later; left out, the embedded server starts'),
  POSTGRES_API_POOL: whole(1, 200).default(10).describe('connections of the API'),
  POSTGRES_ENGINE_POOL: whole(2, 100).default(6).describe('connections of the engine'),
  POSTGRES_DEADLINE_MS: whole(500, 120_000).default(10_000).describe('no database call waits longer'),
  MIGRATE_AT_START: flag
    .default(true)
    .describe('bring the database to this build’s schema before anything else; false where a job does'),
  DATA_DIR: z.string().default('.data').describe('the embedded database and the development keys'),
  JWKS_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('keys of the tokens’ issuer; needed unless embedded'),
  JWT_ISSUER: z.string().optional().describe('required `iss` of tokens, when set'),
  JWT_AUDIENCE: z.string().optional().describe('required `aud` of tokens, when set'),
  JWT_TENANT_CLAIM: z.string().default('tenant_id').describe('claim with the one tenant'),
  JWT_TENANTS_CLAIM: z.string().default('tenants').describe('claim with several tenants'),
  JWT_ROLES_CLAIM: z.string().default('roles').describe('claim with the roles'),
  JWT_ORGANIZATION_CLAIM: z
    .string()
    .default('organization_id')
    .describe('claim that narrows a token to one organization'),
  NATS_URL: z.string().optional().describe('broker of EVENT and QUEUE targets, and of DISPATCH'),
  QUEUE_REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .describe('Redis that holds the BullMQ queues of QUEUE targets; noeviction, with appendonly'),
  AMQP_URL: z
    .url({ protocol: /^amqps?$/ })
    .optional()
    .describe('RabbitMQ that holds the queues of QUEUE targets'),
  QUEUE_DRIVER: z
    .enum(['NATS', 'REDIS', 'AMQP'])
    .optional()
    .describe('of QUEUE targets that name none; left out, the first of NATS, REDIS and AMQP that is configured'),
  DISPATCH: z
    .enum(['local', 'nats'])
    .default('local')
    .describe('who delivers: the engine that claimed, or workers that get it through NATS'),
  DISPATCH_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9_-]{1,40}$/)
    .default('scheduler')
    .describe('begins the subjects of DISPATCH; another one for each database that shares a NATS'),
  HTTP_ALLOW_PRIVATE_NETWORKS: flag.default(false).describe('lets HTTP targets reach loopback and private addresses'),
  HTTP_ALLOW_LIST: list.default([]).describe('hosts, host:port or CIDR that HTTP targets may reach all the same'),
  DELIVERY_CONCURRENCY: whole(1, 20_000).default(1_000).describe('attempts in flight at once in this process'),
  CATCH_UP_PER_SEC: whole(10, 100_000)
    .default(1_000)
    .describe('late slots that this process starts a second, and as many backfilled and redriven runs'),
  LEASE_MS: whole(1_000, 120_000)
    .default(15_000)
    .describe('how long a claim outlives its process; late slots after a crash'),
  SHUTDOWN_DELAY_MS: whole(0, 60_000)
    .default(0)
    .describe('from not ready to the end of listening; 3000 where a load balancer must notice'),
  RETENTION_DAYS: whole(2, 3_650).default(30).describe('how long ended runs are kept'),
  AUDIT_RETENTION_DAYS: whole(1, 3_650).default(365).describe('how long the audit trail is kept'),
  QUOTA_SCHEDULES: whole(0, MANY)
    .optional()
    .describe('living schedules of a tenant, unless the platform grants others'),
  QUOTA_FIRES_PER_MINUTE: whole(0, MANY)
    .optional()
    .describe('slots of a tenant that become runs in a minute, likewise'),
  QUOTA_CONCURRENT_DELIVERIES: whole(1, MANY).optional().describe('attempts of a tenant in flight at once, likewise'),
  QUOTA_PAYLOAD_BYTES: whole(1, 921_600).default(262_144).describe('of a payload as JSON, likewise'),
  QUOTA_MIN_INTERVAL_SEC: whole(1, MANY).optional().describe('between two slots of a schedule, likewise'),
  QUOTA_REQUESTS_PER_SEC: z.coerce
    .number()
    .min(0.01)
    .max(1_000_000)
    .optional()
    .describe('requests of a tenant to the API, on average, likewise'),
  QUOTA_REQUEST_BURST: whole(1, 1_000_000).optional().describe('at once, likewise; left out, as many as in a second'),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .describe('where processes count requests together; left out, each counts for itself'),
  TRUST_PROXY: list
    .default([])
    .describe('addresses or CIDR of proxies whose X-Forwarded-For tells the client’s address'),
  SECRETS_KEY: list
    .optional()
    .describe(
      '32 bytes in base64 that seal secrets and signing keys; several, newest first, during a rotation; the embedded mode makes its own',
    ),
  COMMANDS_MODULE: z.string().optional().describe('an ES module whose exported functions are the COMMAND targets'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional().describe('where traces go; none are made without it'),
  OTEL_SERVICE_NAME: z.string().default('scheduler').describe('this service in traces'),
});

type Environment = z.infer<typeof environmentSchema>;

/** The configuration of a process. `embedded`: no POSTGRES_URL, so the service brings its own database, tokens and receiver. */
export interface Config extends Readonly<Environment> {
  readonly embedded: boolean;
  readonly host: string;
  readonly logLevel: NonNullable<Environment['LOG_LEVEL']>;
}

/** Every problem of the environment, one a line. */
export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(`the configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** Reads the environment, with `overrides` put over it; empty variables count as left out. Throws ConfigError. */
export function readConfig(overrides: Readonly<Record<string, string | undefined>> = {}): Config {
  const given = Object.fromEntries(
    Object.entries({ ...process.env, ...overrides }).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  const read = parsed.data;
  const embedded = read.POSTGRES_URL === undefined;
  const problems = contradictions(read, embedded);
  if (problems.length > 0) throw new ConfigError(problems);
  const host = read.HOST ?? (embedded ? '127.0.0.1' : '0.0.0.0');
  return Object.freeze({ ...read, embedded, host, logLevel: read.LOG_LEVEL ?? (embedded ? 'debug' : 'info') });
}

function contradictions(read: Environment, embedded: boolean): readonly string[] {
  const problems: string[] = [];
  if (embedded && read.NODE_ENV === 'production')
    problems.push('POSTGRES_URL: needed when NODE_ENV is production; the embedded mode is for development');
  if (!embedded && read.JWKS_URL === undefined && read.ROLES.includes('api'))
    problems.push('JWKS_URL: needed with POSTGRES_URL, so that tokens can be checked');
  if (embedded && read.HOST !== undefined && !['127.0.0.1', '::1', 'localhost'].includes(read.HOST)) {
    problems.push('HOST: the embedded mode listens on loopback only');
  }
  if (read.DISPATCH === 'nats' && read.NATS_URL === undefined) problems.push('NATS_URL: needed with DISPATCH=nats');
  if (read.DISPATCH !== 'nats' && read.ROLES.includes('worker'))
    problems.push('DISPATCH: must be nats where ROLES has worker');
  const needed = read.QUEUE_DRIVER === undefined ? null : QUEUE_BROKERS[read.QUEUE_DRIVER];
  if (needed !== null && read[needed] === undefined)
    problems.push(`${needed}: needed with QUEUE_DRIVER=${read.QUEUE_DRIVER}`);
  for (const key of read.SECRETS_KEY ?? []) {
    if (Buffer.from(key, 'base64').length !== 32)
      problems.push('SECRETS_KEY: each key must be 32 bytes in base64 (openssl rand -base64 32)');
  }
  return problems;
}
