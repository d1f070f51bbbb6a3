import type { Role } from '../../domain/entities/caller.ts';
import type { TenantLifecycle } from '../../domain/entities/tenant.ts';
import { DomainError } from '../../domain/errors.ts';

/** What an operation needs. PUBLIC: not even a token. */
export type Capability = 'PUBLIC' | 'READ' | 'OPERATE' | 'WRITE' | 'ADMINISTER' | 'ALL_TENANTS';

/** Which capability each operation of the API needs: the one table of it. An operation that is not here does not start. */
export const CAPABILITIES = {
  createSchedule: 'WRITE',
  listSchedules: 'READ',
  getSchedule: 'READ',
  patchSchedule: 'WRITE',
  replaceSchedule: 'WRITE',
  upsertScheduleByKey: 'WRITE',
  deleteSchedule: 'WRITE',
  /** Each item needs what its single operation does. */
  bulkSchedules: 'OPERATE',
  pauseSchedule: 'OPERATE',
  resumeSchedule: 'OPERATE',
  triggerSchedule: 'OPERATE',
  skipNextSlot: 'OPERATE',
  createBackfill: 'OPERATE',
  listUpcomingSlots: 'READ',
  previewSchedule: 'READ',
  listRuns: 'READ',
  getRun: 'READ',
  listScheduleRuns: 'READ',
  listDeadLetters: 'READ',
  retryRun: 'OPERATE',
  redriveDeadLetters: 'OPERATE',
  listRedrives: 'READ',
  getRedrive: 'READ',
  cancelRedrive: 'OPERATE',
  cancelRun: 'OPERATE',
  createCalendar: 'WRITE',
  listCalendars: 'READ',
  getCalendar: 'READ',
  replaceCalendar: 'WRITE',
  deleteCalendar: 'WRITE',
  listSecrets: 'ADMINISTER',
  getSecret: 'ADMINISTER',
  putSecret: 'ADMINISTER',
  deleteSecret: 'ADMINISTER',
  listSigningKeys: 'ADMINISTER',
  createSigningKey: 'ADMINISTER',
  deleteSigningKey: 'ADMINISTER',
  listAuditEntries: 'ADMINISTER',
  getTenant: 'ADMINISTER',
  patchTenant: 'ADMINISTER',
  listTenants: 'ALL_TENANTS',
  createTenant: 'ALL_TENANTS',
  getTenantById: 'ALL_TENANTS',
  patchTenantById: 'ALL_TENANTS',
  suspendTenant: 'ALL_TENANTS',
  resumeTenant: 'ALL_TENANTS',
  deleteTenant: 'ALL_TENANTS',
  getHealth: 'PUBLIC',
  getReadiness: 'PUBLIC',
  getLiveness: 'PUBLIC',
  getOpenApi: 'PUBLIC',
  receiveEcho: 'PUBLIC',
  listEchoRequests: 'PUBLIC',
  refuseMethod: 'PUBLIC',
} as const satisfies Readonly<Record<string, Capability>>;

/** What a suspended tenant may still change: its settings, and what ends or holds things. */
const ALLOWED_WHILE_SUSPENDED: readonly string[] = [
  'deleteSchedule',
  'pauseSchedule',
  'skipNextSlot',
  'cancelRun',
  'cancelRedrive',
  'deleteCalendar',
  'patchTenant',
  'putSecret',
  'deleteSecret',
] satisfies readonly (keyof typeof CAPABILITIES)[];

/** Throws TENANT_SUSPENDED for a change that makes new work for a tenant that is suspended, and for any change of one that is being deleted. */
export function refuseInactive(state: TenantLifecycle, operationId: string | undefined): void {
  if (state === 'ACTIVE') return;
  if (state === 'DELETING') throw new DomainError('TENANT_SUSPENDED', 'the tenant is being deleted');
  if (!ALLOWED_WHILE_SUSPENDED.includes(operationId ?? ''))
    throw new DomainError('TENANT_SUSPENDED', 'the tenant is suspended: it takes nothing new');
}

/** Which capabilities each role grants. */
export const ROLES: Readonly<Record<Role, readonly Capability[]>> = {
  viewer: ['READ'],
  operator: ['READ', 'OPERATE'],
  editor: ['READ', 'OPERATE', 'WRITE'],
  admin: ['READ', 'OPERATE', 'WRITE', 'ADMINISTER'],
  platform: ['READ', 'OPERATE', 'WRITE', 'ADMINISTER', 'ALL_TENANTS'],
};

/** The capability that the operation needs. Throws at boot for an operation without an entry: a route must never be open by omission. */
export function capabilityOf(operationId: string | undefined): Capability {
  const entry = Object.entries(CAPABILITIES).find(([known]) => known === operationId);
  if (entry === undefined)
    throw new Error(`operation ${operationId ?? 'without operationId'} has no entry in the table of capabilities`);
  return entry[1];
}

/** True when one of the roles grants it. */
export function grants(roles: readonly Role[], capability: Capability): boolean {
  return capability === 'PUBLIC' || roles.some((role) => ROLES[role].includes(capability));
}

/** Throws PERMISSION_DENIED unless one of the roles grants the capability. */
export function authorize(roles: readonly Role[], capability: Capability): void {
  if (!grants(roles, capability))
    throw new DomainError(
      'PERMISSION_DENIED',
      `none of the token's roles may do this; it needs ${neededRole(capability)}`,
    );
}

function neededRole(capability: Capability): string {
  return Object.entries(ROLES)
    .filter(([, granted]) => granted.includes(capability))
    .map(([role]) => role)
    .join(', ');
}
