import type { Caller } from '../entities/caller.ts';
import type { Act, MissedChoice } from '../entities/schedule.ts';
import { TenantEntity, type TenantInput } from '../entities/tenant.ts';
import { policyOf, type TenantPolicy } from '../entities/tenant-policy.ts';
import { DomainError } from '../errors.ts';
import { SYSTEM_TENANT, type TenantId } from '../ids.ts';
import type { Journal } from '../ports/journal.ts';
import type { Page } from '../ports/schedule-repository.ts';
import type { TenantDirectory, TenantQuery } from '../ports/tenant-repository.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import type { TenantPolicies } from './tenant-policies.ts';

/** A tenant and the version its caller believes it has; null: whatever it is. */
export interface AddressedTenant {
  readonly tenantId: TenantId;
  readonly ifMatch: number | null;
}

/** A tenant with what holds for it, its own choices and the service's put together. */
export interface TenantWithPolicy {
  readonly tenant: TenantEntity;
  readonly policy: TenantPolicy;
}

type TenantEvent = 'created' | 'changed' | 'suspended' | 'resumed' | 'deletion_began';

/**
 * What a tenant's administrators do with their own tenant, and the platform with all of them. Every change passes through
 * `#change` or `create`, in one transaction of the tenant it is about. Tokens of an organization change no tenant: PERMISSION_DENIED.
 */
export class TenantService {
  readonly #unitOfWork: UnitOfWork;
  readonly #directory: TenantDirectory;
  readonly #policies: TenantPolicies;
  readonly #journal: Journal;

  constructor(parts: {
    unitOfWork: UnitOfWork;
    directory: TenantDirectory;
    policies: TenantPolicies;
    journal: Journal;
  }) {
    this.#unitOfWork = parts.unitOfWork;
    this.#directory = parts.directory;
    this.#policies = parts.policies;
    this.#journal = parts.journal;
  }

  /** Throws NOT_FOUND. */
  async get(tenantId: TenantId): Promise<TenantWithPolicy> {
    const tenant = await this.#unitOfWork.forTenant(tenantId, ({ tenants }) => tenants.find());
    if (tenant === null) throw new DomainError('NOT_FOUND', 'no such tenant');
    return this.#withPolicy(tenant);
  }

  async list(query: TenantQuery): Promise<Page<TenantWithPolicy, TenantId>> {
    const { items, ...rest } = await this.#directory.page(query);
    return { ...rest, items: items.map((tenant) => this.#withPolicy(tenant)) };
  }

  /** Throws ALREADY_EXISTS, also for a tenant that began by itself with its first use. */
  async create(caller: Caller, tenantId: TenantId, input: TenantInput): Promise<TenantWithPolicy> {
    checkReach(caller);
    const created = await this.#unitOfWork.forTenant(tenantId, async ({ tenants, audit, now }) => {
      const act = { by: caller.subject, now };
      const tenant = TenantEntity.fresh(tenantId, now).change(input, this.#policies.service, act);
      const first = new TenantEntity({ ...tenant.state, version: 1 });
      if (!(await tenants.insert(first))) throw new DomainError('ALREADY_EXISTS', `the tenant "${tenantId}" exists`);
      audit.record(caller, { action: 'tenant.created', id: tenantId, after: auditedTenant(first) });
      return first;
    });
    this.#announce(caller, 'created', created);
    return this.#withPolicy(created);
  }

  /** `merge` makes the new input from the current one, inside the transaction. */
  async patch(
    caller: Caller,
    of: AddressedTenant,
    merge: (current: TenantInput) => TenantInput,
  ): Promise<TenantWithPolicy> {
    return this.#change(caller, of, 'changed', (before, act) =>
      before.change(merge(before.input), this.#policies.service, act),
    );
  }

  /** No schedule fires and nothing new is taken from then on; what is in flight finishes. Throws CONFLICT unless ACTIVE. */
  async suspend(caller: Caller, of: AddressedTenant, note: string | null): Promise<TenantWithPolicy> {
    return this.#change(caller, of, 'suspended', (before, act) => before.suspend(note, act));
  }

  /** Throws CONFLICT unless SUSPENDED. Schedules follow within seconds, many of them chunk by chunk. */
  async resume(caller: Caller, of: AddressedTenant, missed: MissedChoice): Promise<TenantWithPolicy> {
    return this.#change(caller, of, 'resumed', (before, act) => before.resume(missed, act));
  }

  /** Nothing fires from then on, and all the tenant's data goes within minutes. */
  async remove(caller: Caller, of: AddressedTenant): Promise<TenantWithPolicy> {
    let hasBegun = false;
    const going = await this.#change(caller, of, 'deletion_began', (before, act) => {
      const after = before.remove(act);
      hasBegun = after !== before;
      return after;
    });
    if (!hasBegun) return going;
    // The tenant's own trail goes with it.
    await this.#unitOfWork.forTenant(SYSTEM_TENANT, async ({ audit }) =>
      audit.record(caller, { action: 'tenant.deletion_began', id: of.tenantId, before: auditedTenant(going.tenant) }),
    );
    return going;
  }

  async #change(
    caller: Caller,
    { tenantId, ifMatch }: AddressedTenant,
    event: TenantEvent,
    verb: (before: TenantEntity, act: Act) => TenantEntity,
  ): Promise<TenantWithPolicy> {
    checkReach(caller);
    const { before, after } = await this.#unitOfWork.forTenant(tenantId, async ({ tenants, audit, now }) => {
      const found = await tenants.findForChange();
      if (found === null) throw new DomainError('NOT_FOUND', 'no such tenant');
      if (ifMatch !== null && ifMatch !== found.state.version)
        throw new DomainError('PRECONDITION_FAILED', `the tenant is at version ${found.state.version}`);
      const changed = verb(found, { by: caller.subject, now });
      if (changed === found) return { before: found, after: found };
      const [was, is] = [auditedTenant(found), auditedTenant(changed)];
      audit.record(caller, { action: `tenant.${event}`, id: tenantId, before: was, after: is });
      await tenants.save(changed);
      return { before: found, after: changed };
    });
    if (after !== before) this.#announce(caller, event, after);
    return this.#withPolicy(after);
  }

  #announce(caller: Caller, event: TenantEvent, { state }: TenantEntity): void {
    this.#policies.forget(state.tenantId);
    this.#journal.note(`tenant.${event}`, { tenantId: state.tenantId, version: state.version, by: caller.subject });
  }

  #withPolicy(tenant: TenantEntity): TenantWithPolicy {
    return { tenant, policy: policyOf(tenant.state.tenantId, tenant.state, this.#policies.service) };
  }
}

function checkReach({ organizationId }: Caller): void {
  if (organizationId !== null)
    throw new DomainError('PERMISSION_DENIED', 'the token writes only what belongs to its organization');
}

/** A tenant as the trail tells of it. */
function auditedTenant({ state }: TenantEntity): object {
  const { tenantId, isSettled, createdAt, updatedAt, ...told } = state;
  return told;
}
