import { describe, expect, it } from 'vitest';
import { asScheduleId, encodeRunId } from '../../src/domain/ids.ts';
import { OTHER_TENANT, problemIn, useServer } from './support.ts';

const SLOT = '2030-01-01T09:00:00.000Z';
const foreigner = { tenants: [OTHER_TENANT] };

describe('GET /runs/{id}', () => {
  const server = useServer();

  it('answers a run with what can be computed of it', async () => {
    const scheduleId = await server().schedule();
    const attempt = {
      number: 1,
      startedAt: '2030-01-01T09:00:00.007Z',
      endedAt: '2030-01-01T09:00:00.048Z',
      outcome: 'HTTP_STATUS',
      httpStatus: 404,
      error: 'the target answered 404',
      responseSnippet: 'no',
    } as const;
    const id = await server().endedRun(scheduleId, {
      state: 'DEAD',
      reason: 'REFUSED',
      slot: SLOT,
      attempts: [attempt],
    });
    const answer = await server().request('GET', `/runs/${id}`);
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      {
        id,
        scheduleId,
        tenantId: 'tenant-123',
        cause: 'SCHEDULE',
        scheduledFor: SLOT,
        state: 'DEAD',
        reason: 'REFUSED',
        range: null,
        attempts: [attempt],
        latenessMs: 7,
        durationMs: 41,
        startedAt: '2030-01-01T09:00:00.007Z',
        endedAt: '2030-01-01T09:00:00.048Z',
        nextAttemptAt: null,
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
        scheduleVersion: 1,
      },
    ]);
  });

  it("answers another tenant's run, a missing one and what is no id alike", async () => {
    const scheduleId = asScheduleId(await server().schedule());
    if (scheduleId === null) throw new Error('not an id');
    const id = await server().endedRun(scheduleId, { state: 'SUCCEEDED', slot: SLOT });
    const missing = encodeRunId({ scheduleId, slot: Date.parse(SLOT) + 1, space: 0 });
    const answers = [
      await server().request('GET', `/runs/${id}`, { as: foreigner }),
      await server().request('GET', `/runs/${missing}`),
      await server().request('GET', '/runs/unheard-of'),
      await server().request('GET', `/runs/${'v'.repeat(42)}`),
      await server().request('GET', `/runs/${'v'.repeat(2000)}`),
    ];
    expect(answers.map((answer) => problemIn(answer).status)).toEqual([404, 404, 404, 404, 404]);
    expect(answers.slice(0, 4).map((answer) => problemIn(answer).detail)).toEqual(
      Array.from({ length: 4 }, () => 'no such run'),
    );
  });
});

