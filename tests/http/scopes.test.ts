import { describe, expect, it } from 'vitest';
import type { Identity } from '../../src/domain/ports/token-verifier.ts';
import { operationsOf } from './operations.ts';
import { problemIn, scheduleBody, TENANT, tenantId, useServer } from './support.ts';

const PLATFORM: Partial<Identity> = { roles: ['platform'], tenants: [] };
const SLOT = '2030-01-01T09:00:00.000Z';

const server = useServer();

/** An administrator whose token is narrowed to an organization of TENANT. */
function of(organizationId: string): Partial<Identity> {
  return { roles: ['admin'], organizationId };
}

/** What operations on one schedule or run are sent with, where they need something. */
const BODIES: Readonly<Record<string, unknown>> = {
  patchSchedule: { name: 'Renamed' },
  replaceSchedule: scheduleBody(),
  createBackfill: { from: '2026-03-01T00:00:00Z', to: '2026-03-03T00:00:00Z' },
};

describe('a token of an organization', () => {
  it('finds no schedule and no run of another organization, nor of the tenant itself, by any operation', async () => {
    const ids = [
      await server().schedule({ scope: 'ORGANIZATION', organizationId: 'org-1' }),
      await server().schedule({ scope: 'TENANT' }),
    ];
    for (const scheduleId of ids) {
      const runId = await server().endedRun(scheduleId, { state: 'DEAD', reason: 'EXHAUSTED', slot: SLOT });
      const asked: string[] = [];
      for (const { method, path, operationId } of await operationsOf(server())) {
        if (!/^\/(?:schedules|runs)\/\{id\}/.test(path)) continue;
        const url = path.replace('{id}', path.startsWith('/runs') ? runId : scheduleId);
        const body = BODIES[operationId];
        const answer = await server().request(method, url, { as: of('org-2'), ...(body !== undefined && { body }) });
        expect([operationId, problemIn(answer).code]).toEqual([operationId, 'NOT_FOUND']);
        asked.push(operationId);
      }
      expect(asked.length).toBeGreaterThan(12);
    }
  });

  it('lists what is its own and nothing else', async () => {
    const own = await server().schedule({}, of('org-3'));
    await server().schedule({ scope: 'ORGANIZATION', organizationId: 'org-4' });
    const runId = await server().endedRun(own, { state: 'DEAD', reason: 'EXHAUSTED', slot: SLOT });
    const ids = async (url: string, as: Partial<Identity>): Promise<readonly string[]> =>
      (await server().request('GET', url, { as })).json().items.map((item: { id: string }) => item.id);
    expect(await ids('/schedules?limit=200', of('org-3'))).toEqual([own]);
    for (const list of ['/runs', '/dead-letters', `/schedules/${own}/runs`])
      expect([list, await ids(list, of('org-3'))]).toEqual([list, [runId]]);
    for (const list of ['/schedules', '/runs', '/dead-letters'])
      expect([list, await ids(list, of('org-5'))]).toEqual([list, []]);
  });

  it('gives nothing away to another organization, and takes nothing from one by its key', async () => {
    const own = await server().schedule({ key: 'kept' }, of('org-6'));
    const patch = { organizationId: 'org-7' };
    const given = await server().request('PATCH', `/schedules/${own}`, { body: patch, as: of('org-6') });
    expect(problemIn(given).code).toBe('PERMISSION_DENIED');
    const widened = await server().request('PATCH', `/schedules/${own}`, {
      body: { scope: 'TENANT', organizationId: null },
      as: of('org-6'),
    });
    expect(problemIn(widened).code).toBe('PERMISSION_DENIED');
    const taken = await server().request('PUT', '/schedules/by-key/kept', { body: scheduleBody(), as: of('org-7') });
    expect(problemIn(taken).code).toBe('PERMISSION_DENIED');
  });

  it('does not act on tenants, whatever its role', async () => {
    const as = { roles: ['platform'], tenants: [TENANT], organizationId: 'org-1' } as const;
    await server().request('POST', '/tenants', { body: { id: 'whole' }, as: PLATFORM });
    for (const [method, url, body] of [
      ['POST', '/tenants', { id: 'another' }],
      ['PATCH', '/tenants/whole', { name: 'x' }],
      ['POST', '/tenants/whole/suspend', {}],
      ['DELETE', '/tenants/whole', undefined],
    ] as const) {
      const answer = await server().request(method, url, { as, ...(body !== undefined && { body }) });
      expect([url, problemIn(answer).code]).toEqual([url, 'PERMISSION_DENIED']);
    }
  });
});

describe('SYSTEM schedules', () => {
  it('are made in the tenant `system` alone, by the platform alone', async () => {
    const body = scheduleBody({ scope: 'SYSTEM' });
    const made = await server().request('POST', '/schedules', { body, as: PLATFORM });
    expect(made.json()).toMatchObject({ tenantId: 'system', scope: 'SYSTEM' });
    for (const as of [PLATFORM, { roles: ['admin'] } as const]) {
      const headers = { 'x-tenant-id': TENANT };
      const answer = await server().request('POST', '/schedules', { body, as, headers });
      expect(problemIn(answer)).toMatchObject({ status: 400, errors: [{ path: 'scope' }] });
    }
    const headers = { 'x-tenant-id': 'system' };
    const as = { roles: ['admin'], tenants: [TENANT, tenantId('system')] } as const;
    const foreign = await server().request('GET', `/schedules/${made.json().id}`, { as, headers });
    expect(problemIn(foreign).code).toBe('TENANT_FORBIDDEN');
  });
});
