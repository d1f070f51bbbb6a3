import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Identity } from '../../src/domain/ports/token-verifier.ts';
import { OTHER_TENANT, problemIn, scheduleBody, startServer, type TestServer, tenantId } from './support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

let tenants = 0;

/** An admin of a tenant that nobody else uses. */
function newAdmin(): Partial<Identity> {
  tenants += 1;
  return { roles: ['admin'], tenants: [tenantId(`audited-${tenants}`)], subject: 'ada' };
}

async function trail(as: Partial<Identity>, query = ''): Promise<Record<string, unknown>[]> {
  const answer = await server.request('GET', `/audit${query}`, { as });
  expect([answer.statusCode, answer.body]).toEqual([200, expect.any(String)]);
  return answer.json().items;
}

const actions = async (as: Partial<Identity>, query = '') => (await trail(as, query)).map(({ action }) => action);

describe('GET /audit', () => {
  it('tells who changed what, when, by which request, before and after', async () => {
    const as = newAdmin();
    const id = await server.schedule({ labels: { team: 'a' } }, as);
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    const body = { labels: { team: 'b' } };
    const patched = await server.request('PATCH', `/schedules/${id}`, { as, body, headers });
    const [entry, created] = await trail(as);
    expect(entry).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      at: patched.json().updatedAt,
      subject: 'ada',
      action: 'schedule.patched',
      resource: `schedule/${id}`,
      before: { labels: { team: 'a' }, version: 1 },
      after: { labels: { team: 'b' }, version: 2 },
      traceId,
    });
    expect(created).toMatchObject({
      action: 'schedule.created',
      before: null,
      after: { name: 'Daily Report', trigger: { type: 'CRON', cron: '0 9 * * *' }, state: 'ACTIVE', version: 1 },
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    await server.request('DELETE', `/schedules/${id}`, { as });
    expect(await trail(as)).toMatchObject([
      { action: 'schedule.deleted', before: { name: 'Daily Report', version: 2 }, after: null },
      { action: 'schedule.patched' },
      { action: 'schedule.created' },
    ]);
  });

  it('says nothing of what was refused, changed nothing or was answered before', async () => {
    const as = newAdmin();
    const [body, headers] = [scheduleBody({ key: 'k' }), { 'idempotency-key': 'once' }];
    const { id } = (await server.request('POST', '/schedules', { as, body, headers })).json();
    await server.request('POST', '/schedules', { as, body, headers });
    await server.request('PUT', '/schedules/by-key/k', { as, body });
    await server.request('PATCH', `/schedules/${id}`, { as, body: { name: 'Daily Report' } });
    const refused = [
      await server.request('POST', '/schedules', { as, body }),
      await server.request('POST', `/schedules/${id}/resume`, { as, body: {} }),
      await server.request('PATCH', `/schedules/${id}`, { as, body: { name: 'x' }, headers: { 'if-match': '"7"' } }),
    ];
    expect(refused.map(({ statusCode }) => statusCode)).toEqual([409, 409, 412]);
    expect(await actions(as)).toEqual(['schedule.created']);
  });

  it('masks header values and leaves out what is long', async () => {
    const as = newAdmin();
    const http = { url: 'https://example.com/', headers: { Authorization: 'Bearer canary-one' } };
    const id = await server.schedule({ target: { kind: 'HTTP', http }, payload: 'x'.repeat(3000) }, as);
    await server.request('PATCH', `/schedules/${id}`, {
      as,
      body: { target: { http: { headers: { Authorization: 'Bearer canary-two' } } } },
    });
    const [patched, created] = await trail(as);
    expect(created).toMatchObject({
      after: { payload: '(left out: 3002 characters)', target: { http: { headers: { Authorization: '********' } } } },
    });
    const target = { kind: 'HTTP', http: { ...http, method: 'POST', headers: { Authorization: '********' } } };
    expect(patched).toMatchObject({ before: { target, version: 1 }, after: { target, version: 2 } });
    expect(JSON.stringify([patched, created])).not.toContain('canary');
  });

  it('holds runs and calendars too', async () => {
    const as = newAdmin();
    const id = await server.schedule({}, as);
    const run = (await server.request('POST', `/schedules/${id}/trigger`, { as })).json().id;
    await server.request('POST', `/runs/${run}/cancel`, { as });
    await server.request('POST', '/calendars', { as, body: { name: 'c', dates: ['2026-12-25'] } });
    await server.request('PUT', '/calendars/c', { as, body: { dates: ['2026-12-26'] } });
    await server.request('PUT', '/calendars/c', { as, body: { dates: ['2026-12-26'] } });
    await server.request('DELETE', '/calendars/c', { as });
    expect(await trail(as)).toMatchObject([
      { action: 'calendar.deleted', resource: 'calendar/c', after: null },
      { action: 'calendar.replaced', before: { dates: ['2026-12-25'] }, after: { dates: ['2026-12-26'] } },
      { action: 'calendar.created' },
      { action: 'run.cancelled', resource: `run/${run}`, before: { state: 'PENDING' }, after: { state: 'CANCELLED' } },
      { action: 'schedule.triggered', after: { run } },
      { action: 'schedule.created' },
    ]);
  });

  it('is filtered by subject, resource, action and time', async () => {
    const as = newAdmin();
    const [first, second] = [await server.schedule({}, as), await server.schedule({}, as)];
    await server.request('POST', `/schedules/${first}/pause`, { as: { ...as, subject: 'bob' } });
    await server.request('POST', '/calendars', { as, body: { name: 'c' } });
    const [, paused] = await trail(as);
    expect(await actions(as, '?subject=bob')).toEqual(['schedule.paused']);
    expect(await actions(as, '?resource=calendar')).toEqual(['calendar.created']);
    expect(await actions(as, `?resource=schedule/${first}`)).toEqual(['schedule.paused', 'schedule.created']);
    expect(await actions(as, `?resource=schedule/${second}&subject=bob`)).toEqual([]);
    expect(await actions(as, '?action=schedule.created')).toHaveLength(2);
    const at = encodeURIComponent(String(paused?.['at']));
    expect(await actions(as, `?from=${at}`)).toEqual(['calendar.created', 'schedule.paused']);
    expect(await actions(as, `?to=${at}`)).toEqual(['schedule.created', 'schedule.created']);
  });

  it('is read page by page, each entry once', async () => {
    const as = newAdmin();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await server.request('POST', '/calendars', { as, body: { name } });
    const seen: unknown[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = (await server.request('GET', `/audit?limit=2${more}`, { as })).json();
      seen.push(...page.items.map(({ resource }: { resource: string }) => resource));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(['e', 'd', 'c', 'b', 'a'].map((name) => `calendar/${name}`));
    const { nextCursor } = (await server.request('GET', '/audit?limit=2', { as })).json();
    const foreign = await server.request('GET', `/audit?limit=2&subject=ada&cursor=${nextCursor}`, { as });
    expect(problemIn(foreign)).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
  });

  it('shows a tenant only its own, an organization what is its own, and editors nothing', async () => {
    const as = newAdmin();
    await server.schedule({}, as);
    await server.schedule({ scope: 'ORGANIZATION', organizationId: 'acme' }, as);
    expect(await trail({ roles: ['admin'], tenants: [OTHER_TENANT] })).toEqual([]);
    expect(await trail({ ...as, organizationId: 'acme' })).toMatchObject([{ after: { organizationId: 'acme' } }]);
    expect(await trail({ ...as, organizationId: 'other' })).toEqual([]);
    const editor = await server.request('GET', '/audit', { as: { ...as, roles: ['editor'] } });
    expect(problemIn(editor)).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' });
  });

  it.each([
    ['resource=/x', 'resource'],
    ['resource=schedule/', 'resource'],
    ['action=paused', 'action'],
    ['from=yesterday', 'from'],
    ['subject=', 'subject'],
    ['limit=201', 'limit'],
    ['who=ada', 'who'],
  ])('refuses ?%s', async (query, path) => {
    const { code, errors } = problemIn(await server.request('GET', `/audit?${query}`, { as: { roles: ['admin'] } }));
    expect([code, errors]).toEqual(['VALIDATION_FAILED', [expect.objectContaining({ path })]]);
  });
});
