import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWK,
  type JWSHeaderParameters,
} from 'jose';

export type FindKey = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

export interface RemoteKeySetOptions {
  readonly url: URL;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds of the monotonic clock. */
  readonly monotonic: () => number;
  /** Called when the keys differ from those before. */
  readonly changed: () => void;
  /** Called when a fetch failed; the keys known so far go on. */
  readonly failed: (error: unknown) => void;
}

const FETCH_TIMEOUT_MS = 5_000;
const MAX_BYTES = 256 * 1024;
/** Keys are fetched again after this long, while the old ones serve. */
const FRESH_MS = 10 * 60_000;
/** An unknown key id asks for at most one fetch in this time; while no key is known at all, in the shorter one. */
const COOLDOWN_MS = 30_000;
const EMPTY_COOLDOWN_MS = 5_000;
/** For this long after the last good answer keys go on although the issuer does not answer. */
const MAX_STALE_MS = 4 * 60 * 60_000;
/** Only public keys of the algorithms that are accepted at all; a shared secret in the set is left out. */
const KEY_TYPES = new Set<unknown>(['EC', 'OKP', 'RSA']);

/**
 * The keys behind a JWKS URL. The first fetch starts with the object, later ones when the keys are old or a token names an
 * unknown one. While the issuer is down known keys go on for four hours; what needs a new key fails as an unknown one.
 */
export class RemoteKeySet {
  readonly #options: RemoteKeySetOptions;
  #find: FindKey | null = null;
  #text = '';
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | null = null;

  constructor(options: RemoteKeySetOptions) {
    this.#options = options;
    void this.#refresh();
  }

  /** Rejects with jose's JWKSNoMatchingKey for a key that is not known, now or after a fetch. */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    if (this.#find === null) await this.#refreshWhenCool(EMPTY_COOLDOWN_MS);
    const age = this.#options.monotonic() - this.#fetchedAt;
    if (age > FRESH_MS) void this.#refreshWhenCool(COOLDOWN_MS);
    try {
      return await this.#known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#refreshWhenCool(COOLDOWN_MS);
      return this.#known(header, token);
    }
  }

  #known(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const isTooOld = this.#options.monotonic() - this.#fetchedAt > MAX_STALE_MS;
    if (this.#find === null || isTooOld) return Promise.reject(new errors.JWKSNoMatchingKey());
    return this.#find(header, token);
  }

  #refreshWhenCool(cooldownMs: number): Promise<void> {
    if (this.#fetching === null && this.#options.monotonic() - this.#askedAt < cooldownMs) return Promise.resolve();
    return this.#refresh();
  }

  /** One fetch at a time, shared by all who wait. Never rejects. */
  #refresh(): Promise<void> {
    this.#askedAt = this.#options.monotonic();
    this.#fetching ??= this.#load()
      .catch((error: unknown) => this.#options.failed(error))
      .finally(() => {
        this.#fetching = null;
      });
    return this.#fetching;
  }

  async #load(): Promise<void> {
    const { url, fetch } = this.#options;
    const response = await fetch(url, {
      headers: { accept: 'application/jwk-set+json, application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    if (response.status !== 200) throw new Error(`the key set's URL answered ${response.status}`);
    const keys = readKeySet(await boundedText(response));
    const text = JSON.stringify(keys);
    this.#fetchedAt = this.#options.monotonic();
    if (text === this.#text) return;
    this.#find = createLocalJWKSet(keys);
    const isFirst = this.#text === '';
    this.#text = text;
    if (!isFirst) this.#options.changed();
  }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`the key set is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function readKeySet(text: string): JSONWebKeySet {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || !('keys' in parsed) || !Array.isArray(parsed.keys)) {
    throw new Error('the key set holds no array of keys');
  }
  return { keys: parsed.keys.filter(isPublicKey) };
}

function isPublicKey(key: unknown): key is JWK {
  return typeof key === 'object' && key !== null && 'kty' in key && KEY_TYPES.has(key.kty) && !('d' in key);
}
