import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { type CryptoKey, type GenerateKeyPairResult, type JWK, type JWTHeaderParameters, type JWTPayload, SignJWT, UnsecuredJWT, base64url, exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { TokenVerifier } from '../../../src/domain/ports/token-verifier.ts';
import { type RemoteTokenRules, createLocalTokenVerifier, createTokenVerifier } from '../../../src/infra/security/token-verifier.ts';
import { type Receiver, startReceiver } from '../senders/receiver.ts';

const NOW = Date.UTC(2026, 2, 29, 1);
const nowSec = NOW / 1000;
const ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const;
const refusal = expect.objectContaining({ name: 'DomainError', code: 'UNAUTHENTICATED' });

interface Signer {
  readonly kid: string;
  readonly jwk: JWK;
  readonly keys: GenerateKeyPairResult;
}

async function aSigner(alg: string): Promise<Signer> {
  const kid = `${alg}-${randomUUID()}`;
  const keys = await generateKeyPair(alg, { extractable: true });
  return { kid, keys, jwk: { ...(await exportJWK(keys.publicKey)), kid, alg, use: 'sig' } };
}

let es256: Signer;
let rs256: Signer;
beforeAll(async () => {
  [es256, rs256] = await Promise.all([aSigner('ES256'), aSigner('RS256')]);
});

interface TokenParts {
  readonly claims?: JWTPayload;
  readonly header?: Partial<JWTHeaderParameters>;
  readonly key?: CryptoKey | Uint8Array;
}

function aToken(parts: TokenParts = {}): Promise<string> {
  const claims = { sub: 'alice', tenant_id: 'tenant-123', roles: ['editor'], iat: nowSec - 10, exp: nowSec + 600, ...parts.claims };
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: es256.kid, ...parts.header }).sign(parts.key ?? es256.keys.privateKey);
}

function local(rules: Partial<RemoteTokenRules> = {}, keys: JWK[] = [es256.jwk, rs256.jwk]): TokenVerifier {
  return createLocalTokenVerifier({ jwks: { keys }, now: () => NOW, ...rules });
}

