import type { ExamplesByOperation } from '../middleware/openapi-document.ts';

const entry = {
  id: '0198c5b2-9c11-7d02-8a41-5e0f6a7b8c9e',
  at: '2026-03-29T12:00:00.000Z',
  subject: 'user-1',
  action: 'schedule.paused',
  resource: 'schedule/0198c5b2-7a31-7c44-9d0e-2f6b8a1c3e55',
  before: { state: 'ACTIVE', pause: null, version: 3 },
  after: {
    state: 'PAUSED',
    pause: { note: 'release freeze', by: 'user-1', at: '2026-03-29T12:00:00.000Z', resumeAt: null },
    version: 4,
  },
  traceId: 'cf09c062296a8e2957c5f2d1f8883943',
};

/** What the API's description shows of the audit trail. */
export const AUDIT_EXAMPLES: ExamplesByOperation = {
  listAuditEntries: { answer: { items: [entry], nextCursor: null } },
};
