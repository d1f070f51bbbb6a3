import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Scheduling } from '../../src/app/routes/api.ts';
import { DomainError, type ErrorCode } from '../../src/domain/errors.ts';
import { problemIn, scheduleBody, startServer, useServer } from './support.ts';

describe('every error is a problem document', () => {
  const server = useServer();

  it('where there is no such path', async () => {
    for (const url of ['/', '/nothing', '/schedules/a/b/c', '/runs//x', '/.env']) {
      expect(problemIn(await server().request('GET', url, { as: null }))).toMatchObject({
        status: 404,
        code: 'NOT_FOUND',
      });
    }
    expect(problemIn(await server().request('GET', '/schedules/'))).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect(problemIn(await server().request('POST', '/nothing', { body: '{broken' }))).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
    });
  });

  it.each([
    ['PUT', '/schedules', 'POST, HEAD, GET'],
    ['POST', '/schedules/x', 'HEAD, GET, PATCH, PUT, DELETE'],
    ['GET', '/schedules/preview', 'POST'],
    ['DELETE', '/schedules/by-key/k', 'PUT'],
    ['OPTIONS', '/runs', 'HEAD, GET'],
    ['POST', '/health', 'HEAD, GET'],
  ] as const)('where %s is no method of %s', async (method, url, allow) => {
    const answer = await server().request(method, url, {
      body: '{broken',
      headers: { 'content-type': 'application/xml' },
    });
    expect(problemIn(answer)).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' });
    expect(String(answer.headers['allow']).split(', ').toSorted()).toEqual(allow.split(', ').toSorted());
  });

  it.each([
    undefined,
    '',
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'application/merge-patch+json',
    'multipart/form-data; boundary=x',
    'json',
    'application/json2',
  ])('where the body is %s', async (type) => {
    const headers = type === undefined ? { 'content-type': '' } : { 'content-type': type };
    for (const [method, url] of [
      ['POST', '/schedules'],
      ['POST', '/schedules/0198c5b2-7a31-7c44-9d0e-2f6b8a1c3e55/pause'],
    ] as const) {
      const answer = await server().request(method, url, { body: '{"a":1}', headers });
      expect(problemIn(answer)).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
    }
  });

  it.each(['gzip', 'deflate', 'br', 'gzip, gzip', 'x'])('where the body is encoded: %s', async (encoding) => {
    const headers = { 'content-encoding': encoding };
    for (const body of [gzipSync(JSON.stringify(scheduleBody())), JSON.stringify(scheduleBody())]) {
      const answer = await server().request('POST', '/schedules', { body, headers });
      expect(problemIn(answer)).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
    }
  });

  it('and no cache keeps it, no browser guesses at it', async () => {
    const answers = [
      await server().request('GET', '/nothing', { as: null }),
      await server().request('GET', '/schedules/%zz', { as: null }),
      await server().request('GET', '/schedules', { as: null }),
      await server().request('PUT', '/schedules', { as: null }),
      await server().request('GET', '/schedules/none'),
      await server().request('POST', '/schedules', { body: '{' }),
      await server().request('POST', '/schedules', { body: 'x', headers: { 'content-type': 'text/plain' } }),
    ];
    for (const { headers } of answers)
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      });
    expect(answers[0]?.headers['strict-transport-security']).toBeDefined();
  });

  it('where another method hides in a header: the real one counts', async () => {
    const id = await server().schedule();
    for (const name of ['x-http-method-override', 'x-method-override', 'x-http-method']) {
      const answer = await server().request('POST', `/schedules/${id}`, { headers: { [name]: 'DELETE' }, body: {} });
      expect(problemIn(answer)).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' });
    }
    expect((await server().request('GET', `/schedules/${id}`)).statusCode).toBe(200);
  });

  it('but JSON is JSON in any spelling of its type', async () => {
    for (const type of [
      'application/json',
      'Application/JSON',
      'application/json; charset=utf-8',
      'application/json;charset="UTF-8"',
    ]) {
      expect(
        (await server().request('POST', '/schedules', { body: scheduleBody(), headers: { 'content-type': type } }))
          .statusCode,
      ).toBe(201);
    }
  });

  it('where the body is too large', async () => {
    const answer = await server().request('POST', '/schedules', {
      body: scheduleBody({ description: 'x'.repeat(1024 * 1024) }),
    });
    expect(problemIn(answer)).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' });
  });

  it('where the URL is not one', async () => {
    for (const url of ['/schedules/%', '/schedules/%zz', '/schedules/%c3%28']) {
      expect((await server().request('GET', url)).statusCode).toBeLessThan(500);
      problemIn(await server().request('GET', url));
    }
  });

  it("carries the trace id of the caller's traceparent", async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const traced = await server().request('GET', '/nothing', {
      headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    });
    const forged = await server().request('GET', '/nothing', {
      headers: { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` },
    });
    expect([traced.json().traceId, forged.json().traceId]).toEqual([traceId, expect.not.stringMatching(/^0+$/)]);
  });
});

describe('an error of the services', () => {
  const expected: Record<ErrorCode, number> = {
    VALIDATION_FAILED: 400,
    INVALID_TRIGGER: 400,
    UNAUTHENTICATED: 401,
    PERMISSION_DENIED: 403,
    TENANT_FORBIDDEN: 403,
    TENANT_SUSPENDED: 403,
    QUOTA_EXCEEDED: 403,
    NOT_FOUND: 404,
    ALREADY_EXISTS: 409,
    CONFLICT: 409,
    PRECONDITION_FAILED: 412,
    PAYLOAD_TOO_LARGE: 413,
    TRIGGER_NEVER_FIRES: 422,
    UNKNOWN_COMMAND: 422,
    UNKNOWN_SECRET: 422,
    SECRETS_NOT_CONFIGURED: 422,
    TARGET_NOT_ALLOWED: 422,
    BACKFILL_TOO_LARGE: 422,
    IDEMPOTENCY_MISMATCH: 422,
    RATE_LIMITED: 429,
    UNAVAILABLE: 503,
  };

  it('has the status of its code and says its message', async () => {
    let thrown: Error = new Error();
    const server = await startServer({ scheduling: failingWith(() => thrown) });
    for (const [code, status] of Object.entries(expected)) {
      thrown = new DomainError(code as ErrorCode, `about ${code}`, [{ path: 'a', message: 'b' }]);
      const answer = await server.request('GET', '/schedules');
      expect(problemIn(answer)).toEqual({
        status,
        code,
        detail: `about ${code}`,
        errors: [{ path: 'a', message: 'b' }],
      });
      expect(answer.headers['retry-after'] !== undefined).toBe(status === 429 || status === 503);
    }
    await server.close();
    expect(server.failures).toMatchObject([{ code: 'UNAVAILABLE' }]);
  });

  it('that nobody foresaw says nothing and is logged once', async () => {
    const canary = new Error('canary: select * from secrets');
    for (const error of [canary, Object.assign(canary, { statusCode: 500, code: 'XX000' }), 'a string', undefined]) {
      const server = await startServer({ scheduling: failingWith(() => error) });
      const answer = await server.request('GET', '/schedules');
      await server.close();
      expect(problemIn(answer)).toEqual({ status: 500, code: 'INTERNAL' });
      expect([answer.body.includes('canary'), server.failures]).toEqual([false, [error]]);
    }
  });
});

function failingWith(error: () => unknown): Scheduling {
  const list = async (): Promise<never> => {
    throw error();
  };
  return { list } as Partial<Scheduling> as Scheduling;
}