describe('lists of runs', () => {
  const server = useServer();
  const slots = [1, 2, 3, 4, 5].map((day) => `2030-01-0${day}T09:00:00.000Z`);
  let mine = '';

  it('come newest first and go on by cursor', async () => {
    mine = await server().schedule();
    for (const slot of slots)
      await server().endedRun(mine, {
        state: slot < '2030-01-03' ? 'SUCCEEDED' : 'DEAD',
        reason: slot < '2030-01-03' ? null : 'EXHAUSTED',
        slot,
      });
    const theirs = await server().schedule({}, foreigner);
    await server().endedRun(theirs, { state: 'DEAD', reason: 'GONE', slot: SLOT, tenant: OTHER_TENANT });
    for (const path of ['/runs', `/schedules/${mine}/runs`]) {
      const first: Listed = (await server().request('GET', `${path}?limit=3`)).json();
      const second: Listed = (await server().request('GET', `${path}?limit=3&cursor=${first.nextCursor}`)).json();
      expect([...slotsOf(first), ...slotsOf(second), second.nextCursor]).toEqual([...slots.toReversed(), null]);
    }
  });

  it.each([
    ['/runs?state=SUCCEEDED', 2],
    ['/runs?cause=MANUAL', 0],
    ['/runs?from=2030-01-02T09:00:00Z&to=2030-01-04T09:00:00Z', 2],
    ['/dead-letters', 3],
    ['/dead-letters?from=2030-01-04T09:00:00Z', 2],
    ['/dead-letters?cause=SCHEDULE&limit=1', 1],
  ])('%s finds %i', async (url, count) => {
    const answer = await server().request('GET', url);
    expect([answer.statusCode, answer.json().items?.length]).toEqual([200, count]);
  });

  it('are filtered by schedule', async () => {
    const other = await server().schedule();
    expect((await server().request('GET', `/runs?scheduleId=${mine}`)).json().items).toHaveLength(5);
    expect((await server().request('GET', `/runs?scheduleId=${other}`)).json().items).toEqual([]);
    expect((await server().request('GET', `/dead-letters?scheduleId=${mine}`)).json().items).toHaveLength(3);
    expect((await server().request('GET', `/schedules/${mine}/runs?state=DEAD`)).json().items).toHaveLength(3);
  });

  it("hold nothing of another tenant's", async () => {
    for (const url of ['/runs', '/dead-letters']) {
      expect((await server().request('GET', url, { as: foreigner })).json().items).toMatchObject([
        { tenantId: OTHER_TENANT, reason: 'GONE' },
      ]);
    }
    expect((await server().request('GET', `/runs?scheduleId=${mine}`, { as: foreigner })).json().items).toEqual([]);
    const foreign = await server().request('GET', `/schedules/${mine}/runs`, { as: foreigner });
    const malformed = await server().request('GET', '/schedules/0/runs', { as: foreigner });
    expect(problemIn(foreign)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect(problemIn(malformed)).toEqual(problemIn(foreign));
  });

  it.each([
    '/runs?page=1',
    '/runs?state=dead',
    '/runs?scheduleId=1',
    '/runs?from=1',
    '/dead-letters?state=DEAD',
    '/runs?cursor=a.b',
    '/runs?limit=201',
    '/runs?cause=X',
  ])('refuse %s', async (url) => {
    expect(problemIn(await server().request('GET', url))).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
  });

  it('refuse the cursor of another list', async () => {
    const { nextCursor }: Listed = (await server().request('GET', '/runs?limit=1&state=DEAD')).json();
    for (const url of ['/runs?limit=1', '/dead-letters?limit=1', `/schedules/${mine}/runs?state=DEAD`]) {
      const answer = await server().request('GET', `${url}${url.includes('?') ? '&' : '?'}cursor=${nextCursor}`);
      expect(problemIn(answer)).toMatchObject({ status: 400, errors: [{ path: 'cursor' }] });
    }
  });
});

describe('POST /runs/{id}/retry and /cancel', () => {
  const server = useServer();

  it('sets a dead run waiting again, once', async () => {
    const id = await server().endedRun(await server().schedule(), {
      state: 'DEAD',
      reason: 'EXHAUSTED',
      slot: new Date().toISOString(),
    });
    const retried = await server().request('POST', `/runs/${id}/retry`);
    expect([retried.statusCode, retried.json().id, retried.json().state, retried.json().reason]).toEqual([
      202,
      id,
      'PENDING',
      null,
    ]);
    expect(problemIn(await server().request('POST', `/runs/${id}/retry`))).toMatchObject({
      status: 409,
      code: 'CONFLICT',
    });
  });

  it('cancels a run that has not ended, once', async () => {
    const waiting = await server().request('POST', `/schedules/${await server().schedule()}/trigger`);
    const cancelled = await server().request('POST', `/runs/${waiting.json().id}/cancel`);
    expect([cancelled.statusCode, cancelled.json().state, cancelled.json().reason]).toEqual([
      200,
      'CANCELLED',
      'BY_USER',
    ]);
    expect(problemIn(await server().request('POST', `/runs/${waiting.json().id}/cancel`))).toMatchObject({
      status: 409,
      code: 'CONFLICT',
    });
  });

  it.each(['retry', 'cancel'])("answers 404 to %s of another tenant's run", async (action) => {
    const id = await server().endedRun(await server().schedule(), { state: 'DEAD', reason: 'EXHAUSTED', slot: SLOT });
    const foreign = await server().request('POST', `/runs/${id}/${action}`, { as: foreigner });
    const malformed = await server().request('POST', `/runs/none/${action}`, { as: foreigner });
    expect(problemIn(foreign)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect(problemIn(malformed)).toEqual(problemIn(foreign));
  });

  it.each(['retry', 'cancel'])('takes no fields with %s', async (action) => {
    const id = await server().endedRun(await server().schedule(), { state: 'SUCCEEDED', slot: SLOT });
    const answer = await server().request('POST', `/runs/${id}/${action}`, { body: { force: true } });
    expect(problemIn(answer)).toMatchObject({ status: 400, errors: [{ path: 'force' }] });
  });
});

interface Listed {
  readonly items: readonly { readonly scheduledFor: string }[];
  readonly nextCursor: string | null;
}

function slotsOf(listed: Listed): string[] {
  return listed.items.map((run) => run.scheduledFor);
}
