import type { SecretState } from '../entities/secret.ts';
import type { TenantId } from '../ids.ts';
import type { Page } from './schedule-repository.ts';

export interface SecretQuery {
  readonly limit: number;
  /** The name of the last item of the page before. */
  readonly after?: string | undefined;
}

/** The secrets of one tenant, values sealed. */
export interface SecretRepository {
  find(name: string): Promise<SecretState | null>;
  /** Locks the secret until the transaction ends; schedules may go on to name it unless it is removed. */
  findForChange(name: string): Promise<SecretState | null>;
  /** By name. */
  page(query: SecretQuery): Promise<Page<SecretState, string>>;
  count(): Promise<number>;
  /** False when another request made one of this name first. */
  insert(secret: SecretState): Promise<boolean>;
  save(secret: SecretState): Promise<void>;
  remove(name: string): Promise<void>;
  /** Those of these names that exist. None of them is removed until the transaction ends. */
  known(names: readonly string[]): Promise<ReadonlySet<string>>;
  /** How many living schedules name it. */
  countUses(name: string): Promise<number>;
}

/** The secrets of all tenants as deliveries need them. */
export interface SecretValues {
  /** The values of those names that exist, at most some seconds old. Rejects where they cannot be read now. */
  of(tenantId: TenantId, names: readonly string[]): Promise<ReadonlyMap<string, string>>;
}
