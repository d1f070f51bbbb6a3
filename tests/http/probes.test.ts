import { describe, expect, it } from 'vitest';
import type { HealthReport } from '../../src/domain/ports/health.ts';
import { HEALTHY, problemIn, startServer, useServer } from './support.ts';

describe('the probes', () => {
  const server = useServer();

  it.each(['/live', '/ready'])('%s answers without a token', async (url) => {
    const answer = await server().request('GET', url, { as: null });
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('/health tells of each component', async () => {
    const answer = await server().request('GET', '/health', { as: null });
    expect([answer.statusCode, answer.json()]).toEqual([200, await HEALTHY.health()]);
  });

  it('answer 503 when the process cannot work, without logging each time', async () => {
    const down: HealthReport = { ...(await HEALTHY.health()), status: 'down' };
    const health = {
      live: () => false,
      ready: async () => ({ ready: false, reason: 'draining' }),
      health: async () => down,
    };
    const ill = await startServer({ health });
    const live = await ill.request('GET', '/live', { as: null });
    const ready = await ill.request('GET', '/ready', { as: null });
    const report = await ill.request('GET', '/health', { as: null });
    await ill.close();
    expect(problemIn(live)).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    expect(problemIn(ready)).toMatchObject({ status: 503, code: 'UNAVAILABLE', detail: 'draining' });
    expect(ready.headers['retry-after']).toBe('5');
    expect([report.statusCode, report.json().status, ill.failures]).toEqual([503, 'down', []]);
  });
});
