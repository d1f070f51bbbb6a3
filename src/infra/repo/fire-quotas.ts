import { askedOf, withinGrants } from '../../domain/entities/fire-quota.ts';
import type { FireDecision } from '../../domain/entities/timer.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { DueSlot } from '../../domain/ports/engine-store.ts';
import { arrayLiteral, type EngineSql, quotedLiteral } from './engine-rows.ts';

/** A quota that the platform changes is heeded after this long. */
const FRESH_MS = 5_000;

/**
 * How many slots of a tenant become runs in a minute of the database's clock: one row for each tenant with such a quota, counted up once in
 * a claim's transaction, so that a claim that is rolled back has counted nothing, and two that are made at once wait for each other.
 */
export class FireQuotas {
  readonly #ofService: number | null;
  readonly #monotonic: () => number;
  #granted: ReadonlyMap<TenantId, number> = new Map();
  #freshUntil = Number.NEGATIVE_INFINITY;

  constructor(ofService: number | null, monotonic: () => number) {
    this.#ofService = ofService;
    this.#monotonic = monotonic;
  }

  /** The decisions about a claim's slots, those beyond their tenant's quota turned into skips. Only inside the claim's transaction. */
  async enforce(
    sql: EngineSql,
    due: readonly DueSlot[],
    decisions: readonly FireDecision[],
  ): Promise<readonly FireDecision[]> {
    await this.#refresh(sql);
    if (this.#ofService === null && this.#granted.size === 0) return decisions;
    const slots = due.flatMap((slot, index) => {
      const decision = decisions[index];
      return decision === undefined ? [] : [{ ...slot, decision }];
    });
    const limited = [...askedOf(slots)].flatMap(([tenantId, asked]) => {
      const limit = this.#granted.get(tenantId) ?? this.#ofService;
      return limit === null ? [] : [{ tenantId, asked, limit }];
    });
    return limited.length === 0 ? decisions : withinGrants(slots, await count(sql, limited));
  }

  async #refresh(sql: EngineSql): Promise<void> {
    const now = this.#monotonic();
    if (now < this.#freshUntil) return;
    const rows = await sql<{ id: TenantId; limit: number }[]>`
      select tenant_id as id, (quotas->>'firesPerMinute')::int as limit from tenants where quotas ? 'firesPerMinute'`;
    this.#granted = new Map(rows.map(({ id, limit }) => [id, limit]));
    this.#freshUntil = now + FRESH_MS;
  }
}

interface Limited {
  readonly tenantId: TenantId;
  readonly asked: number;
  readonly limit: number;
}

/** How many of those asked for each tenant still gets. A transaction that began in the minute before counts towards this one. */
async function count(sql: EngineSql, limited: readonly Limited[]): Promise<ReadonlyMap<TenantId, number>> {
  const rows = await sql<{ id: TenantId; fires: number }[]>`
    /* tenant_minutes by primary key, in the order of their ids as everywhere */
    insert into tenant_minutes as m (tenant_id, minute, fires)
    select u.id, date_trunc('minute', now()), u.asked
    from unnest(${quotedLiteral(limited.map((one) => one.tenantId))}::text::text[], ${arrayLiteral(limited.map((one) => one.asked))}::text::int[]) as u(id, asked)
    order by u.id
    on conflict (tenant_id) do update
      set minute = greatest(m.minute, excluded.minute), fires = case when m.minute >= excluded.minute then m.fires + excluded.fires else excluded.fires end
    returning tenant_id as id, fires`;
  const fires = new Map(rows.map((row) => [row.id, row.fires]));
  return new Map(
    limited.map(({ tenantId, asked, limit }) => {
      const before = (fires.get(tenantId) ?? asked) - asked;
      return [tenantId, Math.min(asked, Math.max(0, limit - before))];
    }),
  );
}
