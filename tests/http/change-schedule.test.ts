import { describe, expect, it } from 'vitest';
import { OTHER_TENANT, problemIn, scheduleBody, useServer } from './support.ts';

const MISSING = '0198c5b2-7a31-7c44-9d0e-2f6b8a1c3e55';

describe('PATCH /schedules/{id}', () => {
  const server = useServer();

  it('pauses with enabled: false and resumes with enabled: true', async () => {
    const id = await server().schedule();
    const off = await server().request('PATCH', `/schedules/${id}`, { body: { enabled: false } });
    expect([off.statusCode, off.headers['etag'], off.json().state, off.json().enabled]).toEqual([
      200,
      '"2"',
      'PAUSED',
      false,
    ]);
    const renamed = await server().request('PATCH', `/schedules/${id}`, { body: { name: 'Still paused' } });
    expect([renamed.json().state, renamed.json().version]).toEqual(['PAUSED', 3]);
    const on = await server().request('PATCH', `/schedules/${id}`, { body: { enabled: true } });
    expect([on.json().state, on.json().version]).toEqual(['ACTIVE', 4]);
  });

  it('leaves what is left out, resets what is null, merges what is an object', async () => {
    const fields = {
      description: 'before',
      labels: { a: '1', b: '2' },
      retry: { maxAttempts: 2 },
      maxFires: 5,
      payload: { x: 1, y: { z: 2 } },
    };
    const id = await server().schedule(fields);
    const patch = {
      description: null,
      labels: { a: null, c: '3' },
      retry: { initialDelaySec: 7 },
      maxFires: null,
      payload: { y: { w: 3 } },
    };
    const { description, labels, retry, maxFires, payload, name } = (
      await server().request('PATCH', `/schedules/${id}`, { body: patch })
    ).json();
    expect({ description, labels, maxFires, payload, name }).toEqual({
      description: null,
      labels: { b: '2', c: '3' },
      maxFires: null,
      payload: { x: 1, y: { z: 2, w: 3 } },
      name: 'Daily Report',
    });
    expect(retry).toMatchObject({ maxAttempts: 2, initialDelaySec: 7 });
  });

  it('makes no version without a change', async () => {
    const id = await server().schedule({ startAt: '2030-01-01T00:00:00Z' });
    for (const body of [
      {},
      { name: 'Daily Report' },
      { enabled: true },
      { startAt: '2030-01-01T01:00:00+01:00' },
      { key: null },
    ]) {
      const answer = await server().request('PATCH', `/schedules/${id}`, { body });
      expect([answer.statusCode, answer.json().version]).toEqual([200, 1]);
    }
  });

  it('changes and takes away single options of a queue', async () => {
    const queue = { topic: 'a', driver: 'REDIS', options: { jobName: 'b', attempts: 3 } };
    const id = await server().schedule({ target: { kind: 'QUEUE', queue } });
    const patch = { target: { queue: { options: { jobName: null, priority: 2 } } } };
    const changed = await server().request('PATCH', `/schedules/${id}`, { body: patch });
    expect(changed.json().target.queue).toEqual({ ...queue, options: { attempts: 3, priority: 2 } });
  });

  it('replaces a trigger of another type and a target of another kind whole', async () => {
    const id = await server().schedule({ trigger: { type: 'INTERVAL', every: 'PT6H', repeat: 9 } });
    const same = (await server().request('PATCH', `/schedules/${id}`, { body: { trigger: { every: 'PT1H' } } })).json();
    expect(same.trigger).toMatchObject({ type: 'INTERVAL', every: 'PT1H', repeat: 9 });
    const body = {
      trigger: { type: 'FIXED_DELAY', delaySec: 60 },
      target: { kind: 'HTTP', http: { url: 'https://example.com/' } },
    };
    const other = (await server().request('PATCH', `/schedules/${id}`, { body })).json();
    expect([other.trigger, other.target.kind]).toEqual([{ type: 'FIXED_DELAY', delaySec: 60 }, 'HTTP']);
    const incomplete = await server().request('PATCH', `/schedules/${id}`, { body: { target: { kind: 'EVENT' } } });
    expect(problemIn(incomplete)).toMatchObject({
      status: 400,
      errors: [{ path: 'target.eventTopic', message: 'is required' }],
    });
  });

  it('keeps the values of headers that come back masked', async () => {
    const target = {
      kind: 'HTTP',
      http: { url: 'https://example.com/', headers: { 'X-Key': 'secret', 'X-Old': '1' } },
    };
    const id = await server().schedule({ target });
    const shown = (await server().request('GET', `/schedules/${id}`)).json().target;
    const same = await server().request('PATCH', `/schedules/${id}`, { body: { target: shown } });
    expect([same.statusCode, same.json().version]).toEqual([200, 1]);
    const changed = await server().request('PATCH', `/schedules/${id}`, {
      body: { target: { http: { headers: { 'X-Old': null, 'X-New': '2' } } } },
    });
    expect(Object.keys(changed.json().target.http.headers).toSorted()).toEqual(['X-Key', 'X-New']);
  });

  it.each([
    [{ name: null }, 'name'],
    [{ name: '' }, 'name'],
    [{ trigger: null }, 'trigger'],
    [{ target: null }, 'target'],
    [{ unknown: null }, 'unknown'],
    [{ retry: { unknown: null } }, 'retry.unknown'],
    [{ trigger: { crom: '* * * * *' } }, 'trigger.crom'],
    [{ tz: 'Europe/Nowhere' }, 'tz'],
    [{ timeoutSec: 901 }, 'timeoutSec'],
    [{ labels: { a: 1 } }, 'labels.a'],
    [{ state: 'PAUSED' }, 'state'],
    [{ trigger: { type: 'HOURLY' } }, 'trigger.type'],
  ])('refuses %j', async (body, path) => {
    const id = await server().schedule();
    const answer = await server().request('PATCH', `/schedules/${id}`, { body });
    expect(problemIn(answer)).toMatchObject({ status: 400, code: 'VALIDATION_FAILED', errors: [{ path }] });
  });

  it('bounds the payload that a merge results in', async () => {
    const id = await server().schedule({ payload: { a: 'x'.repeat(200_000) } });
    const answer = await server().request('PATCH', `/schedules/${id}`, {
      body: { payload: { b: 'x'.repeat(100_000) } },
    });
    expect(problemIn(answer)).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' });
  });

  it("answers 404 for another tenant's schedule", async () => {
    const id = await server().schedule();
    const foreign = await server().request('PATCH', `/schedules/${id}`, {
      body: { enabled: false },
      as: { tenants: [OTHER_TENANT] },
    });
    const missing = await server().request('PATCH', `/schedules/${MISSING}`, { body: { enabled: false } });
    expect(problemIn(foreign)).toEqual(problemIn(missing));
    expect(foreign.statusCode).toBe(404);
  });
});

