import { count, eq } from 'drizzle-orm';
import type { TenantId } from '../../domain/ids.ts';
import type { Backfill, BackfillRepository } from '../../domain/ports/backfill-repository.ts';
import type { Transaction } from '../db/client.ts';
import { backfills } from '../db/schema.ts';

/** One tenant's backfills, in one transaction. */
export class DrizzleBackfillRepository implements BackfillRepository {
  readonly #tx: Transaction;
  readonly #tenantId: TenantId;

  constructor(tx: Transaction, tenantId: TenantId) {
    this.#tx = tx;
    this.#tenantId = tenantId;
  }

  async add(backfill: Backfill): Promise<void> {
    await this.#tx.insert(backfills).values(backfill);
  }

  async countOpen(): Promise<number> {
    const [row] = await this.#tx
      .select({ open: count() })
      .from(backfills)
      .where(eq(backfills.tenantId, this.#tenantId));
    return row?.open ?? 0;
  }
}
