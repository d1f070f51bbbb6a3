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

const signingKey = {
  id: '0198c5b2-9c11-7d02-8a41-5e0f6a7b8c9d',
  keyId: 'q1Zr0x9A',
  createdAt: '2026-03-17T10:12:41.000Z',
};

/** What the API's description shows of secrets and signing keys. */
export const SECRET_EXAMPLES: ExamplesByOperation = {
  listSecrets: { answer: { items: [secret], nextCursor: null } },
  getSecret: { answer: secret },
  listSigningKeys: { answer: { items: [signingKey] } },
  createSigningKey: {
    bodies: { asItIs: {} },
    answer: { ...signingKey, key: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
  },
  putSecret: { bodies: { token: { value: 'a-token-of-the-receiver' } }, answer: secret },
};
