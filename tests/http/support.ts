import { randomUUID } from 'node:crypto';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, expect } from 'vitest';
import { EchoReceiver } from '../../src/app/routes/echo.ts';
import { buildServer, type ServerParts } from '../../src/app/server.ts';
import type { RunRow } from '../../src/domain/entities/run.ts';
import { DomainError } from '../../src/domain/errors.ts';
import { asScheduleId, asTenantId, encodeRunId, SLOT_SPACE, type TenantId } from '../../src/domain/ids.ts';
import type { HealthProbe } from '../../src/domain/ports/health.ts';
import type { Identity, TokenVerifier } from '../../src/domain/ports/token-verifier.ts';
import { TokenBuckets } from '../../src/domain/services/token-buckets.ts';
import { connectPool } from '../../src/infra/db/client.ts';
import { createTestDatabase } from '../support/database.ts';
import { openScheduling, silentJournal } from '../support/scheduling.ts';

export const TENANT = tenantId('tenant-123');
export const OTHER_TENANT = tenantId('tenant-456');

/** A server under test, on real services and a database of its own. */
export interface TestServer {
  readonly app: FastifyInstance;
  readonly echo: EchoReceiver;
  /** Errors that were logged as the service's own. */
  readonly failures: unknown[];
  /** Speaks as an editor of TENANT unless told otherwise. */
  request(method: Method, url: string, more?: RequestParts): Promise<LightMyRequestResponse>;
  /** The id of a new schedule. */
  schedule(fields?: Readonly<Record<string, unknown>>, as?: Partial<Identity>): Promise<string>;
  /** Takes a schedule out of service as the engine would. */
  disabled(scheduleId: string, reason: string): Promise<void>;
  /** Writes the ended run of a slot as the engine would; answers its id. */
  endedRun(scheduleId: string, end: EndedRun): Promise<string>;
  /** A live node that has registered this command. */
  registerCommand(name: string): Promise<void>;
  close(): Promise<void>;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';

export interface EndedRun extends Partial<Pick<RunRow, 'cause' | 'attempts' | 'reason'>> {
  readonly state: RunRow['state'];
  readonly slot: string;
  readonly tenant?: TenantId;
}

export interface RequestParts {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null: no token. */
  readonly as?: Partial<Identity> | null;
}

/** Starts one; `parts` stand in for its own. */
export async function startServer(parts: Partial<ServerParts> = {}): Promise<TestServer> {
  const database = await createTestDatabase();
  const { service, unitOfWork, close, ...services } = await openScheduling(database.url);
  const engine = connectPool(database.url, { role: 'scheduler_engine', max: 1, applicationName: 'test-engine' });
  const failures: unknown[] = [];
  const echo = new EchoReceiver();
  const journal = {
    ...silentJournal(),
    requestFailed: (_request: unknown, error: unknown) => void failures.push(error),
  };
  const own = {
    ...services,
    scheduling: service,
    limiter: new TokenBuckets(() => performance.now()),
    verifier: new PlainTokens(),
    health: HEALTHY,
    journal,
    echo,
    cursorKey: 'a key for tests',
  };
  const app = await buildServer({ ...own, ...parts });
  const request: TestServer['request'] = (method, url, more = {}) => app.inject(injection(method, url, more));
  return {
    app,
    echo,
    failures,
    request,
    schedule: async (fields = {}, as = {}) =>
      (await request('POST', '/schedules', { body: scheduleBody(fields), as })).json().id,
    disabled: (scheduleId, reason) => disable(engine, scheduleId, reason),
    endedRun: (scheduleId, end) => writeRun(engine, scheduleId, end),
    registerCommand: (name) => register(engine, name),
    close: async () => {
      await app.close();
      await Promise.all([close(), engine.end()]);
      await database.drop();
    },
  };
}

async function register(engine: ReturnType<typeof connectPool>, command: string): Promise<void> {
  await engine`insert into nodes (id, build, tzdata, roles, commands, heartbeat) values (${randomUUID()}, 'test', '2026a', '{engine}', array[${command}], now())`;
}

async function disable(engine: ReturnType<typeof connectPool>, scheduleId: string, reason: string): Promise<void> {
  await engine`
    with gone as (delete from timers where schedule_id = ${scheduleId} returning *)
    update schedules s set state = 'DISABLED', state_reason = ${reason}, version = s.version + 1, slot = g.slot, due = g.next_due, cursor = g.cursor
    from gone g where s.id = g.schedule_id`;
}

async function writeRun(
  engine: ReturnType<typeof connectPool>,
  id: string,
  { state, slot, reason, cause, attempts = [], tenant = TENANT }: EndedRun,
): Promise<string> {
  const scheduleId = asScheduleId(id);
  if (scheduleId === null) throw new Error(`${id} is not a schedule id`);
  const at = new Date(slot);
  await engine`insert into runs (schedule_id, slot, space, tenant_id, version, state, reason, cause, attempts, due, started_at, ended_at)
    values (${id}, ${at}, ${SLOT_SPACE}, ${tenant}, 1, ${state}, ${reason ?? null}, ${cause ?? 'SCHEDULE'}, ${JSON.stringify(attempts)}::text::jsonb, ${at},
            ${new Date(at.getTime() + 7)}, ${new Date(at.getTime() + 48)})`;
  return encodeRunId({ scheduleId, slot: at.getTime(), space: SLOT_SPACE });
}

/** A token that PlainTokens reads: the identity itself. */
export function tokenOf(identity: Partial<Identity> = {}): string {
  const full: Identity = { subject: 'user-1', tenants: [TENANT], roles: ['editor'], organizationId: null, ...identity };
  return Buffer.from(JSON.stringify(full)).toString('base64url');
}

export function tenantId(text: string): TenantId {
  const id = asTenantId(text);
  if (id === null) throw new Error(`${text} is not a tenant id`);
  return id;
}

/** A schedule body that is accepted as it stands. */
export function scheduleBody(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    name: 'Daily Report',
    tz: 'Europe/Berlin',
    trigger: { type: 'CRON', cron: '0 9 * * *' },
    target: { kind: 'EVENT', eventTopic: 'reports.daily.generate' },
    ...fields,
  };
}

