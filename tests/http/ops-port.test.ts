import { describe, expect, it } from 'vitest';
import { buildOpsServer } from '../../src/app/ops-server.ts';
import { HEALTHY, problemIn, useServer } from './support.ts';

describe('the operations port', () => {
  const failures: unknown[] = [];
  const journal = { requestFailed: (_request: unknown, error: unknown) => void failures.push(error) };

  it('answers the probes and the metrics, and nothing else', async () => {
    const app = buildOpsServer({ health: HEALTHY, telemetry: { metricsText: async () => 'up 1\n' }, journal });
    const statuses = await Promise.all(
      ['/live', '/ready', '/health', '/metrics', '/schedules', '/tenants', '/docs', '/openapi.json', '/'].map(
        async (url) => (await app.inject({ url })).statusCode,
      ),
    );
    expect(statuses).toEqual([200, 200, 200, 200, 404, 404, 404, 404, 404]);
    expect(problemIn(await app.inject({ url: '/debug' }))).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    await app.close();
  });

  it('says nothing of why the metrics could not be told, and logs it once', async () => {
    const error = new Error('canary: postgres://user:word@host/');
    const app = buildOpsServer({ health: HEALTHY, telemetry: { metricsText: () => Promise.reject(error) }, journal });
    const answer = await app.inject({ url: '/metrics' });
    expect(problemIn(answer)).toEqual({ status: 500, code: 'INTERNAL' });
    expect([answer.body.includes('canary'), failures]).toEqual([false, [error]]);
    await app.close();
  });
});

describe('the port of the API', () => {
  const server = useServer();

  it.each(['/metrics', '/debug', '/debug/pprof', '/status', '/admin', '/.git/config', '/server-status'])(
    'has no %s, whoever asks',
    async (url) => {
      for (const as of [null, { roles: ['platform'] }] as const)
        expect((await server().request('GET', url, { as })).statusCode).toBe(404);
    },
  );
});
