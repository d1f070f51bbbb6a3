import type { Role } from '../entities/caller.ts';
import type { TenantId } from '../ids.ts';

/** Who a verified token speaks for. */
export interface Identity {
  readonly subject: string;
  readonly tenants: readonly TenantId[];
  readonly roles: readonly Role[];
  /** Not null: the token reads and writes only what belongs to this organization. */
  readonly organizationId: string | null;
}

/** Checks bearer tokens. */
export interface TokenVerifier {
  /** Throws DomainError UNAUTHENTICATED. */
  verify(token: string): Promise<Identity>;
  /** The identity of a token that was verified a while ago and still holds; null for any other. Costs next to nothing. */
  recall(token: string): Identity | null;
}
