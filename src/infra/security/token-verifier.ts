import { hash } from 'node:crypto';
import {
  type CryptoKey,
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { LRUCache } from 'lru-cache';
import { DomainError } from '../../domain/errors.ts';
import type { Identity, TokenVerifier } from '../../domain/ports/token-verifier.ts';
import { RemoteKeySet } from './key-set.ts';
import { type ClaimNames, DEFAULT_CLAIMS, identityOf } from './token-claims.ts';

export interface TokenRules {
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  readonly claims?: ClaimNames | undefined;
  /** The wall clock that tokens' times are read by, epoch ms. */
  readonly now?: (() => number) | undefined;
}

export interface RemoteTokenRules extends TokenRules {
  readonly jwksUrl: string;
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly monotonic?: (() => number) | undefined;
  /** Told when the keys cannot be fetched; known ones go on. */
  readonly failed?: ((error: unknown) => void) | undefined;
}

const ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256'];
/** Header members by which a token would bring its own key, or ask for rules of its own. */
const REFUSED_MEMBERS = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip'];
const SKEW_SEC = 30;
const MAX_TOKEN_CHARS = 8 * 1024;
const MAX_CACHED = 10_000;
/** A cached token is checked again after this long, so that one whose key was removed dies. */
const RECHECK_MS = 5 * 60_000;

type KeyOf = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

/** Checks tokens against the keys of a JWKS URL. What is wrong with a token is always UNAUTHENTICATED, also while the URL does not answer. */
export function createTokenVerifier(rules: RemoteTokenRules): TokenVerifier {
  const keys = new RemoteKeySet({
    url: new URL(rules.jwksUrl),
    fetch: rules.fetch ?? globalThis.fetch,
    monotonic: rules.monotonic ?? (() => performance.now()),
    changed: () => verifier.forget(),
    failed: rules.failed ?? (() => undefined),
  });
  const verifier = new JwtVerifier((header, token) => keys.find(header, token), rules);
  return verifier;
}

/** Checks tokens against keys at hand, as the embedded mode signs them itself. */
export function createLocalTokenVerifier(rules: TokenRules & { readonly jwks: JSONWebKeySet }): TokenVerifier {
  return new JwtVerifier(createLocalJWKSet(rules.jwks), rules);
}

class JwtVerifier implements TokenVerifier {
  readonly #keyOf: KeyOf;
  readonly #claims: ClaimNames;
  readonly #now: () => number;
  readonly #options: JWTVerifyOptions;
  /** By the hash of the token: none is kept in memory. */
  readonly #verified = new LRUCache<string, { readonly identity: Identity; readonly endsAt: number }>({
    max: MAX_CACHED,
    ttl: RECHECK_MS,
  });

  constructor(keyOf: KeyOf, rules: TokenRules) {
    this.#keyOf = keyOf;
    this.#claims = rules.claims ?? DEFAULT_CLAIMS;
    this.#now = rules.now ?? (() => Date.now());
    this.#options = {
      algorithms: ALGORITHMS,
      clockTolerance: SKEW_SEC,
      requiredClaims: ['exp'],
      ...(rules.issuer !== undefined && { issuer: rules.issuer }),
      ...(rules.audience !== undefined && { audience: rules.audience }),
    };
  }

  async verify(token: string): Promise<Identity> {
    if (token.length > MAX_TOKEN_CHARS) throw unauthenticated('the token is longer than 8 KiB');
    const known = this.recall(token);
    if (known !== null) return known;
    checkHeader(token);
    const { identity, endsAt } = await this.#check(token, this.#now());
    this.#verified.set(digestOf(token), { identity, endsAt });
    return identity;
  }

  recall(token: string): Identity | null {
    const known = this.#verified.get(digestOf(token));
    return known !== undefined && this.#now() < known.endsAt ? known.identity : null;
  }

  /** Every token is checked anew from here on. */
  forget(): void {
    this.#verified.clear();
  }

  async #check(token: string, now: number): Promise<{ readonly identity: Identity; readonly endsAt: number }> {
    const { payload } = await jwtVerify(token, this.#keyOf, { ...this.#options, currentDate: new Date(now) }).catch(
      (error: unknown) => {
        throw unauthenticated(
          error instanceof errors.JWTExpired ? 'the token has expired' : 'the token is not valid',
          error,
        );
      },
    );
    const { exp, iat } = payload;
    if (exp === undefined || !Number.isFinite(exp) || (iat !== undefined && iat > now / 1000 + SKEW_SEC))
      throw unauthenticated('the token is not valid yet');
    const identity = identityOf(payload, this.#claims);
    if (identity === null) throw unauthenticated('the token names no subject, or an organization that cannot be read');
    return { identity, endsAt: (exp + SKEW_SEC) * 1000 };
  }
}

function digestOf(token: string): string {
  return hash('sha256', token, 'base64');
}

/** Refuses, before any key is looked for, what no key could make good. */
function checkHeader(token: string): void {
  const header = readHeader(token);
  if (typeof header.alg !== 'string' || !ALGORITHMS.includes(header.alg))
    throw unauthenticated('the token is not signed with an allowed algorithm');
  if (REFUSED_MEMBERS.some((member) => member in header))
    throw unauthenticated('the token brings a key or rules of its own');
}

function readHeader(token: string): JWSHeaderParameters {
  try {
    return decodeProtectedHeader(token);
  } catch (error) {
    throw unauthenticated('the token cannot be read', error);
  }
}

function unauthenticated(message: string, cause?: unknown): DomainError {
  return new DomainError('UNAUTHENTICATED', message, [], { cause });
}
