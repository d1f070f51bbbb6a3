import { randomUUID } from 'node:crypto';
import type { JWK } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { TokenVerifier } from '../../../src/domain/ports/token-verifier.ts';
import { createTokenVerifier } from '../../../src/infra/security/token-verifier.ts';
import { type Receiver, startReceiver } from '../senders/receiver.ts';
import { aSigner, aToken, es256, NOW, nowSec, refusal, rs256 } from './tokens.ts';

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
        return response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ keys: issuer.keys }));
      case 'error':
        return response.writeHead(500).end('{}');
      case 'redirect':
        return response.writeHead(302, { location: '/elsewhere' }).end();
      case 'nonsense':
        return response.end('<html>');
      case 'endless': {
        const pouring = setInterval(() => response.write(' '.repeat(65_536)), 1);
        return response.on('close', () => clearInterval(pouring));
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
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, index) => aToken({ claims: { jti: String(index) } })),
    );
    await Promise.all(tokens.map((token) => issuer.verifier.verify(token)));
    expect(issuer.receiver.received.map((request) => request.url)).toEqual(['/jwks']);
  });

  test('an unknown key id asks for them at most once in thirty seconds', async () => {
    const issuer = await anIssuer();
    await issuer.verifier.verify(await aToken());
    const unknown = (): Promise<string> => aToken({ header: { kid: randomUUID() } });
    for (let index = 0; index < 20; index += 1)
      await expect(issuer.verifier.verify(await unknown())).rejects.toEqual(refusal);
    expect(issuer.receiver.received.length).toBe(1);
    issuer.passed += 31_000;
    await Promise.all(
      Array.from({ length: 20 }, async () => expect(issuer.verifier.verify(await unknown())).rejects.toEqual(refusal)),
    );
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
    const other = await aToken({
      header: { alg: 'RS256', kid: rs256.kid },
      key: rs256.keys.privateKey,
      claims: { exp: nowSec + 86_400 },
    });
    await issuer.verifier.verify(other);
    await expect.poll(() => issuer.receiver.received.length).toBe(2);
    await expect
      .poll(() =>
        issuer.verifier.verify(token).then(
          () => 'verified',
          (error: Error) => error.message,
        ),
      )
      .toBe('the token is not valid');
  });

  test('known keys go on for an hour and more while the issuer is down, unknown ones are refused', async () => {
    const issuer = await anIssuer();
    await issuer.verifier.verify(await aToken());
    issuer.answer = 'error';
    for (const minutes of [5, 20, 40, 61]) {
      issuer.passed = minutes * MINUTE;
      const claims = { exp: nowSec + 86_400, jti: String(minutes) };
      expect((await issuer.verifier.verify(await aToken({ claims }))).subject).toBe('alice');
      await expect(issuer.verifier.verify(await aToken({ claims, header: { kid: 'unknown' } }))).rejects.toEqual(
        refusal,
      );
    }
    expect(issuer.failures.length).toBeGreaterThan(0);
    issuer.passed = 5 * 60 * MINUTE;
    await expect(issuer.verifier.verify(await aToken({ claims: { exp: nowSec + 86_400 } }))).rejects.toEqual(refusal);
  });

  test.each(['error', 'redirect', 'endless', 'nonsense'] as const)(
    'an issuer that answers with %s is told, and its tokens are refused',
    async (answer) => {
      const issuer = await anIssuer({ answer });
      await expect(issuer.verifier.verify(await aToken())).rejects.toEqual(refusal);
      expect(issuer.failures.length).toBe(1);
      expect(issuer.receiver.received.map((request) => request.url)).toEqual(['/jwks']);
    },
  );

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
