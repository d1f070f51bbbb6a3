import { base64url, CompactEncrypt, CompactSign, type JWK, type JWSHeaderParameters } from 'jose';
import { describe, expect, test } from 'vitest';
import type { TokenVerifier } from '../../../src/domain/ports/token-verifier.ts';
import { createLocalTokenVerifier, type TokenRules } from '../../../src/infra/security/token-verifier.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';
import { aSigner, aToken, es256, NOW, nowSec, refusal, rs256 } from './tokens.ts';

function local(rules: TokenRules = {}, keys: JWK[] = [es256.jwk, rs256.jwk]): TokenVerifier {
  return createLocalTokenVerifier({ jwks: { keys }, now: () => NOW, ...rules });
}

async function signed(claims: string, header: JWSHeaderParameters = { kid: es256.kid }): Promise<string> {
  return new CompactSign(new TextEncoder().encode(claims))
    .setProtectedHeader({ alg: 'ES256', ...header })
    .sign(es256.keys.privateKey);
}

describe('a forged token is refused', () => {
  test.each(['../../dev/null', "' OR 1=1--", '', '0', 'k'.repeat(4_000), '\u0000', '__proto__'])(
    'that names the key %j',
    async (kid) => {
      await expect(local().verify(await aToken({ header: { kid } }))).rejects.toEqual(refusal);
    },
  );

  test.each([{ kid: 7 }, { kid: null }, { kid: ['a'] }, { kid: {} }, { alg: ['ES256'] }, { alg: 7 }])(
    'whose header is %j',
    async (header) => {
      const [, claims, signature] = (await aToken()).split('.');
      const forged = base64url.encode(JSON.stringify({ alg: 'ES256', kid: es256.kid, ...header }));
      await expect(local().verify(`${forged}.${claims}.${signature}`)).rejects.toEqual(refusal);
    },
  );

  test('that names no key where several could be meant', async () => {
    const other = await aSigner('ES256');
    const token = await signed(`{"sub":"alice","exp":${nowSec + 600}}`, {});
    expect((await local().verify(token)).subject).toBe('alice');
    await expect(local({}, [es256.jwk, other.jwk]).verify(token)).rejects.toEqual(refusal);
  });

  test('signed with a key that is for something else', async () => {
    for (const change of [{ use: 'enc' }, { alg: 'ES384' }, { key_ops: ['encrypt'] }]) {
      await expect(local({}, [{ ...es256.jwk, ...change }]).verify(await aToken())).rejects.toEqual(refusal);
    }
  });

  test.each(['-1', '0', '"1900000000"', '1e400', 'true', '[1900000000]', `${nowSec - 30.5}`])(
    'that ends at %s',
    async (exp) => {
      await expect(local().verify(await signed(`{"sub":"alice","exp":${exp}}`))).rejects.toEqual(refusal);
    },
  );

  test.each(['https://issuer/', 'HTTPS://issuer', 'https://issuer.example', '', undefined])(
    'of the issuer %j, which is another',
    async (iss) => {
      const token = await aToken({ claims: { iss } });
      await expect(local({ issuer: 'https://issuer' }).verify(token)).rejects.toEqual(refusal);
    },
  );

  test.each(['Scheduler', 'scheduler ', ['x'], [], undefined, { scheduler: true }])(
    'for the audience %j, which is another',
    async (aud) => {
      const token = await aToken({ claims: { aud } });
      await expect(local({ audience: 'scheduler' }).verify(token)).rejects.toEqual(refusal);
    },
  );

  test('whose signature is nothing, cut, padded, doubled or written otherwise', async () => {
    const token = await aToken();
    const [header = '', claims = '', signature = ''] = token.split('.');
    const zero = base64url.encode(new Uint8Array(64));
    const forged = [zero, '', signature.slice(0, -4), `${signature}AA`, `${signature}=`, `${signature}${signature}`];
    const der = base64url.encode(Uint8Array.from([0x30, 6, 2, 1, 0, 2, 1, 0]));
    for (const text of [...forged, der]) {
      await expect(local().verify(`${header}.${claims}.${text}`)).rejects.toEqual(refusal);
    }
    for (const text of [
      `${token}.`,
      `.${token}`,
      `${token}.x`,
      `${token}.${token}`,
      `${header}..${signature}`,
      `${header}.${claims}`,
    ]) {
      await expect(local().verify(text)).rejects.toEqual(refusal);
    }
  });

  test('that is encrypted, a bomb or not: nothing is unpacked', async () => {
    const key = new Uint8Array(32);
    const jwe = await new CompactEncrypt(new TextEncoder().encode('{"sub":"alice"}'))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(key);
    const [, ...rest] = jwe.split('.');
    const bomb = base64url.encode(JSON.stringify({ alg: 'dir', enc: 'A256GCM', zip: 'DEF', kid: es256.kid }));
    for (const text of [jwe, [bomb, ...rest].join('.')]) await expect(local().verify(text)).rejects.toEqual(refusal);
  });

  test('whose header is a forest of JSON, at no more cost than its length', async () => {
    const deep = base64url.encode(`{"alg":"ES256","x":${'['.repeat(2_500)}${']'.repeat(2_500)}}`);
    const tookMs = await cpuMsOf(() => expect(local().verify(`${deep}.e30.AA`)).rejects.toEqual(refusal));
    expect(tookMs).toBeLessThan(1_000);
  });
});

test.each([
  ['a look-alike', 'tenant-12\u0437'],
  ['full-width', 'ｔenant-123'],
  ['with a space', 'tenant-123 '],
  ['with NUL', 'tenant-123\u0000'],
  ['a path', '../tenant-123'],
])('a tenant claim that is %s names no tenant', async (_what, tenant) => {
  expect((await local().verify(await aToken({ claims: { tenant_id: tenant } }))).tenants).toEqual([]);
});
