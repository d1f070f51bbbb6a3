import { describe, expect, it } from 'vitest';
import type { Identity } from '../../src/domain/ports/token-verifier.ts';
import { problemIn, scheduleBody, tenantId, useServer } from './support.ts';

const PLATFORM: Partial<Identity> = { roles: ['platform'], tenants: [] };
const RETRY = {
  maxAttempts: 8,
  initialDelaySec: 5,
  backoffCoefficient: 3,
  maxDelaySec: 3600,
  jitter: 1,
  maxAgeSec: 86_400,
};
const QUOTAS = {
  schedules: null,
  firesPerMinute: null,
  concurrentDeliveries: null,
  payloadBytes: 262_144,
  minIntervalSec: null,
  requestsPerSec: null,
  requestBurst: null,
};

const server = useServer();
let made = 0;

/** Somebody of a new tenant. */
function somebody(of: Partial<Identity> = { roles: ['admin'] }): Partial<Identity> & { readonly id: string } {
  made += 1;
  const id = `tenant-of-its-own-${made}`;
  return { ...of, tenants: [tenantId(id)], id };
}

/** Somebody of a new tenant with these fields. */
async function created(fields: Readonly<Record<string, unknown>>): Promise<ReturnType<typeof somebody>> {
  const as = somebody();
  const answer = await server().request('POST', '/tenants', { body: { id: as.id, ...fields }, as: PLATFORM });
  expect([answer.statusCode, answer.body]).toEqual([201, expect.any(String)]);
  return as;
}

