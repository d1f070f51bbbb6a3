import { DomainError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import { sameJson } from './json.ts';
import type { Act } from './schedule.ts';
import type { ChosenDefaults, GrantedQuotas, ServicePolicy } from './tenant-policy.ts';
import { filledRetry } from './tenant-policy.ts';

/** SUSPENDED: nothing fires, what exists may be read. DELETING: its data goes, chunk by chunk. */
export type TenantLifecycle = 'ACTIVE' | 'SUSPENDED' | 'DELETING';

/** Who suspended a tenant and why; `at` is RFC 3339. */
export interface Suspension {
  readonly note: string | null;
  readonly by: string;
  readonly at: string;
}

/** What callers say of a tenant. */
export interface TenantInput {
  readonly name: string | null;
  readonly defaults: ChosenDefaults;
  readonly quotas: GrantedQuotas;
}

/** A tenant as its row holds it. */
export interface TenantState extends TenantInput {
  readonly tenantId: TenantId;
  readonly state: TenantLifecycle;
  readonly suspension: Suspension | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The tenant that SYSTEM schedules live in; platform tokens alone act in it. */
export const SYSTEM_TENANT = 'system';

/** A tenant: state, invariants and verbs. Immutable: each verb answers the tenant that results. */
export class TenantEntity {
  readonly state: TenantState;

  constructor(state: TenantState) {
    this.state = state;
  }

  /** One that nobody has said anything of yet. */
  static fresh(tenantId: TenantId, now: number): TenantEntity {
    const at = new Date(now);
    const nothing = { name: null, defaults: {}, quotas: {}, suspension: null } as const;
    return new TenantEntity({ tenantId, ...nothing, state: 'ACTIVE', version: 1, createdAt: at, updatedAt: at });
  }

  get input(): TenantInput {
    const { name, defaults, quotas } = this.state;
    return { name, defaults, quotas };
  }

  /** Itself when nothing changes. Throws VALIDATION_FAILED for defaults that contradict the service's, CONFLICT while it is deleted. */
  change(input: TenantInput, service: ServicePolicy, act: Act): TenantEntity {
    if (sameJson(input, this.input)) return this;
    this.#refuseDeleting();
    checkDefaults(input.defaults, service);
    return this.#changed(input, act);
  }

  #refuseDeleting(): void {
    if (this.state.state === 'DELETING') throw new DomainError('CONFLICT', 'the tenant is being deleted');
  }

  #changed(change: Partial<TenantState>, act: Act): TenantEntity {
    return new TenantEntity({
      ...this.state,
      ...change,
      version: this.state.version + 1,
      updatedAt: new Date(act.now),
    });
  }
}

function checkDefaults({ retry }: ChosenDefaults, service: ServicePolicy): void {
  const { initialDelaySec, maxDelaySec } = filledRetry(retry ?? {}, service.defaults.retry);
  if (maxDelaySec < initialDelaySec)
    refuse('defaults.retry.maxDelaySec', `must not be less than initialDelaySec, which is ${initialDelaySec}`);
}

function refuse(path: string, message: string): never {
  throw new DomainError('VALIDATION_FAILED', `${path} ${message}`, [{ path, message }]);
}