describe('If-Match', () => {
  const server = useServer();

  it.each(['"1"', 'W/"1"', '1', '*', ' "1" '])('lets %s through at version 1', async (ifMatch) => {
    const id = await server().schedule();
    const answer = await server().request('PATCH', `/schedules/${id}`, {
      body: { name: 'New' },
      headers: { 'if-match': ifMatch },
    });
    expect([answer.statusCode, answer.headers['etag']]).toEqual([200, '"2"']);
  });

  it.each(['"2"', '0', 'W/"7"'])('refuses %s at version 1', async (ifMatch) => {
    const id = await server().schedule();
    const headers = { 'if-match': ifMatch };
    const calls = [
      server().request('PATCH', `/schedules/${id}`, { body: { name: 'New' }, headers }),
      server().request('PUT', `/schedules/${id}`, { body: scheduleBody(), headers }),
      server().request('DELETE', `/schedules/${id}`, { headers }),
      server().request('POST', `/schedules/${id}/pause`, { headers }),
      server().request('POST', `/schedules/${id}/resume`, { headers }),
    ];
    for (const answer of await Promise.all(calls))
      expect(problemIn(answer)).toMatchObject({ status: 412, code: 'PRECONDITION_FAILED' });
  });

  it.each(['""', '"x"', '3"', '"1", "2"', '-1', '1.0', '"1', 'w/"1"', '99999999999'])(
    'cannot read %s',
    async (ifMatch) => {
      const id = await server().schedule();
      const answer = await server().request('DELETE', `/schedules/${id}`, { headers: { 'if-match': ifMatch } });
      expect(problemIn(answer)).toMatchObject({
        status: 400,
        code: 'VALIDATION_FAILED',
        errors: [{ path: 'If-Match' }],
      });
    },
  );
});

