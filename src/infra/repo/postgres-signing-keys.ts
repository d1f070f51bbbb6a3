import { LRUCache } from 'lru-cache';
import type { TenantId } from '../../domain/ids.ts';
import type { Seal } from '../../domain/ports/seal.ts';
import type { EnginePool } from '../db/engine-pool.ts';
import type { SealedKey } from '../db/tenants-schema.ts';

/** How long a rotation takes to be seen by every process. */
const CACHED_MS = 30_000;
/** While a rotation lasts, receivers may still hold the key before. */
const LIVE_KEYS = 2;

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

  async of(tenantId: TenantId): Promise<readonly string[]> {
    const seal = this.#seal;
    if (seal === null) return [];
    const cached = this.#cache.get(tenantId);
    if (cached !== undefined) return cached;
    const [row] = await this.#pool.query(
      (sql) =>
        sql<{ keys: readonly SealedKey[] }[]>`select signing_keys as keys from tenants where tenant_id = ${tenantId}`,
    );
    const keys = (row?.keys ?? []).map((key) => seal.open(key.sealed, { tenantId, name: key.id }));
    this.#cache.set(tenantId, keys);
    return keys;
  }

  /** A new key in front; the one before it goes on signing too, older ones are gone. */
  async rotate(
    tenantId: TenantId,
    key: { readonly id: string; readonly plain: string; readonly createdAt: string },
  ): Promise<void> {
    if (this.#seal === null) throw new Error('SECRETS_KEY is not set: signing keys are stored sealed');
    const sealed: SealedKey = {
      id: key.id,
      sealed: this.#seal.seal(key.plain, { tenantId, name: key.id }),
      createdAt: key.createdAt,
    };
    await this.#pool.query(
      (sql) => sql`
        insert into tenants (tenant_id, signing_keys) values (${tenantId}, ${JSON.stringify([sealed])}::text::jsonb)
        on conflict (tenant_id) do update
          set signing_keys = jsonb_path_query_array(excluded.signing_keys || tenants.signing_keys, ${`$[0 to ${LIVE_KEYS - 1}]`}::text::jsonpath)`,
    );
    this.#cache.delete(tenantId);
  }
}
