import { describe, expect, it } from 'vitest';
import { OTHER_TENANT, problemIn, scheduleBody, useServer } from './support.ts';

describe('POST /schedules', () => {
  const server = useServer();

  it('makes a schedule, with its defaults filled in', async () => {
    const body = {
      tenantId: 'tenant-123',
      name: 'Daily Report',
      tz: 'Europe/Berlin',
      trigger: { type: 'CRON', cron: '0 9 * * *' },
      target: { kind: 'EVENT', eventTopic: 'reports.daily.generate' },
      enabled: true,
    };
    const answer = await server().request('POST', '/schedules', { body });
    const { id, nextFireAt, createdAt, updatedAt, ...rest } = answer.json();
    expect([answer.statusCode, answer.headers['etag'], answer.headers['location']]).toEqual([
      201,
      '"1"',
      `/schedules/${id}`,
    ]);
    expect(rest).toEqual({
      ...body,
      key: null,
      description: null,
      labels: {},
      scope: 'TENANT',
      organizationId: null,
      payload: null,
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
      misfire: { policy: 'FIRE_ONCE', thresholdSec: 60, windowSec: 86_400 },
      retry: {
        maxAttempts: 8,
        initialDelaySec: 5,
        backoffCoefficient: 3,
        maxDelaySec: 3600,
        jitter: 1,
        maxAgeSec: 86_400,
      },
      timeoutSec: 30,
      pauseOnFailures: null,
      onCompletion: 'KEEP',
      lastFireAt: null,
      fireCount: 0,
      version: 1,
      createdBy: 'user-1',
    });
    expect(nextFireAt).toMatch(/T0[78]:00:00\.000Z$/);
    expect([createdAt, updatedAt]).toEqual([expect.stringMatching(/\.\d{3}Z$/), createdAt]);
  });

  it.each([
    { trigger: { type: 'RRULE', rrule: 'FREQ=WEEKLY;BYDAY=MO;BYHOUR=9' } },
    { trigger: { type: 'RRULE', rrule: 'DTSTART:20300101T090000Z\nRRULE:FREQ=DAILY;COUNT=3' } },
    { trigger: { type: 'INTERVAL', every: 'PT6H' } },
    { trigger: { type: 'INTERVAL', every: '15m', repeat: 3 } },
    { trigger: { type: 'INTERVAL', iso8601: 'R10/2030-01-01T00:00:00Z/PT6H' } },
    { trigger: { type: 'FIXED_DELAY', delaySec: 300 } },
    { trigger: { type: 'ONE_SHOT', startAt: '2030-01-01T09:00:00' } },
    { trigger: { type: 'CRON', cron: '@hourly' } },
    { target: { kind: 'HTTP', http: { url: 'https://example.com/hook' } } },
    {
      target: { kind: 'HTTP', http: { url: 'http://example.com', method: 'PUT', headers: { 'X-A': 'b' }, body: [1] } },
    },
    { target: { kind: 'QUEUE', queue: { topic: 'billing.invoices' } } },
    { target: { kind: 'QUEUE', queue: { topic: 'billing/invoices', driver: 'NATS' } } },
    {
      target: {
        kind: 'QUEUE',
        queue: { topic: 'a', driver: 'REDIS', options: { jobName: 'b', attempts: 3, priority: 0 } },
      },
    },
    { target: { kind: 'QUEUE', queue: { topic: 'a', driver: 'AMQP', options: { priority: 255, ttlSec: 60 } } } },
    { name: '🗓'.repeat(200), labels: { team: 'billing', empty: '' }, description: 'two\nlines' },
    {
      dst: { gap: 'SHIFT', fold: 'BOTH' },
      jitter: 'PT30S',
      startAt: '2030-01-01T00:00:00+02:00',
      endAt: '2031-01-01T00:00:00Z',
      maxFires: 2,
    },
    {
      overlapPolicy: 'ALLOW_ALL',
      misfire: { policy: 'SKIP' },
      retry: { maxAttempts: 1 },
      timeoutSec: 900,
      pauseOnFailures: 1000,
      onCompletion: 'DELETE',
    },
    { payload: 'text' },
    { payload: [null, { deep: { constructor: 1 } }, -0.5] },
    { tz: 'europe/berlin' },
  ])('accepts $0', async (fields) => {
    const answer = await server().request('POST', '/schedules', { body: scheduleBody(fields) });
    expect([answer.statusCode, answer.body]).toEqual([201, expect.any(String)]);
  });

  it('fills in the parts of a nested policy that are left out', async () => {
    const body = scheduleBody({
      retry: { maxAttempts: 3 },
      misfire: { policy: 'SKIP' },
      target: { kind: 'HTTP', http: { url: 'https://example.com/' } },
    });
    const { retry, misfire, target } = (await server().request('POST', '/schedules', { body })).json();
    expect(retry).toEqual({
      maxAttempts: 3,
      initialDelaySec: 5,
      backoffCoefficient: 3,
      maxDelaySec: 3600,
      jitter: 1,
      maxAgeSec: 86_400,
    });
    expect(misfire).toEqual({ policy: 'SKIP', thresholdSec: 60, windowSec: 86_400 });
    expect(target).toEqual({ kind: 'HTTP', http: { url: 'https://example.com/', method: 'POST', headers: {} } });
  });

  it('never answers the values of headers', async () => {
    const target = {
      kind: 'HTTP',
      http: { url: 'https://example.com/', headers: { Authorization: 'Bearer canary-7f3a' } },
    };
    const answer = await server().request('POST', '/schedules', { body: scheduleBody({ target }) });
    const read = await server().request('GET', answer.headers['location'] ?? '');
    expect([answer.body.includes('canary'), read.body.includes('canary')]).toEqual([false, false]);
    expect(read.json().target.http.headers).toEqual({ Authorization: '********' });
  });

  it('begins paused with enabled: false', async () => {
    const answer = await server().request('POST', '/schedules', { body: scheduleBody({ enabled: false }) });
    const { state, enabled, nextFireAt, pause } = answer.json();
    expect({ state, enabled, nextFireAt, by: pause.by }).toEqual({
      state: 'PAUSED',
      enabled: false,
      nextFireAt: null,
      by: 'user-1',
    });
  });

  it('refuses a key that is taken, in this tenant only', async () => {
    const body = scheduleBody({ key: 'reports:daily' });
    await server().schedule({ key: 'reports:daily' });
    expect(problemIn(await server().request('POST', '/schedules', { body }))).toMatchObject({
      status: 409,
      code: 'ALREADY_EXISTS',
    });
    const elsewhere = await server().request('POST', '/schedules', { body, as: { tenants: [OTHER_TENANT] } });
    expect(elsewhere.statusCode).toBe(201);
  });

  it('answers the same schedule again for the same Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'once-1' };
    const body = scheduleBody({ name: 'Once' });
    const first = await server().request('POST', '/schedules', { body, headers });
    const again = await server().request('POST', '/schedules', {
      body: JSON.stringify({ ...body, name: 'Once' }, null, 2),
      headers,
    });
    expect([again.statusCode, again.json().id, again.headers['idempotent-replayed']]).toEqual([
      201,
      first.json().id,
      'true',
    ]);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    const other = await server().request('POST', '/schedules', { body: scheduleBody({ name: 'Twice' }), headers });
    expect(problemIn(other)).toMatchObject({ status: 422, code: 'IDEMPOTENCY_MISMATCH' });
    const elsewhere = await server().request('POST', '/schedules', { body, headers, as: { tenants: [OTHER_TENANT] } });
    expect(elsewhere.json().id).not.toBe(first.json().id);
  });

  it.each(['', ' ', 'two words', 'é', 'x'.repeat(201)])('refuses the Idempotency-Key %j', async (key) => {
    const answer = await server().request('POST', '/schedules', {
      body: scheduleBody(),
      headers: { 'idempotency-key': key },
    });
    expect(problemIn(answer)).toMatchObject({
      status: 400,
      code: 'VALIDATION_FAILED',
      errors: [{ path: 'Idempotency-Key' }],
    });
  });

  it('refuses a command that no live node has registered', async () => {
    const body = scheduleBody({ target: { kind: 'COMMAND', command: { name: 'known' } } });
    expect(problemIn(await server().request('POST', '/schedules', { body }))).toMatchObject({
      status: 422,
      code: 'UNKNOWN_COMMAND',
    });
    await server().registerCommand('known');
    expect((await server().request('POST', '/schedules', { body })).statusCode).toBe(201);
  });

  it('keeps SYSTEM schedules in the tenant of the platform', async () => {
    const body = scheduleBody({ scope: 'SYSTEM' });
    expect((await server().request('POST', '/schedules', { body })).statusCode).toBe(400);
    const platform = { roles: ['platform'] as const };
    const made = await server().request('POST', '/schedules', {
      body: scheduleBody(),
      headers: { 'x-tenant-id': 'system' },
      as: platform,
    });
    expect([made.statusCode, made.json().scope, made.json().tenantId]).toEqual([201, 'SYSTEM', 'system']);
  });

  it("makes an organization's schedule for a token of that organization, and no other's", async () => {
    const as = { organizationId: 'org-1' };
    const own = await server().request('POST', '/schedules', { body: scheduleBody(), as });
    expect([own.json().scope, own.json().organizationId]).toEqual(['ORGANIZATION', 'org-1']);
    for (const fields of [{ organizationId: 'org-2' }, { scope: 'TENANT' }]) {
      const foreign = await server().request('POST', '/schedules', { body: scheduleBody(fields), as });
      expect(problemIn(foreign)).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' });
    }
    const missing = await server().request('POST', '/schedules', { body: scheduleBody({ scope: 'ORGANIZATION' }) });
    expect(problemIn(missing)).toMatchObject({ status: 400, errors: [{ path: 'organizationId' }] });
  });
});
