import { and, count, eq, getTableColumns, isNull } from 'drizzle-orm';
import { TenantEntity, type TenantState } from '../../domain/entities/tenant.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { TenantRepository } from '../../domain/ports/tenant-repository.ts';
import type { Transaction } from '../db/client.ts';
import { schedules } from '../db/schema.ts';
import { tenants } from '../db/tenants-schema.ts';

const { signingKeys: _keys, ...columns } = getTableColumns(tenants);

/** The row of one tenant, in one transaction. It is locked before anything else of the tenant, or after nothing but it. */
export class DrizzleTenantRepository implements TenantRepository {
  readonly #tx: Transaction;
  readonly #tenantId: TenantId;
  /** Places left, once they were counted: nobody else takes one before this transaction ends. */
  #room: number | null = null;

  constructor(tx: Transaction, tenantId: TenantId) {
    this.#tx = tx;
    this.#tenantId = tenantId;
  }

  async find(): Promise<TenantEntity | null> {
    const [row] = await this.#tx.select(columns).from(tenants).where(this.#own()).prepare('find_tenant').execute();
    return entityOf(row);
  }

  async findForChange(): Promise<TenantEntity | null> {
    const [row] = await this.#tx.select(columns).from(tenants).where(this.#own()).for('update');
    return entityOf(row);
  }

  async insert({ state }: TenantEntity): Promise<boolean> {
    const inserted = await this.#tx
      .insert(tenants)
      .values(state)
      .onConflictDoNothing()
      .returning({ tenantId: tenants.tenantId });
    return inserted.length > 0;
  }

  async save({ state }: TenantEntity): Promise<void> {
    await this.#tx.update(tenants).set(state).where(this.#own());
  }

  async admitSchedule(limit: number): Promise<boolean> {
    this.#room ??= limit - (await this.#countSchedules(limit));
    this.#room -= 1;
    return this.#room >= 0;
  }

  /** At most `limit`. The lock comes first: what is counted includes all that others committed before they let go of it. */
  async #countSchedules(limit: number): Promise<number> {
    const own = this.#tx.select({ id: tenants.tenantId }).from(tenants).where(this.#own()).for('no key update');
    await own.prepare('lock_tenant').execute();
    // index schedules_page
    const some = this.#tx
      .select({ id: schedules.id })
      .from(schedules)
      .where(and(eq(schedules.tenantId, this.#tenantId), isNull(schedules.deletedAt)))
      .limit(limit)
      .as('some');
    const [row] = await this.#tx.select({ living: count() }).from(some);
    return row?.living ?? 0;
  }

  #own() {
    return eq(tenants.tenantId, this.#tenantId);
  }
}

function entityOf(row: TenantState | undefined): TenantEntity | null {
  return row === undefined ? null : new TenantEntity(row);
}
