import { describe, expect, it } from 'vitest';
import { OTHER_TENANT, problemIn, scheduleBody, useServer } from './support.ts';

const MISSING = '0198c5b2-7a31-7c44-9d0e-2f6b8a1c3e55';

describe('POST /schedules/{id}/pause and /resume', () => {
  const server = useServer();

  it('pauses with a note until an instant, and resumes', async () => {
    const id = await server().schedule();
    const body = { note: 'freeze', resumeAt: '2199-01-01T00:00:00+01:00' };
    const paused = await server().request('POST', `/schedules/${id}/pause`, { body });
    expect([paused.statusCode, paused.headers['etag'], paused.json().state]).toEqual([200, '"2"', 'PAUSED']);
    expect(paused.json().pause).toEqual({
      note: 'freeze',
      by: 'user-1',
      at: expect.any(String),
      resumeAt: '2198-12-31T23:00:00.000Z',
    });
    const resumed = await server().request('POST', `/schedules/${id}/resume`, { body: { missed: 'FIRE_ONCE' } });
    expect([resumed.statusCode, resumed.headers['etag'], resumed.json().state, resumed.json().pause]).toEqual([
      200,
      '"3"',
      'ACTIVE',
      null,
    ]);
  });

  it('needs no body at all', async () => {
    const id = await server().schedule();
    for (const action of ['pause', 'resume']) {
      expect((await server().request('POST', `/schedules/${id}/${action}`)).statusCode).toBe(200);
    }
    for (const action of ['pause', 'resume']) {
      const answer = await server().request('POST', `/schedules/${id}/${action}`, {
        headers: { 'content-type': 'application/json' },
      });
      expect(answer.statusCode).toBe(200);
    }
  });

  it('answers 409 where the state does not allow it', async () => {
    const id = await server().schedule();
    expect(problemIn(await server().request('POST', `/schedules/${id}/resume`))).toMatchObject({
      status: 409,
      code: 'CONFLICT',
    });
    await server().request('POST', `/schedules/${id}/pause`);
    expect(problemIn(await server().request('POST', `/schedules/${id}/pause`))).toMatchObject({
      status: 409,
      code: 'CONFLICT',
    });
  });

  it.each([
    ['pause', { note: 'a\r\nb' }, 'note'],
    ['pause', { resumeAt: 'soon' }, 'resumeAt'],
    ['pause', { resumeAt: '2001-01-01T00:00:00Z' }, 'resumeAt'],
    ['pause', { reason: 'x' }, 'reason'],
    ['resume', { missed: 'ALL' }, 'missed'],
    ['resume', { missed: null }, 'missed'],
    ['trigger', { payloads: 1 }, 'payloads'],
  ])('refuses %s with %j', async (action, body, path) => {
    const id = await server().schedule();
    const answer = await server().request('POST', `/schedules/${id}/${action}`, { body });
    expect(problemIn(answer)).toMatchObject({ status: 400, code: 'VALIDATION_FAILED', errors: [{ path }] });
  });

  it.each(['pause', 'resume', 'trigger', 'skip-next'])(
    "answers 404 to %s of another tenant's schedule",
    async (action) => {
      const id = await server().schedule();
      const foreign = await server().request('POST', `/schedules/${id}/${action}`, { as: { tenants: [OTHER_TENANT] } });
      const missing = await server().request('POST', `/schedules/${MISSING}/${action}`);
      expect(problemIn(foreign)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
      expect(problemIn(foreign)).toEqual(problemIn(missing));
    },
  );
});

describe('POST /schedules/{id}/skip-next', () => {
  const server = useServer();

  it('lets the next slot pass: it is no longer among those to come', async () => {
    const id = await server().schedule({ trigger: { type: 'CRON', cron: '0 9 1 * *' } });
    const before = (await server().request('GET', `/schedules/${id}/upcoming?count=2`)).json().slots;
    const marked = await server().request('POST', `/schedules/${id}/skip-next`);
    expect([marked.statusCode, marked.headers['etag']]).toEqual([200, '"2"']);
    const after = (await server().request('GET', `/schedules/${id}/upcoming?count=1`)).json().slots;
    expect(after).toEqual([before[1]]);
  });

  it('answers 409 for a slot that is marked already, and for a schedule that has none', async () => {
    const id = await server().schedule();
    await server().request('POST', `/schedules/${id}/skip-next`);
    expect(problemIn(await server().request('POST', `/schedules/${id}/skip-next`))).toMatchObject({
      status: 409,
      code: 'CONFLICT',
    });
    await server().request('POST', `/schedules/${id}/pause`);
    expect(problemIn(await server().request('POST', `/schedules/${id}/skip-next`))).toMatchObject({
      status: 409,
      code: 'CONFLICT',
    });
  });

  it('keeps its mark when something else than the slot changes, and loses it with the slot', async () => {
    const id = await server().schedule({ trigger: { type: 'CRON', cron: '0 9 1 * *' } });
    await server().request('POST', `/schedules/${id}/skip-next`);
    await server().request('PATCH', `/schedules/${id}`, { body: { name: 'Renamed', endAt: '2199-01-01T00:00:00Z' } });
    expect((await server().request('POST', `/schedules/${id}/skip-next`)).statusCode).toBe(409);
    await server().request('PATCH', `/schedules/${id}`, { body: { trigger: { type: 'CRON', cron: '0 10 2 * *' } } });
    expect((await server().request('POST', `/schedules/${id}/skip-next`)).statusCode).toBe(200);
  });
});

describe('POST /schedules/{id}/trigger', () => {
  const server = useServer();

  it.each([undefined, {}, { payload: { now: true } }])('makes a waiting run of its own with %j', async (body) => {
    const id = await server().schedule();
    const answer = await server().request('POST', `/schedules/${id}/trigger`, body === undefined ? {} : { body });
    expect(answer.statusCode).toBe(202);
    const { id: runId, scheduledFor, ...run } = answer.json();
    expect([runId, scheduledFor]).toEqual([expect.stringMatching(/^[0-9a-v]{42}$/), expect.stringMatching(/Z$/)]);
    expect(run).toEqual({
      scheduleId: id,
      tenantId: 'tenant-123',
      cause: 'MANUAL',
      state: 'PENDING',
      reason: null,
      range: null,
      attempts: [],
      latenessMs: null,
      durationMs: null,
      startedAt: null,
      endedAt: null,
      nextAttemptAt: null,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      scheduleVersion: 1,
    });
    expect((await server().request('GET', `/runs/${runId}`)).json()).toEqual(answer.json());
  });

  it('bounds the payload', async () => {
    const id = await server().schedule();
    const answer = await server().request('POST', `/schedules/${id}/trigger`, {
      body: { payload: 'x'.repeat(256 * 1024) },
    });
    expect(problemIn(answer)).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE', errors: [{ path: 'payload' }] });
  });
});

describe('GET /schedules/{id}/upcoming', () => {
  const server = useServer();

  it('answers the next slots with their local time and what a clock change did', async () => {
    const id = await server().schedule({ trigger: { type: 'CRON', cron: '30 2 * * *' } });
    const answer = await server().request('GET', `/schedules/${id}/upcoming?count=2&from=2030-03-30T12:00:00Z`);
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      {
        description: expect.stringContaining('02:30'),
        slots: [
          {
            scheduledFor: '2030-03-31T01:00:00.000Z',
            local: '2030-03-31T03:00:00+02:00',
            dst: 'GAP',
            movedFrom: null,
            dueAt: '2030-03-31T01:00:00.000Z',
          },
          {
            scheduledFor: '2030-04-01T00:30:00.000Z',
            local: '2030-04-01T02:30:00+02:00',
            dst: null,
            movedFrom: null,
            dueAt: '2030-04-01T00:30:00.000Z',
          },
        ],
        exhausted: false,
      },
    ]);
  });

  it('answers 10 slots unless told otherwise, and 1000 at most', async () => {
    const id = await server().schedule();
    const slotsOf = async (query: string): Promise<number> =>
      (await server().request('GET', `/schedules/${id}/upcoming${query}`)).json().slots.length;
    expect([
      await slotsOf(''),
      await slotsOf('?count=1000'),
      await slotsOf('?from=2030-01-01T00:00:00Z&to=2030-01-04T00:00:00Z'),
    ]).toEqual([10, 1000, 3]);
  });

  it.each(['count=0', 'count=1001', 'count=ten', 'from=now', 'to=2030-13-01T00:00:00Z', 'x=1'])(
    'refuses %s',
    async (query) => {
      const id = await server().schedule();
      expect(problemIn(await server().request('GET', `/schedules/${id}/upcoming?${query}`))).toMatchObject({
        status: 400,
        code: 'VALIDATION_FAILED',
      });
    },
  );

  it("answers 404 for another tenant's schedule", async () => {
    const id = await server().schedule();
    expect(
      problemIn(await server().request('GET', `/schedules/${id}/upcoming`, { as: { tenants: [OTHER_TENANT] } })),
    ).toMatchObject({ status: 404 });
  });
});

