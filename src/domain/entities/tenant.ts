import { DomainError } from '../errors.ts';
import { SYSTEM_TENANT, type TenantId } from '../ids.ts';
import { sameJson } from './json.ts';
import type { Act, MissedChoice } from './schedule.ts';
import type { ChosenDefaults, GrantedQuotas, ServicePolicy } from './tenant-policy.ts';
import { filledRetry } from './tenant-policy.ts';

/** SUSPENDED: nothing fires, what exists may be read. DELETING: its data goes, chunk by chunk. */
export type TenantLifecycle = 'ACTIVE' | 'SUSPENDED' | 'DELETING';

/** Why a schedule is PAUSED that no person paused: its `stateReason`. */
export const SUSPENDED_REASON = 'TENANT_SUSPENDED';

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
  /** What becomes of slots that passed during the suspension that ended last. */
  readonly missed: MissedChoice;
  /** False while schedules still follow a suspension, its end, or a deletion. */
  readonly isSettled: boolean;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A tenant: state, invariants and verbs. Immutable: each verb answers the tenant that results. */
export class TenantEntity {
  readonly state: TenantState;

  constructor(state: TenantState) {
    this.state = state;
  }

  /** One that nobody has said anything of yet. */
  static fresh(tenantId: TenantId, now: number): TenantEntity {
    const at = new Date(now);
    const nothing = {
      name: null,
      defaults: {},
      quotas: {},
      suspension: null,
      missed: 'SKIP',
      isSettled: true,
    } as const;
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

  /** Nothing fires from then on. Throws CONFLICT unless ACTIVE, and for the system's. */
  suspend(note: string | null, act: Act): TenantEntity {
    this.#refuseSystem();
    this.#refuseUnless('ACTIVE');
    const suspension = { note, by: act.by, at: new Date(act.now).toISOString() };
    return this.#changed({ state: 'SUSPENDED', suspension, isSettled: false }, act);
  }

  /** Throws CONFLICT unless SUSPENDED. `missed` decides on the slots of each schedule that came due meanwhile. */
  resume(missed: MissedChoice, act: Act): TenantEntity {
    this.#refuseUnless('SUSPENDED');
    return this.#changed({ state: 'ACTIVE', suspension: null, missed, isSettled: false }, act);
  }

  /** All that it has will go; there is no way back. Itself where it is going already. Throws CONFLICT for the system's. */
  remove(act: Act): TenantEntity {
    this.#refuseSystem();
    if (this.state.state === 'DELETING') return this;
    return this.#changed({ state: 'DELETING', suspension: null, isSettled: false }, act);
  }

  #refuseSystem(): void {
    if (this.state.tenantId === SYSTEM_TENANT)
      throw new DomainError('CONFLICT', `the tenant "${SYSTEM_TENANT}" cannot be suspended or deleted`);
  }

  #refuseUnless(state: TenantLifecycle): void {
    if (this.state.state !== state)
      throw new DomainError('CONFLICT', `the tenant must be ${state}; it is ${this.state.state}`);
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

function checkDefaults({ retry, retentionDays }: ChosenDefaults, service: ServicePolicy): void {
  const longest = service.defaults.retentionDays;
  if (retentionDays !== undefined && retentionDays > longest)
    refuse('defaults.retentionDays', `must be at most ${longest}, as long as the service keeps runs`);
  const { initialDelaySec, maxDelaySec } = filledRetry(retry ?? {}, service.defaults.retry);
  if (maxDelaySec < initialDelaySec)
    refuse('defaults.retry.maxDelaySec', `must not be less than initialDelaySec, which is ${initialDelaySec}`);
}

function refuse(path: string, message: string): never {
  throw new DomainError('VALIDATION_FAILED', `${path} ${message}`, [{ path, message }]);
}
