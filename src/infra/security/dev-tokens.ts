import { join } from 'node:path';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  SignJWT,
} from 'jose';
import type { Role } from '../../domain/entities/caller.ts';
import { openKeyFile } from './key-file.ts';

export interface DevClaims {
  readonly tenant: string;
  readonly roles: readonly Role[];
  readonly subject?: string | undefined;
  /** Seconds. */
  readonly expiresIn?: number | undefined;
}

/** Signs tokens for a service on one machine. Whoever can read the data directory can sign as well. */
export interface DevIssuer {
  /** Public keys only. */
  readonly jwks: JSONWebKeySet;
  readonly issuer: string;
  sign(claims: DevClaims): Promise<string>;
}

const ALGORITHM = 'ES256';
const ISSUER = 'urn:scheduler:embedded';
const KEY_FILE = 'token-key.json';
const DEFAULT_LIFE_SEC = 24 * 60 * 60;

/** The issuer whose key lies in `dataDir` (mode 0600), made on first use; processes that start at once agree on one key. */
export async function openDevIssuer(dataDir: string): Promise<DevIssuer> {
  const privateJwk = await openKey(dataDir);
  const { d: _private, ...publicJwk } = privateJwk;
  const kid = await calculateJwkThumbprint(publicJwk);
  const key = await importJWK(privateJwk, ALGORITHM);
  return {
    jwks: { keys: [{ ...publicJwk, kid, alg: ALGORITHM, use: 'sig' }] },
    issuer: ISSUER,
    sign: (claims) =>
      new SignJWT({ tenant_id: claims.tenant, roles: claims.roles })
        .setProtectedHeader({ alg: ALGORITHM, kid })
        .setIssuer(ISSUER)
        .setSubject(claims.subject ?? 'developer')
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + (claims.expiresIn ?? DEFAULT_LIFE_SEC))
        .sign(key),
  };
}

async function openKey(dataDir: string): Promise<JWK> {
  const path = join(dataDir, KEY_FILE);
  const stored = await openKeyFile(path, async () => {
    const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
    return JSON.stringify(await exportJWK(privateKey));
  });
  try {
    const jwk: JWK = JSON.parse(stored);
    if (jwk.kty !== 'EC' || typeof jwk.d !== 'string') throw new Error('no private key');
    return { kty: jwk.kty, crv: jwk.crv ?? '', x: jwk.x ?? '', y: jwk.y ?? '', d: jwk.d };
  } catch {
    // It is not replaced, as tokens may be in use.
    throw new Error(`${path} holds no token key; delete it to get a new one`);
  }
}
