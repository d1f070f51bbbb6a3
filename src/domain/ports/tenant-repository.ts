import type { TenantEntity } from '../entities/tenant.ts';
import type { TenantId } from '../ids.ts';
import type { Page } from './schedule-repository.ts';

/** The row of the transaction's own tenant. */
export interface TenantRepository {
  find(): Promise<TenantEntity | null>;
  /** Locks it until the transaction ends. */
  findForChange(): Promise<TenantEntity | null>;
  /** Makes it unless it is there already; answers whether it was made. */
  insert(tenant: TenantEntity): Promise<boolean>;
  save(tenant: TenantEntity): Promise<void>;
  /**
   * Takes a place for one more schedule; false when the tenant has `limit` living ones. The tenant's other transactions that
   * ask so wait until this one ends.
   */
  admitSchedule(limit: number): Promise<boolean>;
}

export interface TenantQuery {
  readonly limit: number;
  /** The id of the last item of the page before. */
  readonly after?: TenantId | undefined;
}

/** All tenants that have a row, by id: what the platform sees. */
export interface TenantDirectory {
  page(query: TenantQuery): Promise<Page<TenantEntity, TenantId>>;
}
