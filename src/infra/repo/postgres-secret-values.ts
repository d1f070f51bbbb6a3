import { LRUCache } from 'lru-cache';
import type { TenantId } from '../../domain/ids.ts';
import type { Seal } from '../../domain/ports/seal.ts';
import type { SecretValues } from '../../domain/ports/secret-repository.ts';
import type { EnginePool } from '../db/engine-pool.ts';

/** How long a new value takes to be seen by every process. */
const CACHED_MS = 10_000;
/** That a secret is missing is believed for this long. */
const MISSING_MS = 1_000;

/** The values of secrets for deliveries, on PostgreSQL. */
export class PostgresSecretValues implements SecretValues {
  readonly #pool: EnginePool;
  readonly #seal: Seal | null;
  readonly #cachedMs: number;
  /** Deliveries that want a secret at once wait for one query. */
  readonly #cache = new LRUCache<string, Promise<string | null>>({ max: 10_000 });

  /** `seal`: null when no sealing key is configured; then no value can be read. */
  constructor(pool: EnginePool, seal: Seal | null, cachedMs = CACHED_MS) {
    this.#pool = pool;
    this.#seal = seal;
    this.#cachedMs = cachedMs;
  }

  async of(tenantId: TenantId, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const values = await Promise.all(names.map((name) => this.#valueOf(tenantId, name)));
    const found = new Map<string, string>();
    for (const [at, name] of names.entries()) {
      const value = values[at];
      if (value !== null && value !== undefined) found.set(name, value);
    }
    return found;
  }

  #valueOf(tenantId: TenantId, name: string): Promise<string | null> {
    const key = `${tenantId}/${name}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const reading = this.#read(tenantId, name);
    this.#cache.set(key, reading, { ttl: this.#cachedMs });
    reading.then(
      (value) => value === null && this.#keep(key, reading, Math.min(MISSING_MS, this.#cachedMs)),
      () => this.#cache.peek(key) === reading && this.#cache.delete(key),
    );
    return reading;
  }

  #keep(key: string, reading: Promise<string | null>, ttl: number): void {
    if (this.#cache.peek(key) === reading) this.#cache.set(key, reading, { ttl });
  }

  async #read(tenantId: TenantId, name: string): Promise<string | null> {
    const [row] = await this.#pool.query(
      (sql) => sql<{ sealed: string }[]>`
        /* secrets by primary key */
        select sealed from secrets where tenant_id = ${tenantId} and name = ${name}`,
    );
    if (row === undefined) return null;
    if (this.#seal === null) throw new Error('SECRETS_KEY is not set: secrets cannot be opened');
    return this.#seal.open(row.sealed, { tenantId, name });
  }
}
