import { randomUUID } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import { describe, expect, it } from 'vitest';
import type { CAPABILITIES, Capability } from '../../src/app/middleware/authorize.ts';
import { newTraceId } from '../../src/app/middleware/trace-id.ts';
import type { Role } from '../../src/domain/entities/caller.ts';
import type { Identity } from '../../src/domain/ports/token-verifier.ts';
import { type Operation, operationsOf } from './operations.ts';
import { prepared } from './prepared.ts';
import { OTHER_TENANT, TENANT, type TestServer, useServer } from './support.ts';

const ROLES: readonly Role[] = ['viewer', 'operator', 'editor', 'admin', 'platform'];

/** The table of the API's contract, written a second time on purpose. */
const MAY: Record<Capability, readonly Role[]> = {
  PUBLIC: ROLES,
  READ: ROLES,
  OPERATE: ['operator', 'editor', 'admin', 'platform'],
  WRITE: ['editor', 'admin', 'platform'],
  ADMINISTER: ['admin', 'platform'],
  ALL_TENANTS: ['platform'],
};

const NEEDS: Record<keyof typeof CAPABILITIES, Capability> = {
  createSchedule: 'WRITE',
  listSchedules: 'READ',
  getSchedule: 'READ',
  patchSchedule: 'WRITE',
  replaceSchedule: 'WRITE',
  upsertScheduleByKey: 'WRITE',
  deleteSchedule: 'WRITE',
  bulkSchedules: 'OPERATE',
  pauseSchedule: 'OPERATE',
  resumeSchedule: 'OPERATE',
  triggerSchedule: 'OPERATE',
  skipNextSlot: 'OPERATE',
  createBackfill: 'OPERATE',
  listUpcomingSlots: 'READ',
  previewSchedule: 'READ',
  listRuns: 'READ',
  getRun: 'READ',
  listScheduleRuns: 'READ',
  listDeadLetters: 'READ',
  retryRun: 'OPERATE',
  redriveDeadLetters: 'OPERATE',
  listRedrives: 'READ',
  getRedrive: 'READ',
  cancelRedrive: 'OPERATE',
  cancelRun: 'OPERATE',
  createCalendar: 'WRITE',
  listCalendars: 'READ',
  getCalendar: 'READ',
  replaceCalendar: 'WRITE',
  deleteCalendar: 'WRITE',
  listSecrets: 'ADMINISTER',
  getSecret: 'ADMINISTER',
  putSecret: 'ADMINISTER',
  deleteSecret: 'ADMINISTER',
  listSigningKeys: 'ADMINISTER',
  createSigningKey: 'ADMINISTER',
  deleteSigningKey: 'ADMINISTER',
  listAuditEntries: 'ADMINISTER',
  getTenant: 'ADMINISTER',
  patchTenant: 'ADMINISTER',
  listTenants: 'ALL_TENANTS',
  createTenant: 'ALL_TENANTS',
  getTenantById: 'ALL_TENANTS',
  patchTenantById: 'ALL_TENANTS',
  suspendTenant: 'ALL_TENANTS',
  resumeTenant: 'ALL_TENANTS',
  deleteTenant: 'ALL_TENANTS',
  getHealth: 'PUBLIC',
  getReadiness: 'PUBLIC',
  getLiveness: 'PUBLIC',
  getOpenApi: 'PUBLIC',
  receiveEcho: 'PUBLIC',
  listEchoRequests: 'PUBLIC',
  refuseMethod: 'PUBLIC',
};

/** Of another tenant's: a list or a create concerns the caller's own tenant, all else must not be found. */
const OWN_TENANT = [
  'createSchedule',
  'listSchedules',
  'upsertScheduleByKey',
  'bulkSchedules',
  'previewSchedule',
  'listRuns',
  'listDeadLetters',
  'redriveDeadLetters',
  'listRedrives',
  'createCalendar',
  'listCalendars',
  'listAuditEntries',
  'getTenant',
  'patchTenant',
  'listSecrets',
  'putSecret',
  'listSigningKeys',
  'createSigningKey',
];

/** Hundreds of requests in one test, on a machine that may be busy. */
const MATRIX = { timeout: 600_000 };

