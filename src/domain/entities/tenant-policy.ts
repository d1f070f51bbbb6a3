import type { TenantId } from '../ids.ts';
import type { RetryPolicy } from '../time/backoff.ts';
import type { TenantLifecycle, TenantState } from './tenant.ts';

/** What schedules of the tenant have where their caller says nothing, and how long its runs are kept. */
export interface TenantDefaults {
  readonly tz: string;
  readonly retry: RetryPolicy;
  /** How long ended runs are kept. */
  readonly retentionDays: number;
}

/** The most a tenant may have; null: no limit. */
export interface TenantQuotas {
  /** Living schedules. */
  readonly schedules: number | null;
  /** Slots that become runs, by the minute of the database's clock. */
  readonly firesPerMinute: number | null;
  /** Attempts in flight at once. */
  readonly concurrentDeliveries: number | null;
  /** A payload, or a body sent instead of it, as JSON. */
  readonly payloadBytes: number;
  /** Between two slots of one schedule. */
  readonly minIntervalSec: number | null;
  /** Requests to the API, on average; `requestBurst` at once, as many as a second's without. */
  readonly requestsPerSec: number | null;
  readonly requestBurst: number | null;
}

type Some<T> = { readonly [Name in keyof T]?: T[Name] | undefined };

/** What a tenant chose itself; left out: the service's. */
export interface ChosenDefaults extends Some<Omit<TenantDefaults, 'retry'>> {
  readonly retry?: Some<RetryPolicy> | undefined;
}

/** What the platform granted a tenant; left out: the service's. */
export type GrantedQuotas = { readonly [Name in keyof TenantQuotas]?: number | undefined };

/** What holds for a tenant that has chosen nothing and was granted nothing. */
export interface ServicePolicy {
  readonly defaults: TenantDefaults;
  readonly quotas: TenantQuotas;
}

/** What holds for one tenant. */
export interface TenantPolicy extends ServicePolicy {
  readonly tenantId: TenantId;
  readonly state: TenantLifecycle;
  /** A row of its own exists. */
  readonly isKnown: boolean;
}

/** The defaults of every service, whatever its configuration. */
export const SERVICE_DEFAULTS: Omit<TenantDefaults, 'retentionDays'> = {
  tz: 'UTC',
  retry: {
    maxAttempts: 8,
    initialDelaySec: 5,
    backoffCoefficient: 3,
    maxDelaySec: 3600,
    jitter: 1,
    maxAgeSec: 86_400,
  },
};

/** The policy of a tenant by its row, null where it has none. Nothing is kept longer than the service keeps it. */
export function policyOf(tenantId: TenantId, row: TenantState | null, service: ServicePolicy): TenantPolicy {
  return {
    tenantId,
    state: row?.state ?? 'ACTIVE',
    isKnown: row !== null,
    defaults: row === null ? service.defaults : chosen(row.defaults, service.defaults),
    quotas: granted(row?.quotas ?? {}, service.quotas),
  };
}

function chosen(given: ChosenDefaults, service: TenantDefaults): TenantDefaults {
  return {
    tz: given.tz ?? service.tz,
    retry: filledRetry(given.retry ?? {}, service.retry),
    retentionDays: Math.min(given.retentionDays ?? service.retentionDays, service.retentionDays),
  };
}

function granted(given: GrantedQuotas, service: TenantQuotas): TenantQuotas {
  return {
    schedules: given.schedules ?? service.schedules,
    firesPerMinute: given.firesPerMinute ?? service.firesPerMinute,
    concurrentDeliveries: given.concurrentDeliveries ?? service.concurrentDeliveries,
    payloadBytes: given.payloadBytes ?? service.payloadBytes,
    minIntervalSec: given.minIntervalSec ?? service.minIntervalSec,
    requestsPerSec: given.requestsPerSec ?? service.requestsPerSec,
    requestBurst: given.requestBurst ?? service.requestBurst,
  };
}

/** The retry policy with what is left out taken from `defaults`. */
export function filledRetry(given: NonNullable<ChosenDefaults['retry']>, defaults: RetryPolicy): RetryPolicy {
  return {
    maxAttempts: given.maxAttempts ?? defaults.maxAttempts,
    initialDelaySec: given.initialDelaySec ?? defaults.initialDelaySec,
    backoffCoefficient: given.backoffCoefficient ?? defaults.backoffCoefficient,
    maxDelaySec: given.maxDelaySec ?? defaults.maxDelaySec,
    jitter: given.jitter ?? defaults.jitter,
    maxAgeSec: given.maxAgeSec ?? defaults.maxAgeSec,
  };
}
