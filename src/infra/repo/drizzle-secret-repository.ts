import { and, asc, count, eq, gt, inArray, isNull, type SQL, sql } from 'drizzle-orm';
import type { SecretState } from '../../domain/entities/secret.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { Page } from '../../domain/ports/schedule-repository.ts';
import type { SecretQuery, SecretRepository } from '../../domain/ports/secret-repository.ts';
import type { Transaction } from '../db/client.ts';
import { schedules } from '../db/schema.ts';
import { secrets } from '../db/secrets-schema.ts';

/** One tenant's secrets, in one transaction. Secrets are locked after schedules. */
export class DrizzleSecretRepository implements SecretRepository {
  readonly #tx: Transaction;
  readonly #tenantId: TenantId;

  constructor(tx: Transaction, tenantId: TenantId) {
    this.#tx = tx;
    this.#tenantId = tenantId;
  }

  async find(name: string): Promise<SecretState | null> {
    const [row] = await this.#tx.select().from(secrets).where(this.#named(name));
    return row ?? null;
  }

  async findForChange(name: string): Promise<SecretState | null> {
    const [row] = await this.#tx.select().from(secrets).where(this.#named(name)).for('no key update');
    return row ?? null;
  }

  async page({ limit, after }: SecretQuery): Promise<Page<SecretState, string>> {
    const rows = await this.#tx
      .select()
      .from(secrets)
      .where(
        and(eq(secrets.tenantId, this.#tenantId), after === undefined ? undefined : gt(byName, sql`${after}::text`)),
      )
      .orderBy(asc(byName))
      .limit(limit + 1);
    const items = rows.slice(0, limit);
    return { items, next: rows.length > limit ? (items.at(-1)?.name ?? null) : null, total: null };
  }

  async count(): Promise<number> {
    const [row] = await this.#tx.select({ found: count() }).from(secrets).where(eq(secrets.tenantId, this.#tenantId));
    return row?.found ?? 0;
  }

  async insert(secret: SecretState): Promise<boolean> {
    const inserted = await this.#tx
      .insert(secrets)
      .values(secret)
      .onConflictDoNothing()
      .returning({ name: secrets.name });
    return inserted.length > 0;
  }

  async save(secret: SecretState): Promise<void> {
    await this.#tx.update(secrets).set(secret).where(this.#named(secret.name));
  }

  async remove(name: string): Promise<void> {
    await this.#tx.delete(secrets).where(this.#named(name));
  }

  async known(names: readonly string[]): Promise<ReadonlySet<string>> {
    // A key share keeps a secret from being removed, not from getting a new value.
    const rows = await this.#tx
      .select({ name: secrets.name })
      .from(secrets)
      .where(and(eq(secrets.tenantId, this.#tenantId), inArray(secrets.name, [...names])))
      .orderBy(asc(byName))
      .for('key share');
    return new Set(rows.map(({ name }) => name));
  }

  async countUses(name: string): Promise<number> {
    // Until here others may have named it; who does so from now on waits for this transaction, and finds it gone.
    await this.#tx.select({ name: secrets.name }).from(secrets).where(this.#named(name)).for('update');
    const [row] = await this.#tx.select({ uses: count() }).from(schedules).where(this.#naming(name));
    return row?.uses ?? 0;
  }

  #named(name: string): SQL | undefined {
    return and(eq(secrets.tenantId, this.#tenantId), eq(secrets.name, name));
  }

  /** Index schedules_secrets. */
  #naming(name: string): SQL | undefined {
    const headers = sql`${schedules.target}#>>'{http,headers}'`;
    return and(
      eq(schedules.tenantId, this.#tenantId),
      isNull(schedules.deletedAt),
      sql`position('{{secret:' in ${headers}) > 0`,
      sql`position(${`{{secret:${name}}}`} in ${headers}) > 0`,
    );
  }
}

/** Names are ordered by their bytes, whatever the database's locale. */
const byName = sql`${secrets.name} collate "C"`;
