import { describe, expect, it } from 'vitest';
import { DomainError } from '../../src/domain/errors.ts';
import { OTHER_TENANT, problemIn, scheduleBody, startServer, TENANT, tokenOf, useServer } from './support.ts';

describe('a token', () => {
  const server = useServer();

  it.each([
    ['nothing', {}],
    ['an empty header', { authorization: '' }],
    ['no token', { authorization: 'Bearer' }],
    ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
    ['two tokens', { authorization: `Bearer ${tokenOf()} ${tokenOf()}` }],
    ['characters of no token', { authorization: 'Bearer a"b' }],
    ['a cookie', { cookie: `token=${tokenOf()}` }],
    ['another header', { 'x-authorization': `Bearer ${tokenOf()}` }],
    ['a token over 8 KiB', { authorization: `Bearer ${'a'.repeat(8193)}` }],
    ['a token that is not valid', { authorization: 'Bearer abc' }],
  ])('is refused as %s', async (_what, headers) => {
    const answer = await server().request('GET', '/schedules', { as: null, headers });
    expect(problemIn(answer)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
    expect(answer.headers['www-authenticate']).toBe(
      'authorization' in headers ? 'Bearer error="invalid_token"' : 'Bearer',
    );
  });

  it('is not looked for in the query or the body', async () => {
    expect((await server().request('GET', `/schedules?access_token=${tokenOf()}`, { as: null })).statusCode).toBe(401);
    expect(
      (await server().request('POST', '/schedules', { as: null, body: { access_token: tokenOf() } })).statusCode,
    ).toBe(401);
  });

  it('is judged before the body is read', async () => {
    const answer = await server().request('POST', '/schedules', { as: null, body: '{not json' });
    expect(answer.statusCode).toBe(401);
  });

  it('is never passed on unread when it is too long', async () => {
    const seen: string[] = [];
    const verifier = {
      recall: () => null,
      verify: async (token: string) => {
        seen.push(token);
        throw new DomainError('UNAUTHENTICATED', 'no');
      },
    };
    const strict = await startServer({ verifier });
    await strict.request('GET', '/runs', { as: null, headers: { authorization: `Bearer ${'a'.repeat(8193)}` } });
    await strict.request('GET', '/runs', { as: null, headers: { authorization: 'bearer short' } });
    await strict.close();
    expect(seen).toEqual(['short']);
  });
});

describe('the tenant of a request', () => {
  const server = useServer();
  const both = { tenants: [TENANT, OTHER_TENANT] };

  it('is the one the token names', async () => {
    expect((await server().request('POST', '/schedules', { body: scheduleBody() })).json().tenantId).toBe(TENANT);
    const headers = { 'x-tenant-id': TENANT };
    expect((await server().request('POST', '/schedules', { body: scheduleBody(), headers })).json().tenantId).toBe(
      TENANT,
    );
  });

  it('is chosen by X-Tenant-Id among several', async () => {
    const headers = { 'x-tenant-id': OTHER_TENANT };
    expect(
      (await server().request('POST', '/schedules', { body: scheduleBody(), headers, as: both })).json().tenantId,
    ).toBe(OTHER_TENANT);
    expect(problemIn(await server().request('GET', '/schedules', { as: both }))).toMatchObject({
      status: 400,
      code: 'VALIDATION_FAILED',
    });
  });

  it.each([OTHER_TENANT, 'system', '', 'no tenant', `${TENANT}, ${OTHER_TENANT}`, 'a'.repeat(101)])(
    'is not %j',
    async (named) => {
      const answer = await server().request('GET', '/schedules', { headers: { 'x-tenant-id': named } });
      expect(problemIn(answer)).toMatchObject({ status: 403, code: 'TENANT_FORBIDDEN' });
    },
  );

  it('is none for a token of no tenant, and never the reserved one without the platform role', async () => {
    for (const tenants of [[], ['system']]) {
      const answer = await server().request('GET', '/schedules', { as: { tenants: tenants as never } });
      expect(problemIn(answer)).toMatchObject({ status: 403, code: 'TENANT_FORBIDDEN' });
    }
  });

  it('is any for the platform', async () => {
    const as = { roles: ['platform'] as const };
    for (const named of [OTHER_TENANT, 'system', 'brand-new']) {
      expect((await server().request('GET', '/schedules', { headers: { 'x-tenant-id': named }, as })).statusCode).toBe(
        200,
      );
    }
    expect((await server().request('GET', '/schedules', { headers: { 'x-tenant-id': '../x' }, as })).statusCode).toBe(
      403,
    );
  });

  it('must be the tenantId of query and body, in every operation', async () => {
    const id = await server().schedule();
    const foreign = [
      await server().request('POST', '/schedules', { body: scheduleBody({ tenantId: OTHER_TENANT }) }),
      await server().request('GET', `/schedules?tenantId=${OTHER_TENANT}`),
      await server().request('PATCH', `/schedules/${id}`, { body: { tenantId: OTHER_TENANT } }),
      await server().request('PUT', `/schedules/${id}`, { body: scheduleBody({ tenantId: OTHER_TENANT }) }),
      await server().request('POST', `/schedules/${id}/pause`, { body: { tenantId: OTHER_TENANT } }),
      await server().request('POST', '/schedules/preview', { body: { tenantId: OTHER_TENANT } }),
      await server().request('DELETE', `/schedules/${id}?tenantId=${OTHER_TENANT}`),
      await server().request('GET', `/runs?tenantId=${OTHER_TENANT}`),
    ];
    for (const answer of foreign) expect(problemIn(answer)).toMatchObject({ status: 403, code: 'TENANT_FORBIDDEN' });
    const own = [
      await server().request('PATCH', `/schedules/${id}?tenantId=${TENANT}`, { body: { tenantId: TENANT } }),
      await server().request('POST', `/schedules/${id}/pause`, { body: { tenantId: TENANT } }),
      await server().request('GET', `/runs?tenantId=${TENANT}`),
    ];
    expect(own.map((answer) => answer.statusCode)).toEqual([200, 200, 200]);
    expect((await server().request('PATCH', `/schedules/${id}`, { body: { tenantId: 5 } })).statusCode).toBe(400);
  });
});
