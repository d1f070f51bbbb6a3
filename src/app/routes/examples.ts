import type { ExamplesByOperation } from '../middleware/openapi-document.ts';
import { AUDIT_EXAMPLES } from './audit-examples.ts';
import { BULK_EXAMPLES } from './bulk-examples.ts';
import { CALENDAR_EXAMPLES } from './calendar-examples.ts';
import { REDRIVE_EXAMPLES } from './redrive-examples.ts';
import { SECRET_EXAMPLES } from './secret-examples.ts';
import { TENANT_EXAMPLES } from './tenant-examples.ts';

const SCHEDULE_ID = '0198c5b2-7a31-7c44-9d0e-2f6b8a1c3e55';

const cronToEvent = {
  tenantId: 'tenant-123',
  name: 'Daily Report',
  tz: 'Europe/Berlin',
  trigger: { type: 'CRON', cron: '0 9 * * *' },
  target: { kind: 'EVENT', eventTopic: 'reports.daily.generate' },
  enabled: true,
};

const rruleToHttp = {
  name: 'Weekly digest',
  key: 'digest:weekly',
  tz: 'America/New_York',
  trigger: { type: 'RRULE', rrule: 'FREQ=WEEKLY;BYDAY=MO;BYHOUR=9' },
  target: { kind: 'HTTP', http: { url: 'https://example.com/hooks/digest', headers: { 'X-Team': 'growth' } } },
  payload: { audience: 'all' },
};

const fixedDelayToQueue = {
  name: 'Sync invoices',
  trigger: { type: 'FIXED_DELAY', delaySec: 300 },
  target: { kind: 'QUEUE', queue: { topic: 'billing.invoices' } },
  labels: { team: 'billing' },
};

const oneShotToEvent = {
  name: 'Trial ends',
  trigger: { type: 'ONE_SHOT', startAt: '2030-01-01T09:00:00Z' },
  target: { kind: 'EVENT', eventTopic: 'trials.ended' },
  onCompletion: 'DELETE',
};

const intervalToCommand = {
  name: 'Clean up',
  trigger: { type: 'INTERVAL', every: 'PT6H' },
  target: { kind: 'COMMAND', command: { name: 'cleanup' } },
  overlapPolicy: 'SKIP',
  retry: { maxAttempts: 3 },
};

const schedule = {
  id: SCHEDULE_ID,
  tenantId: 'tenant-123',
  name: 'Daily Report',
  key: null,
  description: null,
  labels: {},
  scope: 'TENANT',
  organizationId: null,
  tz: 'Europe/Berlin',
  trigger: { type: 'CRON', cron: '0 9 * * *' },
  target: { kind: 'EVENT', eventTopic: 'reports.daily.generate' },
  payload: null,
  enabled: true,
  state: 'ACTIVE',
  stateReason: null,
  pause: null,
  startAt: null,
  endAt: null,
  maxFires: null,
  jitter: null,
  dst: {},
  calendars: null,
  overlapPolicy: 'SKIP',
  misfire: { policy: 'FIRE_ONCE', thresholdSec: 60, windowSec: 86400 },
  retry: { maxAttempts: 8, initialDelaySec: 5, backoffCoefficient: 3, maxDelaySec: 3600, jitter: 1, maxAgeSec: 86400 },
  timeoutSec: 30,
  pauseOnFailures: null,
  onCompletion: 'KEEP',
  nextFireAt: '2026-03-30T07:00:00.000Z',
  lastFireAt: '2026-03-29T07:00:00.000Z',
  fireCount: 12,
  version: 3,
  createdAt: '2026-03-17T10:12:41.000Z',
  updatedAt: '2026-03-18T08:00:00.000Z',
  createdBy: 'user-1',
};

const paused = {
  ...schedule,
  enabled: false,
  state: 'PAUSED',
  pause: { note: 'release freeze', by: 'user-1', at: '2026-03-29T12:00:00.000Z', resumeAt: null },
  nextFireAt: null,
  version: 4,
};

const run = {
  id: '06ejgp3hg000000006ccbcjq65u4978e5tlok71uak',
  scheduleId: SCHEDULE_ID,
  tenantId: 'tenant-123',
  cause: 'SCHEDULE',
  scheduledFor: '2026-03-29T07:00:00.000Z',
  state: 'SUCCEEDED',
  reason: null,
  range: null,
  attempts: [
    {
      number: 1,
      startedAt: '2026-03-29T07:00:00.007Z',
      endedAt: '2026-03-29T07:00:00.048Z',
      outcome: 'ACCEPTED',
      httpStatus: 200,
    },
  ],
  latenessMs: 7,
  durationMs: 41,
  startedAt: '2026-03-29T07:00:00.007Z',
  endedAt: '2026-03-29T07:00:00.048Z',
  nextAttemptAt: null,
  traceId: 'cf09c062296a8e2957c5f2d1f8883943',
  scheduleVersion: 3,
};

