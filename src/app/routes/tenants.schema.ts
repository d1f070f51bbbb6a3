import { z } from 'zod';
import type { TenantInput } from '../../domain/entities/tenant.ts';
import { asTenantId } from '../../domain/ids.ts';
import type { TenantWithPolicy } from '../../domain/services/tenant-service.ts';
import { failsAs, parsedBy } from '../middleware/field-problems.ts';
import { instantShown, line, whole, zone } from './fields.ts';
import { cursorFields, listShown } from './paging.ts';
import { optionalBody, query, tenantId } from './request-parts.ts';
import { retry } from './schedule-input.ts';
import { mergePatch } from './schedule-patch.ts';
import { missedChoice } from './schedules.schema.ts';

const MANY = 2_147_483_647;
/** What is left of a body of 1 MiB for the rest of a schedule. */
const LARGEST_PAYLOAD = 900 * 1024;

const defaults = z
  .strictObject({
    tz: zone.optional(),
    retry: retry.optional(),
    retentionDays: whole(1, 3650).optional().meta({ description: 'At most the service’s RETENTION_DAYS' }),
  })
  .meta({ id: 'TenantDefaults' });

const quotas = z
  .strictObject({
    schedules: whole(0, MANY).optional(),
    firesPerMinute: whole(0, MANY).optional(),
    concurrentDeliveries: whole(1, MANY).optional(),
    payloadBytes: whole(1, LARGEST_PAYLOAD).optional(),
    minIntervalSec: whole(1, MANY).optional(),
    requestsPerSec: z.number().min(0.01).max(1_000_000).optional(),
    requestBurst: whole(1, 1_000_000).optional(),
  })
  .meta({ id: 'TenantQuotas' });

const name = line(200).nullable().default(null);

/** The body that makes a tenant. */
export const tenantBody = z
  .strictObject({
    id: z
      .string()
      .meta({ examples: ['tenant-123'] })
      .transform((text, context) => {
        const id = asTenantId(text);
        if (id !== null) return id;
        context.addIssue({
          code: 'custom',
          message: 'must be 1 to 100 letters, digits, ., _ or -, the first a letter or digit',
        });
        return z.NEVER;
      }),
    name,
    defaults: defaults.default({}),
    quotas: quotas.default({}),
  })
  .meta({ id: 'TenantBody' });

const input = z.strictObject({ name, defaults, quotas });

const value = z.union([z.number(), z.string()]).nullable().optional();
const part = <Name extends string>(names: readonly Name[]) =>
  z
    .strictObject(Object.fromEntries(names.map((known) => [known, value])))
    .nullable()
    .optional();

const patchFields = {
  tenantId,
  name: z.string().nullable().optional(),
  defaults: z
    .strictObject({ tz: value, retry: part(Object.keys(retry.shape)), retentionDays: value })
    .nullable()
    .optional(),
};

/** What an administrator says of the own tenant. What values may be is decided once they are merged. */
export const tenantPatch = z.strictObject(patchFields).meta({
  id: 'TenantPatch',
  description: 'JSON Merge Patch (RFC 7396): fields left out stay, null means the service’s default.',
});

/** What the platform says of a tenant. */
export const platformTenantPatch = z
  .strictObject({ ...patchFields, quotas: part(Object.keys(quotas.shape)) })
  .meta({ id: 'PlatformTenantPatch', description: 'As TenantPatch, with quotas.' });

/** The input that `current` becomes under the patch. Throws VALIDATION_FAILED. */
export function patchedTenant(
  current: TenantInput,
  { tenantId: _tenant, ...patch }: z.output<typeof platformTenantPatch>,
): TenantInput {
  return parsedBy(input, mergePatch({ defaults: {}, quotas: {} }, mergePatch(current, patch)));
}

export const suspendTenantBody = optionalBody('SuspendTenantBody', {
  note: line(1000, 0)
    .nullable()
    .default(null)
    .meta({ examples: ['invoice overdue'] }),
});

export const resumeTenantBody = optionalBody('ResumeTenantBody', {
  missed: missedChoice.default('SKIP').meta({ description: 'What becomes of slots that passed meanwhile' }),
});

/** The path of one tenant; what cannot be an id is a tenant that does not exist. */
export const tenantParams = z.strictObject({
  id: z
    .string()
    .meta({ examples: ['tenant-123'] })
    .transform((text, context) => {
      const id = asTenantId(text);
      if (id !== null) return id;
      context.addIssue({ code: 'custom', message: 'no such tenant', params: failsAs('NOT_FOUND') });
      return z.NEVER;
    }),
});

export const tenantsQuery = query(cursorFields);

/** The last id of a page. */
export const tenantPosition = z.string().transform((text, context) => {
  const id = asTenantId(text);
  if (id !== null) return id;
  context.addIssue({ code: 'custom', message: 'must be the id of a tenant' });
  return z.NEVER;
});

const limit = z.number().nullable();

export const tenantShown = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    state: z.enum(['ACTIVE', 'SUSPENDED', 'DELETING']),
    suspension: z.object({ note: z.string().nullable(), by: z.string(), at: z.string() }).nullable(),
    defaults: z.object({
      tz: z.string(),
      retry: z.object({
        maxAttempts: z.number(),
        initialDelaySec: z.number(),
        backoffCoefficient: z.number(),
        maxDelaySec: z.number(),
        jitter: z.number(),
        maxAgeSec: z.number(),
      }),
      retentionDays: z.number().meta({ description: 'How long ended runs are kept' }),
    }),
    quotas: z
      .object({
        schedules: limit.meta({ description: 'Living schedules' }),
        firesPerMinute: limit.meta({
          description: 'Slots that become runs, by the minute of the clock; more are SKIPPED',
        }),
        concurrentDeliveries: limit.meta({ description: 'Attempts in flight at once; more wait' }),
        payloadBytes: z.number(),
        minIntervalSec: limit.meta({ description: 'Between two slots of one schedule' }),
        requestsPerSec: limit.meta({ description: 'Requests to the API, on average' }),
        requestBurst: limit.meta({ description: 'Requests at once; null: as many as in a second' }),
      })
      .meta({ description: 'What holds: what the platform granted, else the service’s; null is no limit' }),
    version: z.int().meta({ description: 'Grows with every change; the ETag' }),
    createdAt: instantShown,
    updatedAt: instantShown,
  })
  .meta({ id: 'Tenant' });

export const tenantPage = listShown(tenantShown).meta({ id: 'TenantPage' });

/** What an answer says of a tenant. */
export function showTenant({ tenant, policy }: TenantWithPolicy): z.output<typeof tenantShown> {
  const { tenantId: id, ...state } = tenant.state;
  return { ...state, id, defaults: policy.defaults, quotas: policy.quotas };
}
