import { describe, expect, it } from 'vitest';
import { OTHER_TENANT, problemIn, useServer } from './support.ts';

const HOUR_MS = 3_600_000;

describe('POST /schedules/{id}/backfills', () => {
  const server = useServer();
  const hourly = { trigger: { type: 'CRON', cron: '0 * * * *' } };

  it('takes a stretch of past slots and says how many they are', async () => {
    const id = await server().schedule(hourly);
    const body = { from: '2026-03-01T00:00:00Z', to: '2026-03-01T05:30:00Z' };
    const answer = await server().request('POST', `/schedules/${id}/backfills`, { body });
    expect([answer.statusCode, answer.json()]).toEqual([
      202,
      {
        id: expect.any(String),
        scheduleId: id,
        from: '2026-03-01T00:00:00.000Z',
        to: '2026-03-01T05:30:00.000Z',
        count: 6,
        createdAt: expect.any(String),
      },
    ]);
  });

  it('refuses more slots than the limit, and says how many the range holds', async () => {
    const id = await server().schedule(hourly);
    const body = { from: '2026-03-01T00:00:00Z', to: '2026-03-31T00:00:00Z', limit: 100 };
    const problem = problemIn(await server().request('POST', `/schedules/${id}/backfills`, { body }));
    expect(problem).toMatchObject({ status: 422, code: 'BACKFILL_TOO_LARGE' });
    expect(problem.detail).toContain('721 slots');
  });

  it('refuses a hundred years of seconds at once', async () => {
    const id = await server().schedule({ trigger: { type: 'CRON', cron: '* * * * * *' } });
    const body = { from: '1970-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z', limit: 10_000 };
    const problem = problemIn(await server().request('POST', `/schedules/${id}/backfills`, { body }));
    expect(problem).toMatchObject({ status: 422, code: 'BACKFILL_TOO_LARGE' });
    expect(problem.detail).toMatch(/holds 1767225601 slots; limit allows 10000/);
  });

  it('leaves what has not passed yet to the schedule', async () => {
    const id = await server().schedule(hourly);
    const from = new Date(Date.now() + HOUR_MS).toISOString();
    const to = new Date(Date.now() + 9 * HOUR_MS).toISOString();
    const problem = problemIn(await server().request('POST', `/schedules/${id}/backfills`, { body: { from, to } }));
    expect(problem).toMatchObject({ status: 409, code: 'CONFLICT' });
  });

  it('has nothing to run for FIXED_DELAY', async () => {
    const id = await server().schedule({ trigger: { type: 'FIXED_DELAY', delaySec: 60 } });
    const body = { from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z' };
    expect(problemIn(await server().request('POST', `/schedules/${id}/backfills`, { body }))).toMatchObject({
      status: 409,
    });
  });

  it.each([
    [{ from: 'yesterday', to: '2026-03-02T00:00:00Z' }, 'from'],
    [{ from: '2026-03-01T00:00:00Z' }, 'to'],
    [{ from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z', limit: 0 }, 'limit'],
    [{ from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z', limit: 10_001 }, 'limit'],
    [{ from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z', rate: 5 }, 'rate'],
  ])('refuses %j at %s', async (body, path) => {
    const id = await server().schedule(hourly);
    const problem = problemIn(await server().request('POST', `/schedules/${id}/backfills`, { body }));
    expect(problem).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    expect(JSON.stringify(problem.errors)).toContain(`"path":"${path}"`);
  });

  it("is 404 for another tenant's schedule", async () => {
    const id = await server().schedule(hourly);
    const body = { from: '2026-03-01T00:00:00Z', to: '2026-03-01T05:30:00Z' };
    const answer = await server().request('POST', `/schedules/${id}/backfills`, {
      body,
      as: { tenants: [OTHER_TENANT] },
    });
    expect(problemIn(answer)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });
});