describe('POST /schedules/preview', () => {
  const server = useServer();

  it('answers the slots of a schedule that is not saved', async () => {
    const body = {
      tz: 'Europe/Berlin',
      trigger: { type: 'CRON', cron: '0 9 * * MON' },
      from: '2030-01-01T00:00:00Z',
      count: 1,
    };
    const answer = await server().request('POST', '/schedules/preview', { body });
    expect([answer.statusCode, answer.json().slots]).toEqual([
      200,
      [
        {
          scheduledFor: '2030-01-07T08:00:00.000Z',
          local: '2030-01-07T09:00:00+01:00',
          dst: null,
          movedFrom: null,
          dueAt: '2030-01-07T08:00:00.000Z',
        },
      ],
    ]);
    expect((await server().request('GET', '/schedules')).json().items).toEqual([]);
  });

  it.each([
    [{ trigger: { type: 'CRON', cron: '61 * * * *' } }, 400, 'INVALID_TRIGGER'],
    [{ trigger: { type: 'RRULE', rrule: 'FREQ=HOURLYISH' } }, 400, 'INVALID_TRIGGER'],
    [{ trigger: { type: 'CRON', cron: '0 0 30 2 *' } }, 422, 'TRIGGER_NEVER_FIRES'],
    [{ trigger: { type: 'CRON', cron: '* * * * *' }, count: 1001 }, 400, 'VALIDATION_FAILED'],
    [{ trigger: { type: 'CRON', cron: '* * * * *' }, name: 'x' }, 400, 'VALIDATION_FAILED'],
    [{ trigger: { type: 'CRON', cron: '* * * * *' }, tz: 'Mars/Base' }, 400, 'VALIDATION_FAILED'],
    [{}, 400, 'VALIDATION_FAILED'],
    [undefined, 400, 'VALIDATION_FAILED'],
  ])('refuses %j', async (body, status, code) => {
    const answer = await server().request('POST', '/schedules/preview', body === undefined ? {} : { body });
    expect(problemIn(answer)).toMatchObject({ status, code });
  });

  it('knows every trigger that a create knows', async () => {
    for (const trigger of [
      { type: 'RRULE', rrule: 'FREQ=WEEKLY;BYDAY=MO;BYHOUR=9' },
      { type: 'INTERVAL', every: 'PT6H' },
      { type: 'FIXED_DELAY', delaySec: 60 },
      { type: 'ONE_SHOT', startAt: '2030-01-01T00:00:00Z' },
    ]) {
      const { statusCode } = await server().request('POST', '/schedules/preview', {
        body: { trigger, jitter: 'PT1S' },
      });
      expect([trigger.type, statusCode]).toEqual([trigger.type, 200]);
      expect((await server().request('POST', '/schedules', { body: scheduleBody({ trigger }) })).statusCode).toBe(201);
    }
  });
});
