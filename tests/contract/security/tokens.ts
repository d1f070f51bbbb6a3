import { randomUUID } from 'node:crypto';
import {
  type CryptoKey,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';
import { expect } from 'vitest';

export const NOW = Date.UTC(2026, 2, 29, 1);
export const nowSec = NOW / 1000;
export const refusal = expect.objectContaining({ name: 'DomainError', code: 'UNAUTHENTICATED' });

interface Signer {
  readonly kid: string;
  readonly jwk: JWK;
  readonly keys: GenerateKeyPairResult;
}

/** A fresh key pair with its id. */
export async function aSigner(alg: string): Promise<Signer> {
  const kid = `${alg}-${randomUUID()}`;
  const keys = await generateKeyPair(alg, { extractable: true });
  return { kid, keys, jwk: { ...(await exportJWK(keys.publicKey)), kid, alg, use: 'sig' } };
}

/** The keys of the issuer that tests trust. */
export const [es256, rs256] = await Promise.all([aSigner('ES256'), aSigner('RS256')]);

interface TokenParts {
  readonly claims?: { readonly [name: string]: unknown };
  readonly header?: Partial<JWTHeaderParameters>;
  readonly key?: CryptoKey | Uint8Array;
}

/** A token of Alice's for tenant-123 that ends in ten minutes, with what a test changes. */
export function aToken(parts: TokenParts = {}): Promise<string> {
  const claims = {
    sub: 'alice',
    tenant_id: 'tenant-123',
    roles: ['editor'],
    iat: nowSec - 10,
    exp: nowSec + 600,
    ...parts.claims,
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: es256.kid, ...parts.header })
    .sign(parts.key ?? es256.keys.privateKey);
}