function injection(method: Method, url: string, { body, headers = {}, as = {} }: RequestParts): InjectOptions {
  const authorization = as === null ? {} : { authorization: `Bearer ${tokenOf(as)}` };
  const payload =
    body === undefined
      ? {}
      : { payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body) };
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return { method, url, headers: { ...authorization, ...type, ...headers }, ...payload };
}

/** Knows every token that it can read, so that refused ones never cost an address the others. */
class PlainTokens implements TokenVerifier {
  recall(token: string): Identity | null {
    try {
      return JSON.parse(Buffer.from(token, 'base64url').toString());
    } catch {
      return null;
    }
  }

  async verify(): Promise<Identity> {
    throw new DomainError('UNAUTHENTICATED', 'the token is not valid');
  }
}

export const HEALTHY: HealthProbe = {
  live: () => true,
  ready: async () => ({ ready: true, reason: null }),
  health: async () => ({
    status: 'ok',
    build: 'test',
    version: '0.1.0',
    tzdata: '2026a',
    components: { database: { status: 'ok', latencyMs: 1, detail: null } },
  }),
};

/** What a problem document says, without its trace id. */
export function problemIn(answer: LightMyRequestResponse): {
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly errors?: unknown;
} {
  expect(answer.headers['content-type']).toBe('application/problem+json');
  const { traceId, type, title, ...rest } = answer.json();
  expect(traceId).toMatch(/^[0-9a-f]{32}$/);
  expect([typeof type, typeof title, rest.status]).toEqual(['string', 'string', answer.statusCode]);
  return rest;
}

/** Opens a server before the tests of a suite and closes it behind them. */
export function useServer(parts: Partial<ServerParts> = {}): () => TestServer {
  let server: TestServer | undefined;
  beforeAll(async () => {
    server = await startServer(parts);
  });
  afterAll(() => server?.close());
  return () => {
    if (server === undefined) throw new Error('the server has not started');
    return server;
  };
}