describe('/tenant', () => {
  it('shows what holds for a tenant that nobody has said anything of', async () => {
    const as = somebody();
    const answer = await server().request('GET', '/tenant', { as });
    expect([answer.statusCode, answer.headers['etag']]).toEqual([200, '"1"']);
    expect(answer.json()).toEqual({
      id: as.id,
      name: null,
      state: 'ACTIVE',
      suspension: null,
      defaults: { tz: 'UTC', retry: RETRY, retentionDays: 30 },
      quotas: QUOTAS,
      version: 1,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
  });

  it('takes name and defaults as a merge patch; null is the service’s again; no change makes no new version', async () => {
    const as = somebody();
    const patch = (body: unknown, headers = {}) => server().request('PATCH', '/tenant', { body, as, headers });
    const named = await patch({ name: 'Acme', defaults: { tz: 'Europe/Berlin', retry: { maxAttempts: 3 } } });
    expect([named.statusCode, named.headers['etag'], named.json()]).toMatchObject([
      200,
      '"2"',
      { name: 'Acme', defaults: { tz: 'Europe/Berlin', retry: { ...RETRY, maxAttempts: 3 } } },
    ]);
    expect((await patch({ name: 'Acme', tenantId: as.id })).json().version).toBe(2);
    const reset = await patch({ defaults: { tz: null, retry: { maxAgeSec: 60 } } }, { 'if-match': '"2"' });
    expect(reset.json()).toMatchObject({
      defaults: { tz: 'UTC', retry: { ...RETRY, maxAttempts: 3, maxAgeSec: 60 } },
      version: 3,
    });
    expect(problemIn(await patch({ name: 'late' }, { 'if-match': '"2"' })).code).toBe('PRECONDITION_FAILED');
    expect((await patch({ name: null, defaults: null })).json()).toMatchObject({
      name: null,
      defaults: { retry: RETRY },
    });
  });

  it.each<[unknown, string]>([
    [{ name: '' }, 'name'],
    [{ name: 'a\nb' }, 'name'],
    [{ name: 5 }, 'name'],
    [{ defaults: { tz: 'Berlin' } }, 'defaults.tz'],
    [{ defaults: { tz: 5 } }, 'defaults.tz'],
    [{ defaults: { retry: { maxAttempts: 0 } } }, 'defaults.retry.maxAttempts'],
    [{ defaults: { retry: { jitter: 'x' } } }, 'defaults.retry.jitter'],
    [{ defaults: { retry: { initialDelaySec: 4000 } } }, 'defaults.retry.maxDelaySec'],
    [{ defaults: { retentionDays: 31 } }, 'defaults.retentionDays'],
    [{ defaults: { retentionDays: 0 } }, 'defaults.retentionDays'],
    [{ defaults: { retry: { often: 1 } } }, 'defaults.retry.often'],
    [{ defaults: { color: 'red' } }, 'defaults.color'],
    [{ defaults: [] }, 'defaults'],
    [{ quotas: { schedules: 1_000_000 } }, 'quotas'],
    [{ state: 'SUSPENDED' }, 'state'],
    [{ toString: 1 }, 'toString'],
  ])('refuses %j', async (body, path) => {
    const answer = await server().request('PATCH', '/tenant', { body, as: somebody() });
    const { code, errors } = problemIn(answer);
    expect([code, errors]).toEqual(['VALIDATION_FAILED', [expect.objectContaining({ path })]]);
  });

  it('is not changed by a token of an organization, nor by an editor', async () => {
    const body = { name: 'mine' };
    for (const as of [somebody({ roles: ['admin'], organizationId: 'org-1' }), somebody({ roles: ['editor'] })])
      expect(problemIn(await server().request('PATCH', '/tenant', { body, as })).code).toBe('PERMISSION_DENIED');
  });
});

describe('/tenants', () => {
  it('makes, reads and changes a tenant; one that exists is not made again', async () => {
    const { id } = somebody();
    const body = { id, name: 'Acme', defaults: { tz: 'europe/berlin' }, quotas: { schedules: 10 } };
    const answer = await server().request('POST', '/tenants', { body, as: PLATFORM });
    expect([answer.statusCode, answer.headers['location'], answer.headers['etag']]).toEqual([
      201,
      `/tenants/${id}`,
      '"1"',
    ]);
    const shown = { name: 'Acme', defaults: { tz: 'Europe/Berlin' }, quotas: { ...QUOTAS, schedules: 10 } };
    expect(answer.json()).toMatchObject(shown);
    const read = await server().request('GET', `/tenants/${id}`, { as: PLATFORM });
    expect([read.json(), read.headers['etag']]).toEqual([answer.json(), '"1"']);
    const again = await server().request('POST', '/tenants', { body, as: PLATFORM });
    expect(problemIn(again)).toMatchObject({ status: 409, code: 'ALREADY_EXISTS' });
    const patch = { quotas: { schedules: null, minIntervalSec: 60 } };
    const patched = await server().request('PATCH', `/tenants/${id}`, { body: patch, as: PLATFORM });
    expect(patched.json()).toMatchObject({ name: 'Acme', quotas: { ...QUOTAS, minIntervalSec: 60 }, version: 2 });
    const headers = { 'if-match': '"1"' };
    const stale = await server().request('PATCH', `/tenants/${id}`, { body: patch, as: PLATFORM, headers });
    expect(problemIn(stale)).toMatchObject({ status: 412, code: 'PRECONDITION_FAILED' });
  });

  it('lists by id, page by page, those that changed something and not those that only looked', async () => {
    const [busy, idle] = [somebody({ roles: ['editor'] }), somebody({ roles: ['viewer'] })];
    await server().schedule({}, busy);
    await server().request('GET', '/schedules', { as: idle });
    const ids: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const after = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = await server().request('GET', `/tenants?limit=3${after}`, { as: PLATFORM });
      expect(page.statusCode).toBe(200);
      ids.push(...page.json().items.map((item: { id: string }) => item.id));
      cursor = page.json().nextCursor;
    }
    expect(ids).toEqual([...new Set(ids)].toSorted());
    expect([ids.includes(busy.id), ids.includes(idle.id)]).toEqual([true, false]);
    expect(problemIn(await server().request('GET', '/tenants?cursor=x', { as: PLATFORM })).code).toBe(
      'VALIDATION_FAILED',
    );
  });

  it.each<[Record<string, unknown>, string]>([
    [{ id: '' }, 'id'],
    [{ id: 'a b' }, 'id'],
    [{ id: '-a' }, 'id'],
    [{ id: 'x'.repeat(101) }, 'id'],
    [{ id: undefined }, 'id'],
    [{ quotas: { schedules: -1 } }, 'quotas.schedules'],
    [{ quotas: { schedules: 1.5 } }, 'quotas.schedules'],
    [{ quotas: { schedules: 2 ** 31 } }, 'quotas.schedules'],
    [{ quotas: { payloadBytes: 2_000_000 } }, 'quotas.payloadBytes'],
    [{ quotas: { minIntervalSec: 0 } }, 'quotas.minIntervalSec'],
    [{ quotas: { firesPerMinute: -1 } }, 'quotas.firesPerMinute'],
    [{ quotas: { concurrentDeliveries: 0 } }, 'quotas.concurrentDeliveries'],
    [{ quotas: { requestsPerSec: 0 } }, 'quotas.requestsPerSec'],
    [{ quotas: { requestBurst: 0.5 } }, 'quotas.requestBurst'],
    [{ quotas: { disk: 5 } }, 'quotas.disk'],
    [{ version: 1 }, 'version'],
  ])('refuses %j', async (fields, path) => {
    const answer = await server().request('POST', '/tenants', { body: { id: 'refused', ...fields }, as: PLATFORM });
    const { code, errors } = problemIn(answer);
    expect([code, errors]).toEqual(['VALIDATION_FAILED', [expect.objectContaining({ path })]]);
  });

  it('does not find what does not exist, nor what cannot be an id, and answers both alike', async () => {
    for (const method of ['GET', 'PATCH'] as const) {
      const more = { as: PLATFORM, ...(method === 'PATCH' && { body: { name: 'x' } }) };
      const [absent, impossible] = [
        await server().request(method, '/tenants/nobody-at-all', more),
        await server().request(method, '/tenants/a%20b', more),
      ];
      expect([problemIn(absent), problemIn(impossible)]).toEqual(
        Array(2).fill({ status: 404, code: 'NOT_FOUND', detail: 'no such tenant' }),
      );
    }
  });
});

describe('the platform', () => {
  it('acts in any tenant that it names, and in `system` where its token names none', async () => {
    const as = somebody();
    const headers = { 'x-tenant-id': as.id };
    const inTenant = await server().request('POST', '/schedules', { body: scheduleBody(), as: PLATFORM, headers });
    expect(inTenant.json()).toMatchObject({ tenantId: as.id, scope: 'TENANT' });
    const own = await server().request('POST', '/schedules', { body: scheduleBody(), as: PLATFORM });
    expect(own.json()).toMatchObject({ tenantId: 'system', scope: 'SYSTEM' });
    const foreign = await server().request('GET', `/schedules/${own.json().id}`, { as });
    expect(problemIn(foreign).code).toBe('NOT_FOUND');
  });

  it('alone: `system` is nobody’s tenant, whatever a token says', async () => {
    for (const roles of [['viewer'], ['admin']] as const) {
      const as = { roles, tenants: [tenantId('system')] };
      expect(problemIn(await server().request('GET', '/schedules', { as })).code).toBe('TENANT_FORBIDDEN');
    }
  });
});

describe('defaults', () => {
  it('fill in what a create, a replace and a preview leave out, and nothing else', async () => {
    const as = await created({ defaults: { tz: 'Asia/Tokyo', retry: { maxAttempts: 2, maxAgeSec: 600 } } });
    const { tz: _tz, ...without } = scheduleBody();
    const post = (body: unknown) => server().request('POST', '/schedules', { body, as });
    const first = (await post(without)).json();
    expect([first.tz, first.retry]).toEqual(['Asia/Tokyo', { ...RETRY, maxAttempts: 2, maxAgeSec: 600 }]);
    const said = (await post({ ...without, tz: 'UTC', retry: { maxAttempts: 9 } })).json();
    expect([said.tz, said.retry]).toEqual(['UTC', { ...RETRY, maxAttempts: 9, maxAgeSec: 600 }]);
    const put = await server().request('PUT', `/schedules/${said.id}`, { body: without, as });
    expect(put.json().tz).toBe('Asia/Tokyo');
    const trigger = { type: 'CRON', cron: '0 9 * * *' };
    const preview = await server().request('POST', '/schedules/preview', { body: { trigger, count: 1 }, as });
    expect(preview.json().slots[0].local).toMatch(/T09:00:00\+09:00$/);
  });

  it('are taken when a patch resets a field, and change no schedule by themselves', async () => {
    const as = somebody();
    const id = await server().schedule({ tz: 'Europe/Paris' }, as);
    await server().request('PATCH', '/tenant', { body: { defaults: { tz: 'Asia/Tokyo' } }, as });
    expect((await server().request('GET', `/schedules/${id}`, { as })).json().tz).toBe('Europe/Paris');
    const patched = await server().request('PATCH', `/schedules/${id}`, { body: { tz: null }, as });
    expect(patched.json().tz).toBe('Asia/Tokyo');
  });
});

describe('quotas', () => {
  it('bound the living schedules; a deleted one makes room', async () => {
    const as = await created({ quotas: { schedules: 2 } });
    const post = (key: string) => server().request('PUT', `/schedules/by-key/${key}`, { body: scheduleBody(), as });
    const [first] = [await post('a'), await post('b')];
    expect(problemIn(await post('c'))).toMatchObject({ status: 403, code: 'QUOTA_EXCEEDED' });
    expect((await post('a')).statusCode).toBe(200);
    await server().request('DELETE', `/schedules/${first.json().id}`, { as });
    expect((await post('c')).statusCode).toBe(201);
  });

  it('bound a bulk too, item by item', async () => {
    const as = await created({ quotas: { schedules: 2, minIntervalSec: 60 } });
    const often = scheduleBody({ trigger: { type: 'INTERVAL', every: '1s' } });
    const schedules = [scheduleBody({ key: 'a' }), often, scheduleBody({ key: 'b' }), scheduleBody({ key: 'c' })];
    const items = schedules.map((schedule) => ({ op: 'CREATE', schedule }));
    const answer = await server().request('POST', '/schedules/bulk', { body: { items }, as });
    expect(answer.json().items.map((item: { status: number }) => item.status)).toEqual([201, 403, 201, 403]);
    expect((await server().request('GET', '/schedules', { as })).json().items).toHaveLength(2);
  });

  it('bound payloads and bodies, of schedules and of manual runs', async () => {
    const as = await created({ quotas: { payloadBytes: 10 } });
    const http = { url: 'https://example.com/', body: 'x'.repeat(9) };
    for (const fields of [{ payload: 'x'.repeat(9) }, { target: { kind: 'HTTP', http } }, { payload: '€€€€' }]) {
      const answer = await server().request('POST', '/schedules', { body: scheduleBody(fields), as });
      expect(problemIn(answer)).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' });
    }
    const id = await server().schedule({ payload: 'x'.repeat(8) }, as);
    const run = (payload: string) => server().request('POST', `/schedules/${id}/trigger`, { body: { payload }, as });
    expect([(await run('x'.repeat(8))).statusCode, (await run('x'.repeat(9))).statusCode]).toEqual([202, 413]);
    const patch = await server().request('PATCH', `/schedules/${id}`, { body: { payload: 'x'.repeat(9) }, as });
    expect(patch.statusCode).toBe(413);
  });

  it('may let a tenant send more than others', async () => {
    const as = await created({ quotas: { payloadBytes: 600_000 } });
    const body = scheduleBody({ payload: 'x'.repeat(500_000) });
    expect((await server().request('POST', '/schedules', { body, as })).statusCode).toBe(201);
    expect((await server().request('POST', '/schedules', { body, as: somebody() })).statusCode).toBe(413);
  });

  it.each([
    [{ type: 'CRON', cron: '* * * * *' }, false],
    [{ type: 'CRON', cron: '0,1 0 1 * *' }, false],
    [{ type: 'CRON', cron: '*/5 * * * *' }, true],
    [{ type: 'INTERVAL', every: '299s' }, false],
    [{ type: 'INTERVAL', every: 'PT5M' }, true],
    [{ type: 'RRULE', rrule: 'FREQ=DAILY;BYHOUR=9;BYMINUTE=0,4' }, false],
    [{ type: 'FIXED_DELAY', delaySec: 299 }, false],
    [{ type: 'FIXED_DELAY', delaySec: 300 }, true],
    [{ type: 'ONE_SHOT', startAt: '2099-01-01T00:00:00Z' }, true],
  ])('bound how often %j may fire', async (trigger, isAllowed) => {
    const as = await created({ quotas: { minIntervalSec: 300 } });
    const answer = await server().request('POST', '/schedules', { body: scheduleBody({ trigger }), as });
    if (isAllowed) expect(answer.statusCode).toBe(201);
    else
      expect(problemIn(answer)).toMatchObject({
        status: 403,
        code: 'QUOTA_EXCEEDED',
        errors: [{ path: 'trigger', message: 'must not have slots less than 300 s apart' }],
      });
  });

  it('leave alone what existed before them, until its trigger changes', async () => {
    const as = somebody();
    const id = await server().schedule({ trigger: { type: 'INTERVAL', every: '1m' } }, as);
    const quotas = { minIntervalSec: 300, schedules: 0 };
    await server().request('PATCH', `/tenants/${as.id}`, { body: { quotas }, as: PLATFORM });
    const patch = (body: unknown) => server().request('PATCH', `/schedules/${id}`, { body, as });
    expect((await patch({ name: 'still here' })).statusCode).toBe(200);
    expect((await patch({ trigger: { every: '2m' } })).statusCode).toBe(403);
    expect((await patch({ trigger: { every: '5m' } })).statusCode).toBe(200);
  });
});

describe('a suspended tenant', () => {
  const act = (id: string, action: string, body: unknown = {}, headers = {}) =>
    server().request('POST', `/tenants/${id}/${action}`, { body, as: PLATFORM, headers });

  /** Somebody of a tenant with a schedule, suspended. */
  async function suspended(): Promise<ReturnType<typeof somebody> & { readonly schedule: string }> {
    const as = somebody();
    const schedule = await server().schedule({}, as);
    const answer = await act(as.id, 'suspend', { note: 'invoice overdue' });
    expect([answer.statusCode, answer.headers['etag'], answer.json()]).toMatchObject([
      200,
      '"2"',
      { state: 'SUSPENDED', suspension: { note: 'invoice overdue', by: 'user-1' } },
    ]);
    return { ...as, schedule };
  }

  it('reads, ends and holds things, and takes nothing new, from whomever', async () => {
    const { schedule, ...as } = await suspended();
    const headers = { 'x-tenant-id': as.id };
    const run = { from: '2026-03-01T00:00:00Z', to: '2026-03-03T00:00:00Z' };
    const refused = [
      ['POST', '/schedules', scheduleBody()],
      ['PUT', '/schedules/by-key/k', scheduleBody()],
      ['PUT', `/schedules/${schedule}`, scheduleBody()],
      ['PATCH', `/schedules/${schedule}`, { name: 'x' }],
      ['POST', `/schedules/${schedule}/trigger`, {}],
      ['POST', `/schedules/${schedule}/resume`, {}],
      ['POST', `/schedules/${schedule}/backfills`, run],
      ['POST', '/calendars', { name: 'c' }],
    ] as const;
    for (const [method, url, body] of refused) {
      for (const who of [{ as }, { as: PLATFORM, headers }]) {
        const answer = await server().request(method, url, { body, ...who });
        expect([url, problemIn(answer)]).toMatchObject([url, { status: 403, code: 'TENANT_SUSPENDED' }]);
      }
    }
    const allowed = [
      ['GET', `/schedules/${schedule}`],
      ['GET', '/runs'],
      ['GET', '/tenant'],
      ['POST', `/schedules/${schedule}/skip-next`],
      ['POST', `/schedules/${schedule}/pause`],
      ['DELETE', `/schedules/${schedule}`],
    ] as const;
    for (const [method, url] of allowed) {
      const { statusCode } = await server().request(method, url, { as });
      expect([url, statusCode < 300]).toEqual([url, true]);
    }
    const preview = { trigger: { type: 'CRON', cron: '* * * * *' } };
    expect((await server().request('POST', '/schedules/preview', { body: preview, as })).statusCode).toBe(200);
  });

  it('goes on once the platform says so; what does not fit its state is a conflict', async () => {
    const as = await suspended();
    expect(problemIn(await act(as.id, 'suspend')).code).toBe('CONFLICT');
    expect(problemIn(await act(as.id, 'resume', {}, { 'if-match': '"1"' })).code).toBe('PRECONDITION_FAILED');
    const resumed = await act(as.id, 'resume', { missed: 'FIRE_ALL' }, { 'if-match': '"2"' });
    expect(resumed.json()).toMatchObject({ state: 'ACTIVE', suspension: null, version: 3 });
    expect(problemIn(await act(as.id, 'resume')).code).toBe('CONFLICT');
    expect((await server().request('POST', '/schedules', { body: scheduleBody(), as })).statusCode).toBe(201);
  });

  it.each([
    ['suspend', { note: 'a\nb' }, 'note'],
    ['suspend', { note: 'x'.repeat(1001) }, 'note'],
    ['suspend', { until: 'tomorrow' }, 'until'],
    ['resume', { missed: 'SOME' }, 'missed'],
  ])('is not made by %s %j', async (action, body, path) => {
    const { code, errors } = problemIn(await act(somebody().id, action, body));
    expect([code, errors]).toEqual(['VALIDATION_FAILED', [expect.objectContaining({ path })]]);
  });

  it('is never `system`, and none that does not exist', async () => {
    await server().request('POST', '/schedules', { body: scheduleBody(), as: PLATFORM });
    expect(problemIn(await act('system', 'suspend')).code).toBe('CONFLICT');
    expect(problemIn(await server().request('DELETE', '/tenants/system', { as: PLATFORM })).code).toBe('CONFLICT');
    for (const id of ['nobody-at-all', 'a%20b']) {
      expect(problemIn(await act(id, 'suspend')).code).toBe('NOT_FOUND');
      expect(problemIn(await server().request('DELETE', `/tenants/${id}`, { as: PLATFORM })).code).toBe('NOT_FOUND');
    }
  });
});

describe('a tenant that is being deleted', () => {
  it('may read what is still there and change nothing; the system’s trail keeps who deleted it', async () => {
    const as = somebody();
    const schedule = await server().schedule({}, as);
    const answer = await server().request('DELETE', `/tenants/${as.id}`, { as: PLATFORM });
    expect([answer.statusCode, answer.json().state]).toEqual([202, 'DELETING']);
    const again = await server().request('DELETE', `/tenants/${as.id}`, { as: PLATFORM });
    expect([again.statusCode, again.json().version]).toEqual([202, answer.json().version]);
    for (const [method, url] of [
      ['DELETE', `/schedules/${schedule}`],
      ['PATCH', '/tenant'],
    ] as const) {
      const refused = await server().request(method, url, { as, ...(method === 'PATCH' && { body: { name: 'x' } }) });
      expect(problemIn(refused)).toMatchObject({ code: 'TENANT_SUSPENDED', detail: 'the tenant is being deleted' });
    }
    expect((await server().request('GET', `/schedules/${schedule}`, { as })).statusCode).toBe(200);
    const patch = await server().request('PATCH', `/tenants/${as.id}`, { body: { name: 'x' }, as: PLATFORM });
    expect(problemIn(patch).code).toBe('CONFLICT');
    const { items } = (await server().request('GET', `/audit?resource=tenant/${as.id}`, { as: PLATFORM })).json();
    expect(items).toEqual([expect.objectContaining({ action: 'tenant.deletion_began', subject: 'user-1' })]);
  });
});
