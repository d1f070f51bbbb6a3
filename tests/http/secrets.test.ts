import { describe, expect, it } from 'vitest';
import { SecretService } from '../../src/domain/services/secret-service.ts';
import { OTHER_TENANT, problemIn, type RequestParts, scheduleBody, useServer } from './support.ts';

const server = useServer();
const admin = { roles: ['admin'] } as const;
const VALUE = 'a-canary-of-a-value';
let made = 0;

function put(name: string, more: RequestParts = {}) {
  return server().request('PUT', `/secrets/${name}`, { as: admin, body: { value: VALUE }, ...more });
}

/** The name of a new secret. */
async function secret(): Promise<string> {
  made += 1;
  const name = `SECRET_${made}`;
  expect((await put(name)).statusCode).toBe(201);
  return name;
}

const naming = (header: string) => ({
  kind: 'HTTP',
  http: { url: 'https://example.com/', headers: { Authorization: header } },
});

describe('PUT /secrets/{name}', () => {
  it('makes a secret and never tells its value', async () => {
    const answer = await put('REPORTS_TOKEN', { body: { value: VALUE, tenantId: 'tenant-123' } });
    const { createdAt, updatedAt, ...rest } = answer.json();
    expect([answer.statusCode, answer.headers['etag'], answer.headers['location']]).toEqual([
      201,
      '"1"',
      '/secrets/REPORTS_TOKEN',
    ]);
    expect(rest).toEqual({
      name: 'REPORTS_TOKEN',
      tenantId: 'tenant-123',
      keyId: expect.stringMatching(/^[A-Za-z0-9_-]{8}$/),
      version: 1,
      createdBy: 'user-1',
      updatedBy: 'user-1',
    });
    expect(updatedAt).toBe(createdAt);
    const read = await server().request('GET', '/secrets/REPORTS_TOKEN', { as: admin });
    expect([read.headers['etag'], read.json()]).toEqual(['"1"', answer.json()]);
    const list = await server().request('GET', '/secrets', { as: admin });
    expect([answer.body, read.body, list.body].join('')).not.toContain('canary');
  });

  it('gives it a new value, a new version and another hand', async () => {
    const name = await secret();
    const again = await put(name, { as: { ...admin, subject: 'bob' }, headers: { 'if-match': '"1"' } });
    expect([again.statusCode, again.headers['etag'], again.json()]).toEqual([
      200,
      '"2"',
      expect.objectContaining({ version: 2, createdBy: 'user-1', updatedBy: 'bob' }),
    ]);
    const stale = await put(name, { headers: { 'if-match': '"1"' } });
    expect(problemIn(stale)).toMatchObject({ status: 412, detail: 'the secret is at version 2' });
    const absent = await put('NONE', { headers: { 'if-match': '"1"' } });
    expect(problemIn(absent)).toMatchObject({ status: 412, detail: 'there is no such secret' });
  });

  it('by many at once makes one', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => put('AT_ONCE')));
    expect(answers.map(({ statusCode }) => statusCode).filter((status) => status === 201)).toHaveLength(1);
    expect((await server().request('GET', '/secrets/AT_ONCE', { as: admin })).json().version).toBe(8);
  });

  it.each([
    ['short', 'must be at least 8 characters long'],
    ['x'.repeat(4097), 'must be at most 4096 characters long'],
    ['two\r\nlines: injected', /one line/],
    ['tab at the end\t', /one line/],
    [' blank in front', /one line/],
    ['a smile \u{1f600} here', /one line/],
    ['a bell \u0007 rings', /one line/],
  ])('refuses the value %j, and does not repeat it', async (value, message) => {
    const answer = await put('REFUSED', { body: { value } });
    const { code, errors } = problemIn(answer);
    const told = typeof message === 'string' ? message : expect.stringMatching(message);
    expect([code, errors]).toEqual(['VALIDATION_FAILED', [{ path: 'value', message: told }]]);
    expect(answer.body).not.toContain(value);
  });

  it.each([{ value: 12345678 }, { value: null }, {}, { value: VALUE, name: 'x' }, { value: [VALUE] }])(
    'refuses %j',
    async (body) => {
      expect(problemIn(await put('REFUSED', { body }))).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    },
  );

  it.each(['1ST', 'a%20b', 'a%2Fb', 'x'.repeat(101), '_x'])('refuses the name %s', async (name) => {
    expect(problemIn(await put(name))).toMatchObject({ status: 400, errors: [{ path: 'name' }] });
    expect((await server().request('GET', `/secrets/${name}`, { as: admin })).statusCode).toBe(404);
  });

  it('is refused for an organization, whose secrets are its tenant’s', async () => {
    const answer = await put('ORGANIZATION', { as: { ...admin, organizationId: 'acme' } });
    expect(problemIn(answer)).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' });
  });
});