describe('a good token', () => {
  test('says who it speaks for', async () => {
    const token = await aToken({ claims: { tenants: ['tenant-9', 'tenant-123'], organization_id: 'org-1', roles: ['editor', 'owner', 'viewer'] } });
    expect(await local().verify(token)).toEqual({ subject: 'alice', tenants: ['tenant-123', 'tenant-9'], roles: ['editor', 'viewer'], organizationId: 'org-1' });
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
    [['platform', 'root', 'admin', 'admin'], ['platform', 'admin']],
    [['constructor', '__proto__', 'toString'], []],
    [{ admin: true }, []],
    [undefined, []],
  ])('with the roles %j has %j', async (roles, expected) => {
    expect((await local().verify(await aToken({ claims: { roles } }))).roles).toEqual(expected);
  });

  test('may bear its claims under other names, whole or reached into', async () => {
    const claims = { tenant: 'https://example.com/tenant', tenants: 'none', roles: 'realm_access.roles', organization: 'org' };
    const token = await aToken({ claims: { 'https://example.com/tenant': 'a', realm_access: { roles: ['admin'] }, org: 'o' } });
    expect(await local({ claims }).verify(token)).toEqual({ subject: 'alice', tenants: ['a'], roles: ['admin'], organizationId: 'o' });
  });

  test('may be thirty seconds off at either end', async () => {
    for (const claims of [{ exp: nowSec - 29 }, { nbf: nowSec + 29 }, { iat: nowSec + 29 }]) {
      expect((await local().verify(await aToken({ claims }))).subject).toBe('alice');
    }
  });

  test('is for the issuer and audience that are configured', async () => {
    const verifier = local({ issuer: 'https://issuer', audience: 'scheduler' });
    expect((await verifier.verify(await aToken({ claims: { iss: 'https://issuer', aud: ['x', 'scheduler'] } }))).subject).toBe('alice');
    await expect(verifier.verify(await aToken({ claims: { iss: 'https://other', aud: 'scheduler' } }))).rejects.toEqual(refusal);
    await expect(verifier.verify(await aToken({ claims: { iss: 'https://issuer', aud: 'other' } }))).rejects.toEqual(refusal);
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
    ['an end that is no number', { exp: 'tomorrow' as unknown as number }],
    ['a token without a subject', { sub: undefined }],
    ['a subject with control characters', { sub: 'a\u0000b' }],
    ['an organization that cannot be read', { organization_id: 7 }],
    ['an empty organization', { organization_id: '' }],
  ])('%s', async (_what, claims) => {
    await expect(local().verify(await aToken({ claims }))).rejects.toEqual(refusal);
  });

  test.each(['', '.', '..', 'a.b.c', 'null', '{}', 'e30.e30.', `${base64url.encode('null')}.e30.AA`, `${base64url.encode('[]')}.e30.AA`, 'x'.repeat(8192), '\u0000'])('the text %j', async (text) => {
    await expect(local().verify(text)).rejects.toEqual(refusal);
  });

  test('a token without a signature, in every spelling of none', async () => {
    const unsecured = new UnsecuredJWT({ sub: 'alice', exp: nowSec + 600 }).encode();
    const [, payload] = unsecured.split('.');
    const spellings = ['none', 'None', 'NONE', 'nOnE', ''].map((alg) => `${base64url.encode(JSON.stringify({ alg, kid: es256.kid }))}.${payload}.`);
    for (const token of [unsecured, ...spellings]) await expect(local().verify(token)).rejects.toEqual(refusal);
  });

  test('an HMAC made with a public key as its secret', async () => {
    const spki = rs256.keys.publicKey;
    const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' });
    const secrets = [JSON.stringify(rs256.jwk), String(rs256.jwk.n), pem.toString(), JSON.stringify(await exportJWK(spki))];
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      for (const secret of secrets) {
        const token = await aToken({ header: { alg, kid: rs256.kid }, key: new TextEncoder().encode(secret.padEnd(64, ' ')) });
        await expect(local().verify(token)).rejects.toEqual(refusal);
      }
    }
  });

  test('a header that disagrees with its key', async () => {
    const ps256 = await aSigner('PS256');
    for (const header of [{ alg: 'PS256', kid: rs256.kid }, { alg: 'RS256', kid: es256.kid }]) {
      await expect(local().verify(await aToken({ header, key: ps256.keys.privateKey }).catch(() => 'a.b.c'))).rejects.toEqual(refusal);
    }
  });

  test('another key under a known id, and a changed claim', async () => {
    const stranger = await aSigner('ES256');
    await expect(local().verify(await aToken({ key: stranger.keys.privateKey }))).rejects.toEqual(refusal);
    const [header, , signature] = (await aToken()).split('.');
    const claims = base64url.encode(JSON.stringify({ sub: 'mallory', tenant_id: 'tenant-9', roles: ['platform'], exp: nowSec + 600 }));
    await expect(local().verify(`${header}.${claims}.${signature}`)).rejects.toEqual(refusal);
  });

  test('a token over 8 KiB, unread', async () => {
    const token = await aToken({ claims: { filler: 'x'.repeat(9 * 1024) } });
    await expect(local().verify(token)).rejects.toThrow('the token is longer than 8 KiB');
  });

  test('a shared secret in the key set, and an RSA key that is too short', async () => {
    const secret = { kty: 'oct', k: base64url.encode('a secret that is long enough, really'), kid: 'oct', alg: 'HS256' };
    const token = await aToken({ header: { alg: 'HS256', kid: 'oct' }, key: new TextEncoder().encode('a secret that is long enough, really') });
    await expect(local({}, [secret]).verify(token)).rejects.toEqual(refusal);
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const short = { ...publicKey.export({ format: 'jwk' }), kid: 'short', alg: 'RS256' };
    const { createSign } = await import('node:crypto');
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
    const headers = [{ jwk: stranger.jwk }, { jku: bait.url }, { x5u: bait.url }, { x5c: ['AAAA'] }, { jku: bait.url, kid: 'unknown' }];
    for (const header of headers) {
      for (const key of [stranger.keys.privateKey, es256.keys.privateKey]) {
        await expect(verifier.verify(await aToken({ header, key }))).rejects.toEqual(refusal);
      }
    }
    const critical = (members: object): string => `${base64url.encode(JSON.stringify({ alg: 'ES256', kid: es256.kid, ...members }))}.e30.AA`;
    for (const members of [{ crit: ['x'], x: 1 }, { crit: [] }, { crit: ['b64'], b64: false }, { b64: false }, { zip: 'DEF' }]) {
      await expect(verifier.verify(critical(members))).rejects.toEqual(refusal);
    }
    expect(bait.received).toEqual([]);
  });
});

interface Issuer extends AsyncDisposable {
  readonly receiver: Receiver;
  readonly verifier: TokenVerifier;
  readonly failures: unknown[];
  keys: JWK[];
  answer: 'keys' | 'error' | 'redirect' | 'endless' | 'nonsense' | 'hang';
  /** Milliseconds that have passed. */
  passed: number;
}

/** A JWKS server and a verifier of its keys, on a clock of their own. */
async function anIssuer(start: Partial<Pick<Issuer, 'answer' | 'keys'>> = {}): Promise<Issuer> {
  const failures: unknown[] = [];
  const receiver = await startReceiver((response) => {
    switch (issuer.answer) {
      case 'keys':
        return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: issuer.keys }));
      case 'error':
        return response.writeHead(500).end('{}');
      case 'redirect':
        return response.writeHead(302, { location: '/elsewhere' }).end();
      case 'nonsense':
        return response.end('<html>');
      case 'endless': {
        const pour = (): unknown => (response.destroyed ? undefined : response.write(' '.repeat(65_536), pour));
        return pour();
      }
      case 'hang':
        return undefined;
    }
  });
  const state = { keys: [es256.jwk, rs256.jwk], answer: 'keys' as Issuer['answer'], passed: 0, ...start };
  const issuer: Issuer = Object.assign(state, {
    receiver,
    failures,
    verifier: createTokenVerifier({
      jwksUrl: `${receiver.url}/jwks`,
      now: () => NOW + state.passed,
      monotonic: () => state.passed,
      failed: (error) => void failures.push(error),
    }),
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  });
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  return issuer;
}

