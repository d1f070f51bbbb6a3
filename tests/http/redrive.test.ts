import { describe, expect, it } from 'vitest';
import { OTHER_TENANT, problemIn, useServer } from './support.ts';

const server = useServer();
const PATH = '/dead-letters/redrive';
const SLOT = '2026-03-01T09:00:00.000Z';

describe('a redrive', () => {
  it('is accepted, shown with its progress, listed, and stopped', async () => {
    const run = await server().endedRun(await server().schedule(), { state: 'DEAD', reason: 'EXHAUSTED', slot: SLOT });
    const answer = await server().request('POST', PATH, { body: { ids: [run], ratePerSec: 5 } });
    const made = answer.json();
    expect([answer.statusCode, answer.headers['location'], made]).toEqual([
      202,
      `/dead-letters/redrives/${made.id}`,
      {
        id: expect.any(String),
        state: 'RUNNING',
        ratePerSec: 5,
        redriven: 0,
        createdAt: expect.any(String),
        createdBy: 'user-1',
        endedAt: null,
      },
    ]);
    expect((await server().request('GET', `/dead-letters/redrives/${made.id}`)).json()).toEqual(made);
    expect((await server().request('GET', '/dead-letters/redrives')).json().items).toContainEqual(made);
    expect((await server().request('DELETE', `/dead-letters/redrives/${made.id}`)).statusCode).toBe(204);
    const after = (await server().request('GET', `/dead-letters/redrives/${made.id}`)).json();
    expect(after).toEqual({ ...made, state: 'CANCELLED', endedAt: expect.any(String) });
    const again = await server().request('DELETE', `/dead-letters/redrives/${made.id}`);
    expect(problemIn(again)).toMatchObject({ status: 409, code: 'CONFLICT' });
  });

  it('asked for twice under one idempotency key is one', async () => {
    const headers = { 'idempotency-key': 'redrive-1' };
    const send = (body: unknown) => server().request('POST', PATH, { body, headers });
    const [first, second] = await Promise.all([send({ filter: {} }), send({ filter: {} })]);
    expect([first.json().id, second.statusCode]).toEqual([second.json().id, 202]);
    const replayed = [first, second].filter((answer) => answer.headers['idempotent-replayed'] === 'true');
    expect(replayed).toHaveLength(1);
    expect(problemIn(await send({ filter: {}, ratePerSec: 1 }))).toMatchObject({
      status: 422,
      code: 'IDEMPOTENCY_MISMATCH',
    });
  });

  it('is 404 for another tenant and for another organization, and is not in their lists', async () => {
    const { id } = (await server().request('POST', PATH, { body: { filter: {} } })).json();
    for (const as of [{ tenants: [OTHER_TENANT] }, { organizationId: 'org-1' }]) {
      for (const method of ['GET', 'DELETE'] as const) {
        const answer = await server().request(method, `/dead-letters/redrives/${id}`, { as });
        expect(problemIn(answer)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
      }
      expect((await server().request('GET', '/dead-letters/redrives', { as })).json().items).toEqual([]);
    }
    expect((await server().request('GET', `/dead-letters/redrives/${id}`)).json().state).toBe('RUNNING');
  });

  it.each<[unknown, string]>([
    [{}, 'ids'],
    [{ ids: ['06ejgp3hg000000006ccbcjq65u4978e5tlok71uak'], filter: {} }, 'ids'],
    [{ ids: [] }, 'ids'],
    [{ ids: ['x'] }, 'ids.0'],
    [{ ids: Array.from({ length: 1001 }, () => '06ejgp3hg000000006ccbcjq65u4978e5tlok71uak') }, 'ids'],
    [{ filter: { state: 'DEAD' } }, 'filter.state'],
    [{ filter: { from: 'yesterday' } }, 'filter.from'],
    [{ filter: { scheduleId: 'x' } }, 'filter.scheduleId'],
    [{ filter: {}, ratePerSec: 0 }, 'ratePerSec'],
    [{ filter: {}, ratePerSec: 1001 }, 'ratePerSec'],
    [{ filter: {}, rate: 1 }, 'rate'],
  ])('is refused with the place: %j', async (body, path) => {
    const answer = await server().request('POST', PATH, { body });
    expect(problemIn(answer)).toMatchObject({ status: 400, errors: [expect.objectContaining({ path })] });
  });

  it.each(['none', '0198c5b2-9c11-7d02-8a41-5e0f6a7b8c9d'])('that does not exist is 404: %s', async (id) => {
    expect(problemIn(await server().request('GET', `/dead-letters/redrives/${id}`))).toMatchObject({ status: 404 });
  });
});
