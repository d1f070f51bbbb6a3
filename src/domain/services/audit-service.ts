import type { AuditEntry } from '../entities/audit.ts';
import type { Caller } from '../entities/caller.ts';
import type { AuditPosition, AuditQuery } from '../ports/audit-trail.ts';
import type { Page } from '../ports/schedule-repository.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';

/** What a tenant's callers read of who changed what. */
export class AuditService {
  readonly #unitOfWork: UnitOfWork;

  constructor(parts: { readonly unitOfWork: UnitOfWork }) {
    this.#unitOfWork = parts.unitOfWork;
  }

  /** Newest first. For a caller of an organization: what concerns its organization. */
  async list(caller: Caller, query: Omit<AuditQuery, 'organizationId'>): Promise<Page<AuditEntry, AuditPosition>> {
    const { organizationId } = caller;
    return this.#unitOfWork.forTenant(caller.tenantId, ({ audit }) => audit.page({ ...query, organizationId }));
  }
}
