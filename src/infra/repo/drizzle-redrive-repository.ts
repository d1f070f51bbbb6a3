import { and, count, desc, eq, ne, notInArray } from 'drizzle-orm';
import type { TenantId } from '../../domain/ids.ts';
import type { Redrive, RedriveRepository } from '../../domain/ports/redrive-repository.ts';
import type { Transaction } from '../db/client.ts';
import { redrives } from '../db/redrive-schema.ts';

const KEPT = 100;

/** One tenant's redrives, in one transaction. */
export class DrizzleRedriveRepository implements RedriveRepository {
  readonly #tx: Transaction;
  readonly #tenantId: TenantId;

  constructor(tx: Transaction, tenantId: TenantId) {
    this.#tx = tx;
    this.#tenantId = tenantId;
  }

  async add(redrive: Redrive): Promise<void> {
    const newest = this.#tx
      .select({ id: redrives.id })
      .from(redrives)
      .where(this.#own())
      .orderBy(desc(redrives.createdAt))
      .limit(KEPT);
    await this.#tx
      .delete(redrives)
      .where(and(this.#own(), ne(redrives.state, 'RUNNING'), notInArray(redrives.id, newest)));
    await this.#tx.insert(redrives).values({ ...redrive, nextAt: redrive.createdAt });
  }

  async find(id: string): Promise<Redrive | null> {
    const [row] = await this.#tx
      .select()
      .from(redrives)
      .where(and(this.#own(), eq(redrives.id, id)));
    return row ?? null;
  }

  async list(organizationId: string | null): Promise<readonly Redrive[]> {
    // index redrives_page
    return this.#tx
      .select()
      .from(redrives)
      .where(and(this.#own(), organizationId === null ? undefined : eq(redrives.organizationId, organizationId)))
      .orderBy(desc(redrives.createdAt), desc(redrives.id))
      .limit(KEPT);
  }

  async countRunning(): Promise<number> {
    const [row] = await this.#tx
      .select({ running: count() })
      .from(redrives)
      .where(and(this.#own(), eq(redrives.state, 'RUNNING')));
    return row?.running ?? 0;
  }

  async cancel(id: string, now: number): Promise<Redrive | null> {
    const [cancelled] = await this.#tx
      .update(redrives)
      .set({ state: 'CANCELLED', endedAt: new Date(now) })
      .where(and(this.#own(), eq(redrives.id, id), eq(redrives.state, 'RUNNING')))
      .returning();
    return cancelled ?? null;
  }

  #own() {
    return eq(redrives.tenantId, this.#tenantId);
  }
}
