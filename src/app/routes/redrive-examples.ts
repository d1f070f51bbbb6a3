import type { ExamplesByOperation } from '../middleware/openapi-document.ts';

const redrive = {
  id: '0198c5b2-9c11-7d02-8a41-5e0f6a7b8c9d',
  state: 'RUNNING',
  ratePerSec: 20,
  redriven: 0,
  createdAt: '2026-04-01T08:00:00.000Z',
  createdBy: 'user-1',
  endedAt: null,
};

export const REDRIVE_EXAMPLES: ExamplesByOperation = {
  redriveDeadLetters: {
    bodies: {
      outage: { filter: { from: '2026-03-31T20:00:00Z', to: '2026-04-01T06:00:00Z' }, ratePerSec: 20 },
      chosen: { ids: ['06ejgp3hg000000006ccbcjq65u4978e5tlok71uak'] },
    },
    answer: redrive,
  },
  listRedrives: { answer: { items: [redrive] } },
  getRedrive: { answer: { ...redrive, state: 'DONE', redriven: 412, endedAt: '2026-04-01T08:00:21.000Z' } },
};