const MINUTE = 60_000;

describe('keys from a JWKS URL', () => {
  test('are fetched once for many tokens', async () => {
    const issuer = await anIssuer();
    const tokens = await Promise.all(Array.from({ length: 50 }, (_, index) => aToken({ claims: { jti: String(index) } })));
    await Promise.all(tokens.map((token) => issuer.verifier.verify(token)));
    expect(issuer.receiver.received.map((request) => request.url)).toEqual(['/jwks']);
  });

  test('an unknown key id asks for them at most once in thirty seconds', async () => {
    const issuer = await anIssuer();
    await issuer.verifier.verify(await aToken());
    const unknown = (): Promise<string> => aToken({ header: { kid: randomUUID() } });
    for (let index = 0; index < 20; index += 1) await expect(issuer.verifier.verify(await unknown())).rejects.toEqual(refusal);
    expect(issuer.receiver.received.length).toBe(1);
    issuer.passed += 31_000;
    await Promise.all(Array.from({ length: 20 }, async () => expect(issuer.verifier.verify(await unknown())).rejects.toEqual(refusal)));
    expect(issuer.receiver.received.length).toBe(2);
  });

  test('a new key is taken up when a token names it', async () => {
    const issuer = await anIssuer();
    await issuer.verifier.verify(await aToken());
    const next = await aSigner('ES256');
    issuer.keys = [es256.jwk, next.jwk];
    issuer.passed += 31_000;
    const token = await aToken({ header: { kid: next.kid }, key: next.keys.privateKey });
    expect((await issuer.verifier.verify(token)).subject).toBe('alice');
  });

  test('a removed key dies with the tokens it signed, cached ones too', async () => {
    const issuer = await anIssuer();
    const token = await aToken({ claims: { exp: nowSec + 86_400 } });
    await issuer.verifier.verify(token);
    issuer.keys = [rs256.jwk];
    issuer.passed += 11 * MINUTE;
    const other = await aToken({ header: { alg: 'RS256', kid: rs256.kid }, key: rs256.keys.privateKey, claims: { exp: nowSec + 86_400 } });
    await issuer.verifier.verify(other);
    await expect.poll(() => issuer.receiver.received.length).toBe(2);
    await expect.poll(() => issuer.verifier.verify(token).then(() => 'verified', (error: Error) => error.message)).toBe('the token is not valid');
  });

  test('known keys go on for an hour and more while the issuer is down, unknown ones are refused', async () => {
    const issuer = await anIssuer();
    await issuer.verifier.verify(await aToken());
    issuer.answer = 'error';
    for (const minutes of [5, 20, 40, 61]) {
      issuer.passed = minutes * MINUTE;
      const claims = { exp: nowSec + 86_400, jti: String(minutes) };
      expect((await issuer.verifier.verify(await aToken({ claims }))).subject).toBe('alice');
      await expect(issuer.verifier.verify(await aToken({ claims, header: { kid: 'unknown' } }))).rejects.toEqual(refusal);
    }
    expect(issuer.failures.length).toBeGreaterThan(0);
    issuer.passed = 5 * 60 * MINUTE;
    await expect(issuer.verifier.verify(await aToken({ claims: { exp: nowSec + 86_400 } }))).rejects.toEqual(refusal);
  });

  test.each(['error', 'redirect', 'endless', 'nonsense'] as const)('an issuer that answers with %s is told, and its tokens are refused', async (answer) => {
    const issuer = await anIssuer({ answer });
    await expect(issuer.verifier.verify(await aToken())).rejects.toEqual(refusal);
    expect(issuer.failures.length).toBe(1);
    expect(issuer.receiver.received.map((request) => request.url)).toEqual(['/jwks']);
  });

  test('an issuer that hangs costs a request five seconds at most', async () => {
    const issuer = await anIssuer({ answer: 'hang' });
    await expect(issuer.verifier.verify(await aToken())).rejects.toEqual(refusal);
    expect(issuer.failures).toEqual([expect.objectContaining({ name: 'TimeoutError' })]);
  });

  test('an issuer that is down at the start is asked again after a moment', async () => {
    const issuer = await anIssuer({ answer: 'error' });
    const token = await aToken();
    await expect(issuer.verifier.verify(token)).rejects.toEqual(refusal);
    issuer.answer = 'keys';
    await expect(issuer.verifier.verify(token)).rejects.toEqual(refusal);
    issuer.passed += 6_000;
    expect((await issuer.verifier.verify(token)).subject).toBe('alice');
  });
});