describe('GET and DELETE', () => {
  it('know this tenant’s only, page by page', async () => {
    const as = { ...admin, tenants: [OTHER_TENANT] };
    for (const name of ['b', 'a', 'C', 'd']) await put(name, { as });
    const first = (await server().request('GET', '/secrets?limit=3', { as })).json();
    const second = (await server().request('GET', `/secrets?limit=3&cursor=${first.nextCursor}`, { as })).json();
    const names = [first, second].map(({ items }) => items.map(({ name }: { name: string }) => name));
    expect([names, second.nextCursor]).toEqual([[['C', 'a', 'b'], ['d']], null]);
    for (const method of ['GET', 'DELETE'] as const)
      expect(problemIn(await server().request(method, '/secrets/a', { as: admin }))).toMatchObject({
        status: 404,
        detail: 'no such secret',
      });
  });

  it('take it away when no schedule names it', async () => {
    const name = await secret();
    const id = await server().schedule({ target: naming(`Bearer {{secret:${name}}}`) });
    const remove = (headers = {}) => server().request('DELETE', `/secrets/${name}`, { as: admin, headers });
    expect(problemIn(await remove())).toMatchObject({ status: 409, detail: '1 schedule names the secret' });
    await server().request('DELETE', `/schedules/${id}`);
    expect((await remove({ 'if-match': '"2"' })).statusCode).toBe(412);
    expect((await remove()).statusCode).toBe(204);
    expect((await remove()).statusCode).toBe(404);
  });
});

describe('a header value that refers to a secret', () => {
  it('is taken and shown as it was written', async () => {
    const name = await secret();
    const headers = { Authorization: `Bearer {{secret:${name}}}`, 'X-Plain': 'a canary in words' };
    const target = { kind: 'HTTP', http: { url: 'https://example.com/', headers } };
    const created = await server().request('POST', '/schedules', { body: scheduleBody({ target }) });
    const shown = { Authorization: `Bearer {{secret:${name}}}`, 'X-Plain': '********' };
    expect([created.statusCode, created.json().target.http.headers]).toEqual([201, shown]);
    const body = { name: 'Renamed', target: { http: { headers: shown } } };
    const patched = await server().request('PATCH', `/schedules/${created.json().id}`, { body });
    expect([patched.statusCode, patched.json().target.http.headers]).toEqual([200, shown]);
  });

  it('must name one that exists, in this tenant', async () => {
    const name = await secret();
    const foreign = { tenants: [OTHER_TENANT] };
    const target = naming(`{{secret:${name}}} and {{secret:NOBODY}}`);
    const errors = [{ path: 'target.http.headers.Authorization', message: 'there is no secret "NOBODY"' }];
    const refused = await server().request('POST', '/schedules', { body: scheduleBody({ target }) });
    expect(problemIn(refused)).toMatchObject({ status: 422, code: 'UNKNOWN_SECRET', errors });
    const id = await server().schedule({ target: { kind: 'HTTP', http: { url: 'https://example.com/' } } });
    expect((await server().request('PATCH', `/schedules/${id}`, { body: { target } })).statusCode).toBe(422);
    const body = scheduleBody({ target: naming(`{{secret:${name}}}`) });
    expect((await server().request('POST', '/schedules', { body, as: foreign })).statusCode).toBe(422);
    expect((await server().request('PUT', '/schedules/by-key/k', { body, as: foreign })).statusCode).toBe(422);
  });

  it.each([
    '{{secret:}}',
    '{{secret:a b}}',
    '{{secret:1A}}',
    'Bearer {{secret:TOKEN}',
    '{{secret:{{secret:TOKEN}}}}',
    '{{secret:TOKEN}}'.repeat(11),
  ])('must be well formed: %s', async (header) => {
    const answer = await server().request('POST', '/schedules', { body: scheduleBody({ target: naming(header) }) });
    expect(problemIn(answer)).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
  });
});

describe('without a key to seal with', () => {
  const never = () => Promise.reject(new Error('never asked'));
  const unitOfWork = { forTenant: never, reading: never, together: () => never };
  const keyless = useServer({ secrets: new SecretService({ unitOfWork, seal: null }) });

  it('no value is taken', async () => {
    const answer = await keyless().request('PUT', '/secrets/A', { as: admin, body: { value: VALUE } });
    expect(problemIn(answer)).toMatchObject({
      status: 422,
      code: 'SECRETS_NOT_CONFIGURED',
      detail: expect.stringContaining('SECRETS_KEY'),
    });
  });
});
