import { randomUUID } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import { describe, expect, it } from 'vitest';
import type { CAPABILITIES, Capability } from '../../src/app/middleware/authorize.ts';
import { newTraceId } from '../../src/app/middleware/trace-id.ts';
import type { Role } from '../../src/domain/entities/caller.ts';
import type { Identity } from '../../src/domain/ports/token-verifier.ts';
import { type Operation, operationsOf } from './operations.ts';
import { OTHER_TENANT, scheduleBody, TENANT, type TestServer, useServer } from './support.ts';

const ROLES: readonly Role[] = ['viewer', 'operator', 'editor', 'admin', 'platform'];
const SLOT = '2030-01-01T09:00:00.000Z';

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

describe('who may do what', () => {
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

  it('is the same for an object that does not exist: the role decides first', async () => {
    const answer = await server().request('DELETE', '/schedules/none', { as: { roles: ['viewer'] } });
    expect(answer.statusCode).toBe(403);
  });
});

/** They ask without changing anything. */
const ONLY_ASK = ['previewSchedule'];

describe('who did what', () => {
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
  const { method, path, operationId } = operation;
  const id = path.startsWith('/runs/{id}')
    ? await runFor(server, operationId)
    : path === '/dead-letters/redrives/{id}'
      ? (await server.request('POST', '/dead-letters/redrive', { body: { filter: {} } })).json().id
      : await server.schedule({ enabled: operationId !== 'resumeSchedule' });
  const name = `calendar-${id}`;
  if (path.startsWith('/tenants/{id}')) return callTenant(server, operation, as, headers);
  if (path === '/calendars/{name}') await server.request('POST', '/calendars', { body: { name } });
  if (path === '/secrets/{name}' && method !== 'PUT') await putSecret(server, name);
  const keyId = path === '/tenant/signing-keys/{id}' ? await signingKey(server) : id;
  const url = path.replace('{id}', keyId).replace('{key}', `key-${id}`).replace('{name}', name);
  const body =
    operationId === 'createCalendar'
      ? { name }
      : operationId === 'createTenant'
        ? { id: `t-${id}` }
        : bodyOf(operationId);
  return server.request(method, url, { as, headers, ...(body !== undefined && { body }) });
}

async function callTenant(
  server: TestServer,
  { method, path, operationId }: Operation,
  as: Partial<Identity> | null,
  headers: Record<string, string>,
): Promise<LightMyRequestResponse> {
  const id = `tenant-${randomUUID()}`;
  await server.request('POST', '/tenants', { body: { id }, as: { roles: ['platform'] } });
  if (operationId === 'resumeTenant')
    await server.request('POST', `/tenants/${id}/suspend`, { as: { roles: ['platform'] } });
  const body = bodyOf(operationId);
  return server.request(method, path.replace('{id}', id), { as, headers, ...(body !== undefined && { body }) });
}

async function signingKey(server: TestServer): Promise<string> {
  return (await server.request('POST', '/tenant/signing-keys', { as: { roles: ['admin'] } })).json().id;
}

async function putSecret(server: TestServer, name: string): Promise<void> {
  await server.request('PUT', `/secrets/${name}`, { body: { value: 'a first value' }, as: { roles: ['admin'] } });
}

async function runFor(server: TestServer, operationId: string): Promise<string> {
  const scheduleId = await server.schedule();
  if (operationId === 'cancelRun') return (await server.request('POST', `/schedules/${scheduleId}/trigger`)).json().id;
  return server.endedRun(scheduleId, { state: 'DEAD', reason: 'EXHAUSTED', slot: SLOT });
}

function bodyOf(operationId: string): unknown {
  switch (operationId) {
    case 'createSchedule':
    case 'upsertScheduleByKey':
      return scheduleBody();
    case 'replaceSchedule':
      return scheduleBody({ name: 'Replaced' });
    case 'bulkSchedules':
      return { items: [{ op: 'CREATE', schedule: scheduleBody() }] };
    case 'redriveDeadLetters':
      return { filter: {} };
    case 'patchSchedule':
    case 'patchTenant':
    case 'patchTenantById':
      return { name: 'Renamed' };
    case 'replaceCalendar':
      return { dates: ['2026-12-25'] };
    case 'putSecret':
      return { value: 'a new value' };
    case 'createBackfill':
      return { from: '2026-03-01T00:00:00Z', to: '2026-03-03T00:00:00Z' };
    case 'previewSchedule':
      return { trigger: { type: 'CRON', cron: '* * * * *' } };
    default:
      return undefined;
  }
}