describe('PUT /schedules/{id}', () => {
  const server = useServer();

  it('replaces all fields but keeps the state', async () => {
    const id = await server().schedule({ labels: { a: '1' }, timeoutSec: 60, enabled: false });
    const answer = await server().request('PUT', `/schedules/${id}`, { body: scheduleBody({ name: 'New' }) });
    const { name, labels, timeoutSec, state, version } = answer.json();
    expect([answer.statusCode, answer.headers['etag']]).toEqual([200, '"2"']);
    expect({ name, labels, timeoutSec, state, version }).toEqual({
      name: 'New',
      labels: {},
      timeoutSec: 30,
      state: 'PAUSED',
      version: 2,
    });
    const again = await server().request('PUT', `/schedules/${id}`, { body: scheduleBody({ name: 'New' }) });
    expect(again.json().version).toBe(2);
  });

  it('refuses masked header values', async () => {
    const target = { kind: 'HTTP', http: { url: 'https://example.com/', headers: { 'X-Key': 'secret' } } };
    const id = await server().schedule({ target });
    const shown = (await server().request('GET', `/schedules/${id}`)).json().target;
    const answer = await server().request('PUT', `/schedules/${id}`, { body: scheduleBody({ target: shown }) });
    expect(problemIn(answer)).toMatchObject({ status: 400, errors: [{ path: 'target.http.headers.X-Key' }] });
  });

  it("answers 404 for a missing schedule and for another tenant's", async () => {
    const id = await server().schedule();
    const missing = await server().request('PUT', `/schedules/${MISSING}`, { body: scheduleBody() });
    const foreign = await server().request('PUT', `/schedules/${id}`, {
      body: scheduleBody(),
      as: { tenants: [OTHER_TENANT] },
    });
    expect(problemIn(missing)).toMatchObject({ status: 404 });
    expect(problemIn(foreign)).toEqual(problemIn(missing));
  });
});

describe('PUT /schedules/by-key/{key}', () => {
  const server = useServer();
  const url = '/schedules/by-key/reports%3Adaily%2Feu';

  it('creates once, then replaces', async () => {
    const made = await server().request('PUT', url, { body: scheduleBody() });
    const { id, key } = made.json();
    expect([made.statusCode, made.headers['etag'], made.headers['location'], key]).toEqual([
      201,
      '"1"',
      `/schedules/${id}`,
      'reports:daily/eu',
    ]);
    const same = await server().request('PUT', url, { body: scheduleBody({ key: 'reports:daily/eu' }) });
    expect([same.statusCode, same.json().id, same.headers['etag'], same.headers['location']]).toEqual([
      200,
      id,
      '"1"',
      undefined,
    ]);
    const changed = await server().request('PUT', url, { body: scheduleBody({ name: 'New' }) });
    expect([changed.statusCode, changed.json().id, changed.headers['etag']]).toEqual([200, id, '"2"']);
  });

  it('makes one schedule of many at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => server().request('PUT', '/schedules/by-key/herd', { body: scheduleBody() })),
    );
    expect(new Set(answers.map((answer) => answer.json().id)).size).toBe(1);
    expect(answers.filter((answer) => answer.statusCode === 201)).toHaveLength(1);
  });

  it("never touches another tenant's schedule of that key", async () => {
    const mine = await server().request('PUT', '/schedules/by-key/shared', { body: scheduleBody() });
    const theirs = await server().request('PUT', '/schedules/by-key/shared', {
      body: scheduleBody({ name: 'Theirs' }),
      as: { tenants: [OTHER_TENANT] },
    });
    expect([theirs.statusCode, theirs.json().id === mine.json().id]).toEqual([201, false]);
    expect((await server().request('GET', `/schedules/${mine.json().id}`)).json().name).toBe('Daily Report');
  });

  it('refuses a key that is none, and a body of another key', async () => {
    const long = await server().request('PUT', `/schedules/by-key/${'k'.repeat(201)}`, { body: scheduleBody() });
    const spaced = await server().request('PUT', '/schedules/by-key/a%20b', { body: scheduleBody() });
    const other = await server().request('PUT', url, { body: scheduleBody({ key: 'other' }) });
    for (const answer of [long, spaced, other])
      expect(problemIn(answer)).toMatchObject({ status: 400, errors: [{ path: 'key' }] });
  });
});

describe('DELETE /schedules/{id}', () => {
  const server = useServer();

  it('removes the schedule and frees its key', async () => {
    const id = await server().schedule({ key: 'mine' });
    const answer = await server().request('DELETE', `/schedules/${id}`);
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
    expect((await server().request('GET', `/schedules/${id}`)).statusCode).toBe(404);
    expect((await server().request('DELETE', `/schedules/${id}`)).statusCode).toBe(404);
    expect((await server().request('POST', '/schedules', { body: scheduleBody({ key: 'mine' }) })).statusCode).toBe(
      201,
    );
  });

  it("answers 404 for another tenant's schedule and leaves it", async () => {
    const id = await server().schedule();
    const foreign = await server().request('DELETE', `/schedules/${id}`, { as: { tenants: [OTHER_TENANT] } });
    expect(problemIn(foreign)).toMatchObject({ status: 404 });
    expect((await server().request('GET', `/schedules/${id}`)).statusCode).toBe(200);
  });
});