describe('who may do what', MATRIX, () => {
  const server = useServer();

  it('is decided for every operation, role by role', async () => {
    for (const operation of await operationsOf(server())) {
      const need = needOf(operation);
      for (const role of ROLES) {
        const { statusCode } = await call(server(), operation, { roles: [role] });
        const allowed = MAY[need].includes(role);
        expect([operation.operationId, role, outcome(statusCode)]).toEqual([
          operation.operationId,
          role,
          allowed ? 'done' : 'denied',
        ]);
      }
    }
  });

  it('is nothing for nobody, for a token without roles, and for roles nobody knows', async () => {
    for (const operation of await operationsOf(server())) {
      const isPublic = needOf(operation) === 'PUBLIC';
      const anonymous = await call(server(), operation, null);
      const powerless = await call(server(), operation, { roles: [] });
      const answers = [operation.operationId, anonymous.statusCode, outcome(powerless.statusCode)];
      expect(answers).toEqual([operation.operationId, isPublic ? 200 : 401, isPublic ? 'done' : 'denied']);
    }
  });

  it("never reaches another tenant's objects", async () => {
    for (const operation of await operationsOf(server())) {
      if (needOf(operation) === 'PUBLIC') continue;
      const { statusCode } = await call(server(), operation, { roles: ['admin'], tenants: [OTHER_TENANT] });
      if (needOf(operation) === 'ALL_TENANTS') {
        expect([operation.operationId, statusCode]).toEqual([operation.operationId, 403]);
        continue;
      }
      const expected = OWN_TENANT.includes(operation.operationId) ? 'done' : 404;
      expect([operation.operationId, expected === 404 ? statusCode : outcome(statusCode)]).toEqual([
        operation.operationId,
        expected,
      ]);
      const named = await call(server(), operation, { roles: ['admin'] }, { 'x-tenant-id': OTHER_TENANT });
      expect([operation.operationId, named.statusCode, named.json().code]).toEqual([
        operation.operationId,
        403,
        'TENANT_FORBIDDEN',
      ]);
    }
  });

  it("tells another tenant's objects from missing ones in no way", async () => {
    const as = { roles: ['admin'], tenants: [OTHER_TENANT] } as const;
    const compared: string[] = [];
    for (const operation of await operationsOf(server())) {
      const { operationId } = operation;
      if (!/\{(?:id|name)\}/.test(operation.path) || OWN_TENANT.includes(operationId)) continue;
      if (needOf(operation) === 'ALL_TENANTS') continue;
      const { method, url, body } = await prepared(server(), operation);
      const answers = await Promise.all(
        [url, url.replace(NAME, missing)].map((path) =>
          server().request(method, path, { as, ...(body !== undefined && { body }) }),
        ),
      );
      const [foreign, absent] = answers.map(seenOf);
      expect([operationId, foreign]).toEqual([operationId, absent]);
      compared.push(operationId);
    }
    expect(compared.length).toBeGreaterThan(20);
  });

  it('is nothing in a tenant that query or body name otherwise', async () => {
    const as = { roles: ['admin'] } as const;
    for (const operation of await operationsOf(server())) {
      if (['PUBLIC', 'ALL_TENANTS'].includes(needOf(operation))) continue;
      const { method, url, body } = await prepared(server(), operation);
      const wrong = { tenantId: OTHER_TENANT };
      const named = [
        await server().request(method, `${url}?tenantId=${OTHER_TENANT}`, { as, ...(body !== undefined && { body }) }),
        ...(operation.requestBody === undefined
          ? []
          : [await server().request(method, url, { as, body: { ...Object(body), ...wrong } })]),
      ];
      for (const answer of named)
        expect([operation.operationId, answer.statusCode, answer.json().code]).toEqual([
          operation.operationId,
          403,
          'TENANT_FORBIDDEN',
        ]);
    }
  });

  it('is the same for an object that does not exist: the role decides first', async () => {
    const answer = await server().request('DELETE', '/schedules/none', { as: { roles: ['viewer'] } });
    expect(answer.statusCode).toBe(403);
  });
});

/** They ask without changing anything. */
const ONLY_ASK = ['previewSchedule'];

describe('who did what', MATRIX, () => {
  const server = useServer();

  it('is in the audit trail after every operation that changed something', async () => {
    const admin = { roles: ['admin', 'platform'] } as const;
    const silent: string[] = [];
    for (const operation of await operationsOf(server())) {
      const { operationId, method } = operation;
      if (method === 'GET' || needOf(operation) === 'PUBLIC') continue;
      const traceId = newTraceId();
      const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
      const answer = await call(server(), operation, admin, { traceparent });
      expect([operationId, outcome(answer.statusCode)]).toEqual([operationId, 'done']);
      // What the platform does to a tenant stands in that tenant's trail.
      const headers = { 'x-tenant-id': needOf(operation) === 'ALL_TENANTS' ? answer.json().id : TENANT };
      const { items } = (await server().request('GET', '/audit', { as: admin, headers })).json();
      if (!items.some((entry: { traceId: string }) => entry.traceId === traceId)) silent.push(operationId);
    }
    expect(silent).toEqual(ONLY_ASK);
  });
});

function needOf({ operationId }: Operation): Capability {
  const entry = Object.entries(NEEDS).find(([known]) => known === operationId);
  if (entry === undefined) throw new Error(`${operationId} is missing from the table of this test`);
  return entry[1];
}

/** An id of a schedule, a redrive or a key, a name made of one, or a run's id. */
const NAME = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=\/)[0-9a-v]{42}(?=\/|$)/;

function missing(name: string): string {
  const id = randomUUID();
  return name.includes('-') ? `${name.slice(0, 8)}${id.slice(8)}` : `${name.slice(0, 8)}${'0'.repeat(34)}`;
}

/** All of an answer but what is its own every time. */
function seenOf({ statusCode, headers, body }: LightMyRequestResponse): unknown {
  const { date: _date, ...lasting } = headers;
  return { statusCode, headers: lasting, body: { ...JSON.parse(body), traceId: '' } };
}

function outcome(status: number): 'done' | 'denied' | number {
  if (status === 401 || status === 403) return 'denied';
  return status < 300 ? 'done' : status;
}

/** Calls the operation on objects of TENANT that are in the state it needs. */
async function call(
  server: TestServer,
  operation: Operation,
  as: Partial<Identity> | null,
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  const { method, url, body } = await prepared(server, operation);
  return server.request(method, url, { as, headers, ...(body !== undefined && { body }) });
}
