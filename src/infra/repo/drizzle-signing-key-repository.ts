import { eq } from 'drizzle-orm';
import type { SealedSigningKey } from '../../domain/entities/signing-key.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { SigningKeyRepository } from '../../domain/ports/signing-key-repository.ts';
import type { Transaction } from '../db/client.ts';
import { tenants } from '../db/tenants-schema.ts';

/** One tenant's signing keys, in one transaction: a column of its row, which is locked before anything else of the tenant. */
export class DrizzleSigningKeyRepository implements SigningKeyRepository {
  readonly #tx: Transaction;
  readonly #tenantId: TenantId;

  constructor(tx: Transaction, tenantId: TenantId) {
    this.#tx = tx;
    this.#tenantId = tenantId;
  }

  async list(): Promise<readonly SealedSigningKey[]> {
    const [row] = await this.#tx
      .select({ keys: tenants.signingKeys })
      .from(tenants)
      .where(eq(tenants.tenantId, this.#tenantId));
    return row?.keys ?? [];
  }

  async listForChange(): Promise<readonly SealedSigningKey[]> {
    await this.#tx.insert(tenants).values({ tenantId: this.#tenantId }).onConflictDoNothing();
    const [row] = await this.#tx
      .select({ keys: tenants.signingKeys })
      .from(tenants)
      .where(eq(tenants.tenantId, this.#tenantId))
      .for('update');
    return row?.keys ?? [];
  }

  async save(keys: readonly SealedSigningKey[]): Promise<void> {
    await this.#tx.update(tenants).set({ signingKeys: keys }).where(eq(tenants.tenantId, this.#tenantId));
  }
}
