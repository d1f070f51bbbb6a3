import type { ExamplesByOperation } from '../middleware/openapi-document.ts';

const daily = {
  name: 'Daily Report',
  key: 'reports:daily',
  tz: 'Europe/Berlin',
  trigger: { type: 'CRON', cron: '0 9 * * *' },
  target: { kind: 'EVENT', eventTopic: 'reports.daily.generate' },
};

const sync = {
  name: 'Sync invoices',
  trigger: { type: 'FIXED_DELAY', delaySec: 300 },
  target: { kind: 'QUEUE', queue: { topic: 'billing.invoices' } },
};

export const BULK_EXAMPLES: ExamplesByOperation = {
  bulkSchedules: {
    bodies: {
      declare: {
        items: [
          { op: 'UPSERT', schedule: daily },
          { op: 'CREATE', schedule: sync },
          { op: 'PAUSE', key: 'digest:weekly', note: 'release freeze' },
        ],
      },
      allOrNone: { atomic: true, items: [{ op: 'UPSERT', schedule: daily }] },
    },
    answer: {
      succeeded: 1,
      refused: 1,
      items: [
        {
          index: 0,
          status: 201,
          result: 'CREATED',
          id: '0198c5b2-7a31-7c44-9d0e-2f6b8a1c3e55',
          key: 'reports:daily',
          version: 1,
          problem: null,
        },
        {
          index: 1,
          status: 404,
          result: 'REFUSED',
          id: null,
          key: null,
          version: null,
          problem: {
            type: 'urn:problem-type:scheduler:not-found',
            title: 'Not found',
            status: 404,
            detail: 'no such schedule',
            code: 'NOT_FOUND',
            traceId: 'cf09c062296a8e2957c5f2d1f8883943',
          },
        },
      ],
    },
  },
};
