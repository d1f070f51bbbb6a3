import type { ExamplesByOperation } from '../middleware/openapi-document.ts';

const secret = {
  name: 'REPORTS_TOKEN',
  tenantId: 'tenant-123',
  keyId: 'q1Zr0x9A',
  version: 1,
  createdAt: '2026-03-17T10:12:41.000Z',
  updatedAt: '2026-03-17T10:12:41.000Z',
  createdBy: 'user-1',
  updatedBy: 'user-1',
};

/** What the API's description shows of secrets. */
export const SECRET_EXAMPLES: ExamplesByOperation = {
  listSecrets: { answer: { items: [secret], nextCursor: null } },
  getSecret: { answer: secret },
  putSecret: { bodies: { token: { value: 'a-token-of-the-receiver' } }, answer: secret },
};
