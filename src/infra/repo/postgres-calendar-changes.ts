import type { TenantId } from '../../domain/ids.ts';
import type { CalendarChanges } from '../../domain/ports/calendar-repository.ts';
import type { EnginePool } from '../db/engine-pool.ts';

interface ChangedRow {
  readonly tenant_id: TenantId;
  readonly name: string;
  readonly revision: number;
}

/** Changed calendars on PostgreSQL, across tenants. */
export class PostgresCalendarChanges implements CalendarChanges {
  readonly #pool: EnginePool;

  constructor(pool: EnginePool) {
    this.#pool = pool;
  }

  async changed(limit: number): ReturnType<CalendarChanges['changed']> {
    const rows = await this.#pool.query(
      (sql) => sql<ChangedRow[]>`
        /* index calendars_fresh */
        select tenant_id, name, revision
        from (select distinct on (tenant_id) tenant_id, name, revision, updated_at from calendars where is_fresh order by tenant_id, updated_at) as c
        order by updated_at limit ${limit}`,
    );
    return rows.map(({ tenant_id: tenantId, name, revision }) => ({ tenantId, name, revision }));
  }
}
