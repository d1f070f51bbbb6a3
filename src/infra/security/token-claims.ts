import type { JWTPayload } from 'jose';
import type { Role } from '../../domain/entities/caller.ts';
import { asTenantId, type TenantId } from '../../domain/ids.ts';
import type { Identity } from '../../domain/ports/token-verifier.ts';

/** Names of claims; a dotted name (`realm_access.roles`) reaches into an object where no claim bears it whole. */
export interface ClaimNames {
  /** One tenant, or a list. */
  readonly tenant: string;
  readonly tenants: string;
  /** A list, or words with spaces between. Roles that are not ours are ignored. */
  readonly roles: string;
  readonly organization: string;
}

export const DEFAULT_CLAIMS: ClaimNames = {
  tenant: 'tenant_id',
  tenants: 'tenants',
  roles: 'roles',
  organization: 'organization_id',
};

const ROLES: Readonly<Record<Role, true>> = { viewer: true, operator: true, editor: true, admin: true, platform: true };
const MAX_TEXT = 200;

/** Who the claims of a verified token speak for; null when they name no subject, or an organization that cannot be read. */
export function identityOf(payload: JWTPayload, names: ClaimNames): Identity | null {
  const subject = readText(payload.sub);
  const organization = claim(payload, names.organization);
  const organizationId = readText(organization);
  if (subject === null || (organization !== undefined && organization !== null && organizationId === null)) return null;
  return {
    subject,
    tenants: [
      ...new Set(
        [...texts(claim(payload, names.tenant)), ...texts(claim(payload, names.tenants))]
          .map(asTenantId)
          .filter(isTenant),
      ),
    ],
    roles: [...new Set(words(claim(payload, names.roles)).filter(isRole))],
    organizationId,
  };
}

function claim(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  let value: unknown = payload;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Object.entries(value).find(([key]) => key === part)?.[1];
  }
  return value;
}

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function words(value: unknown): string[] {
  return typeof value === 'string' ? value.split(' ') : texts(value);
}

/** Subjects and organizations end up in rows and headers: printable, and no longer than a name. */
function readText(value: unknown): string | null {
  if (typeof value !== 'string' || value.length === 0 || value.length > MAX_TEXT) return null;
  return /[\u0000-\u001f\u007f]/.test(value) || !value.isWellFormed() ? null : value;
}

function isTenant(tenant: TenantId | null): tenant is TenantId {
  return tenant !== null;
}

function isRole(word: string): word is Role {
  return Object.hasOwn(ROLES, word);
}
