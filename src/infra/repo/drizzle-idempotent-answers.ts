import { and, eq, lte, sql } from 'drizzle-orm';
import { DomainError } from '../../domain/errors.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { IdempotentAnswer, IdempotentAnswers } from '../../domain/ports/idempotent-answers.ts';
import type { Transaction } from '../db/client.ts';
import { idempotencyKeys } from '../db/schema.ts';

const A_DAY = sql`interval '24 hours'`;

/** One tenant's kept answers, in one transaction. */
export class DrizzleIdempotentAnswers implements IdempotentAnswers {
  readonly #tx: Transaction;
  readonly #tenantId: TenantId;

  constructor(tx: Transaction, tenantId: TenantId) {
    this.#tx = tx;
    this.#tenantId = tenantId;
  }

  async begin(key: string, requestHash: string): Promise<IdempotentAnswer | null> {
    const row = { requestHash, scheduleId: null, answer: null, createdAt: sql`now()` };
    // Waits here for a request that took the key and has not committed.
    const taken = await this.#tx
      .insert(idempotencyKeys)
      .values({ tenantId: this.#tenantId, key, ...row })
      .onConflictDoUpdate({
        target: [idempotencyKeys.tenantId, idempotencyKeys.key],
        set: row,
        setWhere: lte(idempotencyKeys.createdAt, sql`now() - ${A_DAY}`),
      })
      .returning({ key: idempotencyKeys.key });
    if (taken.length > 0) return null;
    const [earlier] = await this.#tx.select().from(idempotencyKeys).where(this.#of(key));
    if (earlier === undefined || earlier.requestHash !== requestHash || earlier.answer === null)
      throw new DomainError('IDEMPOTENCY_MISMATCH', 'the idempotency key was used for another request');
    return earlier.answer;
  }

  async finish(key: string, answer: IdempotentAnswer): Promise<void> {
    await this.#tx.update(idempotencyKeys).set({ answer }).where(this.#of(key));
  }

  #of(key: string) {
    return and(eq(idempotencyKeys.tenantId, this.#tenantId), eq(idempotencyKeys.key, key));
  }
}
