import { createSign, generateKeyPairSync } from 'node:crypto';
import { base64url, CompactSign, exportJWK, importJWK, type JWK, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import type { TokenVerifier } from '../../../src/domain/ports/token-verifier.ts';
import { createLocalTokenVerifier, type TokenRules } from '../../../src/infra/security/token-verifier.ts';
import { startReceiver } from '../senders/receiver.ts';
import { aSigner, aToken, es256, NOW, nowSec, refusal, rs256 } from './tokens.ts';

const ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const;

function local(rules: TokenRules = {}, keys: JWK[] = [es256.jwk, rs256.jwk]): TokenVerifier {
  return createLocalTokenVerifier({ jwks: { keys }, now: () => NOW, ...rules });
}

describe('a good token', () => {
  test('says who it speaks for', async () => {
    const token = await aToken({
      claims: { tenants: ['tenant-9', 'tenant-123'], organization_id: 'org-1', roles: ['editor', 'owner', 'viewer'] },
    });
    expect(await local().verify(token)).toEqual({
      subject: 'alice',
      tenants: ['tenant-123', 'tenant-9'],
      roles: ['editor', 'viewer'],
      organizationId: 'org-1',
    });
  });

  test.each(ALGORITHMS)('may be signed with %s', async (alg) => {
    const signer = await aSigner(alg);
    const token = await aToken({ header: { alg, kid: signer.kid }, key: signer.keys.privateKey });
    expect((await local({}, [es256.jwk, signer.jwk]).verify(token)).subject).toBe('alice');
  });

  test.each([
    [{ tenant_id: 'a' }, ['a']],
    [{ tenant_id: ['a', 'b'] }, ['a', 'b']],
    [{ tenant_id: undefined, tenants: ['a', 7, 'not a tenant', '', null] }, ['a']],
    [{ tenant_id: undefined, tenants: 'b' }, ['b']],
    [{ tenant_id: { a: 1 } }, []],
    [{ tenant_id: undefined }, []],
  ])('with the claims %j speaks for the tenants %j', async (claims, tenants) => {
    expect((await local().verify(await aToken({ claims }))).tenants).toEqual(tenants);
  });

  test.each([
    ['viewer operator', ['viewer', 'operator']],
    [
      ['platform', 'root', 'admin', 'admin'],
      ['platform', 'admin'],
    ],
    [['constructor', '__proto__', 'toString'], []],
    [{ admin: true }, []],
    [undefined, []],
  ])('with the roles %j has %j', async (roles, expected) => {
    expect((await local().verify(await aToken({ claims: { roles } }))).roles).toEqual(expected);
  });

  test('may bear its claims under other names, whole or reached into', async () => {
    const claims = {
      tenant: 'https://example.com/tenant',
      tenants: 'none',
      roles: 'realm_access.roles',
      organization: 'org',
    };
    const token = await aToken({
      claims: { 'https://example.com/tenant': 'a', realm_access: { roles: ['admin'] }, org: 'o' },
    });
    expect(await local({ claims }).verify(token)).toEqual({
      subject: 'alice',
      tenants: ['a'],
      roles: ['admin'],
      organizationId: 'o',
    });
  });

  test('may be thirty seconds off at either end', async () => {
    for (const claims of [{ exp: nowSec - 29 }, { nbf: nowSec + 29 }, { iat: nowSec + 29 }]) {
      expect((await local().verify(await aToken({ claims }))).subject).toBe('alice');
    }
  });

  test('is for the issuer and audience that are configured', async () => {
    const verifier = local({ issuer: 'https://issuer', audience: 'scheduler' });
    expect(
      (await verifier.verify(await aToken({ claims: { iss: 'https://issuer', aud: ['x', 'scheduler'] } }))).subject,
    ).toBe('alice');
    await expect(verifier.verify(await aToken({ claims: { iss: 'https://other', aud: 'scheduler' } }))).rejects.toEqual(
      refusal,
    );
    await expect(verifier.verify(await aToken({ claims: { iss: 'https://issuer', aud: 'other' } }))).rejects.toEqual(
      refusal,
    );
    await expect(verifier.verify(await aToken())).rejects.toEqual(refusal);
  });

  test('is checked once, until it expires', async () => {
    let now = NOW;
    const verifier = local({ now: () => now });
    const token = await aToken();
    expect(await verifier.verify(token)).toBe(await verifier.verify(token));
    now = NOW + 600_000 + 30_000;
    await expect(verifier.verify(token)).rejects.toThrow('the token has expired');
  });
});

describe('is refused', () => {
  test.each([
    ['an expired token', { exp: nowSec - 31 }],
    ['a token without an end', { exp: undefined }],
    ['a token from the future', { iat: nowSec + 31 }],
    ['a token that is not valid yet', { nbf: nowSec + 31 }],
    ['a token without a subject', { sub: undefined }],
    ['a subject with control characters', { sub: 'a\u0000b' }],
    ['an organization that cannot be read', { organization_id: 7 }],
    ['an empty organization', { organization_id: '' }],
  ] satisfies [string, object][])('%s', async (_what, claims) => {
    await expect(local().verify(await aToken({ claims }))).rejects.toEqual(refusal);
  });

  test.each([
    '',
    '.',
    '..',
    'a.b.c',
    'null',
    '{}',
    'e30.e30.',
    `${base64url.encode('null')}.e30.AA`,
    `${base64url.encode('[]')}.e30.AA`,
    '\u0000',
  ])('the text %j', async (text) => {
    await expect(local().verify(text)).rejects.toEqual(refusal);
  });

  test.each([
    '{"sub":"alice","exp":"tomorrow"}',
    '{"sub":"alice","exp":null}',
    '{"sub":"alice","exp":1e999}',
    '[]',
    'null',
    '"alice"',
    'words',
    '',
  ])('the signed claims %s', async (claims) => {
    const header = { alg: 'ES256', kid: es256.kid };
    const token = await new CompactSign(new TextEncoder().encode(claims))
      .setProtectedHeader(header)
      .sign(es256.keys.privateKey);
    await expect(local().verify(token)).rejects.toEqual(refusal);
  });

  test('a token without a signature, in every spelling of none', async () => {
    const unsecured = new UnsecuredJWT({ sub: 'alice', exp: nowSec + 600 }).encode();
    const [, payload] = unsecured.split('.');
    const spellings = ['none', 'None', 'NONE', 'nOnE', ''].map(
      (alg) => `${base64url.encode(JSON.stringify({ alg, kid: es256.kid }))}.${payload}.`,
    );
    for (const token of [unsecured, ...spellings]) await expect(local().verify(token)).rejects.toEqual(refusal);
  });

  test('an HMAC made with a public key as its secret', async () => {
    const spki = rs256.keys.publicKey;
    const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' });
    const secrets = [
      JSON.stringify(rs256.jwk),
      String(rs256.jwk.n),
      pem.toString(),
      JSON.stringify(await exportJWK(spki)),
    ];
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      for (const secret of secrets) {
        const token = await aToken({
          header: { alg, kid: rs256.kid },
          key: new TextEncoder().encode(secret.padEnd(64, ' ')),
        });
        await expect(local().verify(token)).rejects.toEqual(refusal);
      }
    }
  });

  test('a header that disagrees with its key', async () => {
    const sameKey = await importJWK({ ...(await exportJWK(rs256.keys.privateKey)), alg: 'PS256' });
    await expect(
      local().verify(await aToken({ header: { alg: 'PS256', kid: rs256.kid }, key: sameKey })),
    ).rejects.toEqual(refusal);
    const [, ...rest] = (await aToken()).split('.');
    for (const alg of ['EdDSA', 'RS256', 'ES384', 'ES256K']) {
      const header = base64url.encode(JSON.stringify({ alg, kid: es256.kid }));
      await expect(local().verify([header, ...rest].join('.'))).rejects.toEqual(refusal);
    }
  });

  test('another key under a known id, and a changed claim', async () => {
    const stranger = await aSigner('ES256');
    await expect(local().verify(await aToken({ key: stranger.keys.privateKey }))).rejects.toEqual(refusal);
    const [header, , signature] = (await aToken()).split('.');
    const claims = base64url.encode(
      JSON.stringify({ sub: 'mallory', tenant_id: 'tenant-9', roles: ['platform'], exp: nowSec + 600 }),
    );
    await expect(local().verify(`${header}.${claims}.${signature}`)).rejects.toEqual(refusal);
  });

  test('a token over 8 KiB, unread', async () => {
    const token = await aToken({ claims: { filler: 'x'.repeat(9 * 1024) } });
    await expect(local().verify(token)).rejects.toThrow('the token is longer than 8 KiB');
  });

  test('a shared secret in the key set, and an RSA key that is too short', async () => {
    const secret = {
      kty: 'oct',
      k: base64url.encode('a secret that is long enough, really'),
      kid: 'oct',
      alg: 'HS256',
    };
    const token = await aToken({
      header: { alg: 'HS256', kid: 'oct' },
      key: new TextEncoder().encode('a secret that is long enough, really'),
    });
    await expect(local({}, [secret]).verify(token)).rejects.toEqual(refusal);
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const short = { ...publicKey.export({ format: 'jwk' }), kid: 'short', alg: 'RS256' };
    const content = `${base64url.encode(JSON.stringify({ alg: 'RS256', kid: 'short' }))}.${base64url.encode(JSON.stringify({ sub: 'alice', exp: nowSec + 600 }))}`;
    const signature = createSign('sha256').update(content).sign(privateKey).toString('base64url');
    await expect(local({}, [short]).verify(`${content}.${signature}`)).rejects.toEqual(refusal);
  });
});

describe('a token that brings its own key or rules', () => {
  test('is refused, and no request leaves because of it', async () => {
    await using bait = await startReceiver((response) => response.end(JSON.stringify({ keys: [stranger.jwk] })));
    const stranger = await aSigner('ES256');
    const verifier = local();
    const headers = [
      { jwk: stranger.jwk },
      { jku: bait.url },
      { x5u: bait.url },
      { x5c: ['AAAA'] },
      { jku: bait.url, kid: 'unknown' },
    ];
    for (const header of headers) {
      for (const key of [stranger.keys.privateKey, es256.keys.privateKey]) {
        await expect(verifier.verify(await aToken({ header, key }))).rejects.toEqual(refusal);
      }
    }
    const critical = (members: object): string =>
      `${base64url.encode(JSON.stringify({ alg: 'ES256', kid: es256.kid, ...members }))}.e30.AA`;
    for (const members of [
      { crit: ['x'], x: 1 },
      { crit: [] },
      { crit: ['b64'], b64: false },
      { b64: false },
      { zip: 'DEF' },
    ]) {
      await expect(verifier.verify(critical(members))).rejects.toEqual(refusal);
    }
    expect(bait.received).toEqual([]);
  });
});
