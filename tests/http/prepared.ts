import { randomUUID } from 'node:crypto';
import type { Operation } from './operations.ts';
import { scheduleBody, type TestServer } from './support.ts';

const SLOT = '2030-01-01T09:00:00.000Z';

/** A request that its operation can do. */
export interface PreparedRequest {
  readonly method: Operation['method'];
  readonly url: string;
  readonly body?: unknown;
}

/** Puts objects of TENANT into the state that the operation needs; who may do it then does it with this request. */
export async function prepared(server: TestServer, operation: Operation): Promise<PreparedRequest> {
  const { method, path, operationId } = operation;
  if (path.startsWith('/tenants/{id}'))
    return { method, url: await tenantUrl(server, operation), body: bodyOf(operationId) };
  const id = path.startsWith('/runs/{id}')
    ? await runFor(server, operationId)
    : path === '/dead-letters/redrives/{id}'
      ? await runningRedrive(server)
      : await server.schedule({ enabled: operationId !== 'resumeSchedule' });
  const name = `calendar-${id}`;
  if (path === '/calendars/{name}') await server.request('POST', '/calendars', { body: { name } });
  if (path === '/secrets/{name}' && method !== 'PUT') await putSecret(server, name);
  const keyId = path === '/tenant/signing-keys/{id}' ? await signingKey(server) : id;
  const url = path.replace('{id}', keyId).replace('{key}', `key-${id}`).replace('{name}', name);
  if (operationId === 'createCalendar') return { method, url, body: { name } };
  return { method, url, body: operationId === 'createTenant' ? { id: `t-${id}` } : bodyOf(operationId) };
}

async function tenantUrl(server: TestServer, { path, operationId }: Operation): Promise<string> {
  const id = `tenant-${randomUUID()}`;
  const as = { roles: ['platform'] } as const;
  await server.request('POST', '/tenants', { body: { id }, as });
  if (operationId === 'resumeTenant') await server.request('POST', `/tenants/${id}/suspend`, { as });
  return path.replace('{id}', id);
}

/** Only so many may run at once: those of others end first. */
async function runningRedrive(server: TestServer): Promise<string> {
  const { items } = (await server.request('GET', '/dead-letters/redrives')).json();
  for (const { id } of items) await server.request('DELETE', `/dead-letters/redrives/${id}`);
  return (await server.request('POST', '/dead-letters/redrive', { body: { filter: {} } })).json().id;
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
