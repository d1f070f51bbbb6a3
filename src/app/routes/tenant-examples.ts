import type { ExamplesByOperation } from '../middleware/openapi-document.ts';

const retry = {
  maxAttempts: 5,
  initialDelaySec: 5,
  backoffCoefficient: 3,
  maxDelaySec: 3600,
  jitter: 1,
  maxAgeSec: 86_400,
};

const tenant = {
  id: 'tenant-123',
  name: 'Acme',
  state: 'ACTIVE',
  suspension: null,
  defaults: { tz: 'Europe/Berlin', retry, retentionDays: 14 },
  quotas: {
    schedules: 5000,
    firesPerMinute: 600,
    concurrentDeliveries: 50,
    payloadBytes: 262_144,
    minIntervalSec: 60,
    requestsPerSec: 50,
    requestBurst: 200,
  },
  version: 2,
  createdAt: '2026-03-17T10:12:41.000Z',
  updatedAt: '2026-03-17T10:14:02.000Z',
};

const defaults = { tz: 'Europe/Berlin', retry: { maxAttempts: 5 }, retentionDays: 14 };

/** What the API's description shows of tenants. */
export const TENANT_EXAMPLES: ExamplesByOperation = {
  getTenant: { answer: tenant },
  patchTenant: { bodies: { defaults: { defaults }, reset: { defaults: { tz: null } } }, answer: tenant },
  listTenants: { answer: { items: [tenant], nextCursor: null } },
  createTenant: {
    bodies: { quotas: { id: 'tenant-123', name: 'Acme', defaults, quotas: { schedules: 5000, minIntervalSec: 60 } } },
    answer: { ...tenant, version: 1 },
  },
  getTenantById: { answer: tenant },
  suspendTenant: {
    bodies: { noted: { note: 'invoice overdue' }, asItIs: {} },
    answer: {
      ...tenant,
      state: 'SUSPENDED',
      suspension: { note: 'invoice overdue', by: 'user-1', at: '2026-03-17T10:14:02.000Z' },
    },
  },
  resumeTenant: { bodies: { catchUp: { missed: 'FIRE_ONCE' }, skip: {} }, answer: { ...tenant, version: 3 } },
  deleteTenant: { answer: { ...tenant, state: 'DELETING', version: 3 } },
  patchTenantById: { bodies: { quotas: { quotas: { schedules: 5000, minIntervalSec: null } } }, answer: tenant },
};
