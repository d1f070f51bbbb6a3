import { describe, expect, it } from 'vitest';
import { SigningKeyService } from '../../src/domain/services/signing-key-service.ts';
import { OTHER_TENANT, problemIn, tenantId, useServer } from './support.ts';

const server = useServer();
const admin = { roles: ['admin'] } as const;
const KEY = /^whsec_[A-Za-z0-9+/]{43}=$/;

const post = (as: object = admin) => server().request('POST', '/tenant/signing-keys', { as });
const list = async (as: object = admin): Promise<{ id: string }[]> =>
  (await server().request('GET', '/tenant/signing-keys', { as })).json().items;

describe('/tenant/signing-keys', () => {
  it('shows a key once, and keeps two: the new one and the one before', async () => {
    const first = await post();
    expect([first.statusCode, first.json()]).toEqual([
      201,
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        keyId: expect.stringMatching(/^[A-Za-z0-9_-]{8}$/),
        createdAt: expect.stringMatching(/^2\d{3}-/),
        key: expect.stringMatching(KEY),
      },
    ]);
    const { key, ...told } = first.json();
    expect(await list()).toEqual([told]);
    const [second, third] = [(await post()).json(), (await post()).json()];
    expect((await list()).map(({ id }) => id)).toEqual([third.id, second.id]);
    expect(new Set([key, second.key, third.key]).size).toBe(3);
    const { body } = await server().request('GET', '/audit?resource=signing-key', { as: admin });
    expect(JSON.parse(body).items).toMatchObject([
      { action: 'signing-key.deleted', resource: `signing-key/${told.id}`, after: null },
      { action: 'signing-key.created', resource: `signing-key/${third.id}`, before: null },
      { action: 'signing-key.created' },
      { action: 'signing-key.created' },
    ]);
    expect(body).not.toContain('whsec_');
  });

  it('ends a rotation, and signing with the last key', async () => {
    const as = { ...admin, tenants: [tenantId('rotating')] };
    const [old, young] = [(await post(as)).json().id, (await post(as)).json().id];
    const remove = (id: string, by: object = as) =>
      server().request('DELETE', `/tenant/signing-keys/${id}`, { as: by });
    expect(problemIn(await remove(old, { ...admin, tenants: [OTHER_TENANT] }))).toMatchObject({ status: 404 });
    expect((await remove(old)).statusCode).toBe(204);
    expect((await list(as)).map(({ id }) => id)).toEqual([young]);
    expect(problemIn(await remove(old))).toMatchObject({ status: 404, detail: 'no such signing key' });
    expect((await remove(young)).statusCode).toBe(204);
    expect(await list(as)).toEqual([]);
  });

  it('by many at once leaves two', async () => {
    const as = { ...admin, tenants: [tenantId('at-once')] };
    const made = await Promise.all(Array.from({ length: 5 }, () => post(as)));
    expect(made.map(({ statusCode }) => statusCode)).toEqual(Array(5).fill(201));
    expect(await list(as)).toHaveLength(2);
  });

  it('belongs to the tenant, not to an organization of it, and takes no fields', async () => {
    expect(problemIn(await post({ ...admin, organizationId: 'acme' }))).toMatchObject({ code: 'PERMISSION_DENIED' });
    const given = await server().request('POST', '/tenant/signing-keys', { as: admin, body: { key: 'mine' } });
    expect(problemIn(given)).toMatchObject({ status: 400, errors: [{ path: 'key' }] });
  });
});

describe('without a key to seal with', () => {
  const unasked = () => Promise.reject(new Error('never asked'));
  const unitOfWork = { forTenant: unasked, reading: unasked, together: () => unasked };
  const never = () => 'never';
  const signingKeys = new SigningKeyService({ unitOfWork, seal: null, newId: never, newKey: never });
  const keyless = useServer({ signingKeys });

  it('none is made', async () => {
    const answer = await keyless().request('POST', '/tenant/signing-keys', { as: admin });
    expect(problemIn(answer)).toMatchObject({ status: 422, code: 'SECRETS_NOT_CONFIGURED' });
  });
});
