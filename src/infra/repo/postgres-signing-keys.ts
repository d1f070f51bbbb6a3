import { LRUCache } from 'lru-cache';
import type { SealedSigningKey } from '../../domain/entities/signing-key.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { Seal } from '../../domain/ports/seal.ts';
import type { EnginePool } from '../db/engine-pool.ts';

/** How long a rotation takes to be seen by every process. */
const CACHED_MS = 30_000;
const NONE: readonly string[] = [];

/** The webhook signing keys of tenants, newest first, as `whsec_…` texts. */
export class PostgresSigningKeys {
  readonly #pool: EnginePool;
  readonly #seal: Seal | null;
  readonly #cache = new LRUCache<TenantId, readonly string[]>({ max: 10_000, ttl: CACHED_MS });

  /** `seal`: null when no sealing key is configured; then nothing is signed. */
  constructor(pool: EnginePool, seal: Seal | null) {
    this.#pool = pool;
    this.#seal = seal;
  }

  /** At once where they are at hand. */
  of(tenantId: TenantId): readonly string[] | Promise<readonly string[]> {
    if (this.#seal === null) return NONE;
    return this.#cache.get(tenantId) ?? this.#read(tenantId, this.#seal);
  }

  async #read(tenantId: TenantId, seal: Seal): Promise<readonly string[]> {
    const [row] = await this.#pool.query(
      (sql) =>
        sql<
          { keys: readonly SealedSigningKey[] }[]
        >`select signing_keys as keys from tenants where tenant_id = ${tenantId}`,
    );
    const keys = (row?.keys ?? []).map((key) => seal.open(key.sealed, { tenantId, name: key.id }));
    this.#cache.set(tenantId, keys);
    return keys;
  }
}