const waiting = {
  ...run,
  cause: 'MANUAL',
  state: 'PENDING',
  attempts: [],
  latenessMs: null,
  durationMs: null,
  startedAt: null,
  endedAt: null,
};
const dead = {
  ...run,
  state: 'DEAD',
  reason: 'REFUSED',
  attempts: [{ ...run.attempts[0], outcome: 'HTTP_STATUS', httpStatus: 404, error: 'the target answered 404' }],
};

const upcoming = {
  description: 'At 09:00',
  slots: [
    {
      scheduledFor: '2026-03-30T07:00:00.000Z',
      local: '2026-03-30T09:00:00+02:00',
      dst: null,
      movedFrom: null,
      dueAt: '2026-03-30T07:00:00.000Z',
    },
  ],
  exhausted: false,
};

const definitions = { cronToEvent, rruleToHttp, fixedDelayToQueue, oneShotToEvent, intervalToCommand };

/** What the API's description shows of each operation; bodies work as they stand. */
export const EXAMPLES: ExamplesByOperation = {
  createSchedule: { bodies: definitions, answer: schedule },
  listSchedules: { answer: { items: [schedule], nextCursor: null, page: 1, pageSize: 20, total: 1 } },
  getSchedule: { answer: schedule },
  patchSchedule: {
    bodies: {
      disable: { enabled: false },
      rename: { name: 'Daily Report, Europe' },
      anotherTrigger: { trigger: { type: 'INTERVAL', every: '2h' } },
    },
    answer: { ...paused, pause: { ...paused.pause, note: null } },
  },
  replaceSchedule: { bodies: { cronToEvent }, answer: schedule },
  upsertScheduleByKey: { bodies: { cronToEvent, fixedDelayToQueue }, answer: { ...schedule, key: 'reports:daily' } },
  pauseSchedule: { bodies: { withNote: { note: 'release freeze' }, withoutNote: {} }, answer: paused },
  resumeSchedule: { bodies: { skipMissed: { missed: 'SKIP' }, fireOnce: { missed: 'FIRE_ONCE' } }, answer: schedule },
  skipNextSlot: { bodies: { asItIs: {} }, answer: schedule },
  triggerSchedule: { bodies: { withPayload: { payload: { report: 'now' } }, asDefined: {} }, answer: waiting },
  createBackfill: {
    bodies: { march: { from: '2026-03-01T00:00:00Z', to: '2026-03-31T00:00:00Z', limit: 100 } },
    answer: {
      id: '0198c5b2-9c11-7d02-8a41-5e0f6a7b8c9d',
      scheduleId: SCHEDULE_ID,
      from: '2026-03-01T00:00:00.000Z',
      to: '2026-03-31T00:00:00.000Z',
      count: 30,
      createdAt: '2026-04-01T08:00:00.000Z',
    },
  },
  listUpcomingSlots: { answer: upcoming },
  previewSchedule: {
    bodies: { cron: { tz: 'Europe/Berlin', trigger: { type: 'CRON', cron: '0 9 * * *' }, count: 5 } },
    answer: upcoming,
  },
  listRuns: { answer: { items: [run], nextCursor: null } },
  listScheduleRuns: { answer: { items: [run], nextCursor: null } },
  listDeadLetters: { answer: { items: [dead], nextCursor: null } },
  getRun: { answer: run },
  retryRun: {
    bodies: { asItIs: {} },
    answer: { ...dead, state: 'PENDING', reason: null, endedAt: null, durationMs: null },
  },
  cancelRun: { bodies: { asItIs: {} }, answer: { ...waiting, state: 'CANCELLED', reason: 'BY_USER' } },
  ...BULK_EXAMPLES,
  ...REDRIVE_EXAMPLES,
  ...CALENDAR_EXAMPLES,
  ...SECRET_EXAMPLES,
  ...AUDIT_EXAMPLES,
  ...TENANT_EXAMPLES,
  getHealth: {
    answer: {
      status: 'ok',
      build: 'dev',
      version: '0.1.0',
      tzdata: '2026a',
      components: { database: { status: 'ok', latencyMs: 1, detail: null } },
    },
  },
  getReadiness: { answer: { status: 'ok' } },
  getLiveness: { answer: { status: 'ok' } },
  getOpenApi: { answer: { openapi: '3.1.0' } },
  receiveEcho: { bodies: { anything: { hello: 'world' } }, answer: { received: 1 } },
  listEchoRequests: {
    answer: {
      items: [
        {
          number: 1,
          kind: 'HTTP',
          receivedAt: '2026-03-29T07:00:00.010Z',
          method: 'POST',
          path: '/echo',
          headers: { 'content-type': 'application/json' },
          body: { hello: 'world' },
          truncated: false,
        },
      ],
    },
  },
};
