import type { TenantId } from '../ids.ts';
import type { TenantPolicy } from './tenant-policy.ts';

/** What a token may do; the table is `app/middleware/authorize.ts`. */
export type Role = 'viewer' | 'operator' | 'editor' | 'admin' | 'platform';

/** Who asks, as the verified token says. With an organization, only that organization's schedules exist for the caller. */
export interface Caller {
  readonly tenantId: TenantId;
  /** The token's subject: `createdBy`, `pause.by`, the audit's actor. */
  readonly subject: string;
  readonly organizationId: string | null;
  /** Of the request; left out where the service acts by itself. */
  readonly traceId?: string | undefined;
  /** The tenant's defaults and quotas as the door has read them; left out: none apply, as to the service itself. */
  readonly policy?: TenantPolicy | undefined;
}

/** True when what belongs to this organization, or to none, exists for the caller. */
export function sees(caller: Caller, organizationId: string | null): boolean {
  return caller.organizationId === null || caller.organizationId === organizationId;
}
