import { TenantEntity, type TenantState } from '../../domain/entities/tenant.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { Page } from '../../domain/ports/schedule-repository.ts';
import type { TenantDirectory, TenantQuery } from '../../domain/ports/tenant-repository.ts';
import type { EnginePool } from '../db/engine-pool.ts';

/** All tenants, seen with the engine's role: the API's sees one. */
export class PostgresTenantDirectory implements TenantDirectory {
  readonly #pool: EnginePool;

  constructor(pool: EnginePool) {
    this.#pool = pool;
  }

  async page({ limit, after }: TenantQuery): Promise<Page<TenantEntity, TenantId>> {
    const rows = await this.#pool.query(
      (sql) => sql<TenantState[]>`
        /* index tenants_page */
        select tenant_id as "tenantId", name, state, defaults, quotas, suspension, missed, is_settled as "isSettled", version, created_at as "createdAt", updated_at as "updatedAt"
        from tenants where tenant_id collate "C" > ${after ?? ''} order by tenant_id collate "C" limit ${limit + 1}`,
    );
    const items = rows.slice(0, limit).map((row) => new TenantEntity(row));
    return { items, next: rows.length > limit ? (items.at(-1)?.state.tenantId ?? null) : null, total: null };
  }
}
