import type { LightMyRequestResponse } from 'fastify';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DomainError } from '../../src/domain/errors.ts';
import type { Identity } from '../../src/domain/ports/token-verifier.ts';
import { TokenBuckets } from '../../src/domain/services/token-buckets.ts';
import { problemIn, startServer, TENANT, tenantId, tokenOf, useServer } from './support.ts';

const PLATFORM: Partial<Identity> = { roles: ['platform'], tenants: [] };

describe('a tenant’s rate', () => {
  let now = 0;
  const server = useServer({ limiter: new TokenBuckets(() => now) });

  async function limited(id: string, quotas: object): Promise<Partial<Identity>> {
    await server().request('POST', '/tenants', { body: { id, quotas }, as: PLATFORM });
    return { tenants: [tenantId(id)] };
  }

  it('is told in every answer, and refused beyond it until more has come back', async () => {
    const as = await limited('rated', { requestsPerSec: 0.5, requestBurst: 2 });
    const answers: LightMyRequestResponse[] = [];
    for (let request = 0; request < 3; request += 1) answers.push(await server().request('GET', '/schedules', { as }));
    expect(answers.map((answer) => [answer.statusCode, answer.headers['ratelimit']])).toEqual([
      [200, '"tenant";r=1;t=2'],
      [200, '"tenant";r=0;t=4'],
      [429, '"tenant";r=0;t=4'],
    ]);
    const [, , refused] = answers;
    if (refused === undefined) throw new Error('no answer');
    expect(problemIn(refused)).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect([refused.headers['retry-after'], refused.headers['ratelimit-policy']]).toEqual(['2', '"tenant";q=2;w=4']);
    now += 2_000;
    expect((await server().request('GET', '/schedules', { as })).statusCode).toBe(200);
  });

  it('counts every request that the token may make, whatever becomes of it', async () => {
    const as = await limited('counted', { requestsPerSec: 1, requestBurst: 2 });
    await server().request('GET', '/schedules/nothing', { as });
    await server().request('POST', '/schedules', { body: {}, as });
    expect((await server().request('GET', '/schedules', { as })).statusCode).toBe(429);
  });

  it('is one tenant’s: others, the platform and the probes go on', async () => {
    const as = await limited('busy', { requestsPerSec: 1, requestBurst: 1 });
    for (const status of [200, 429])
      expect((await server().request('GET', '/schedules', { as })).statusCode).toBe(status);
    const headers = { 'x-tenant-id': 'busy' };
    expect((await server().request('GET', '/schedules', { as: PLATFORM, headers })).statusCode).toBe(200);
    expect((await server().request('GET', '/schedules')).statusCode).toBe(200);
    expect((await server().request('GET', '/live', { as: null })).statusCode).toBe(200);
  });

  it('is not said where there is none; without a burst it is a second’s', async () => {
    expect((await server().request('GET', '/schedules')).headers['ratelimit']).toBeUndefined();
    const as = await limited('even', { requestsPerSec: 2.5 });
    const { headers } = await server().request('GET', '/schedules', { as });
    expect(headers['ratelimit-policy']).toBe('"tenant";q=3;w=2');
  });
});

describe('an address that sends tokens which are refused', () => {
  /** Knows one token, and refuses every other. */
  const verifier = {
    recall: (token: string) => (token === tokenOf() ? IDENTITY : null),
    verify: async (): Promise<Identity> => {
      verified += 1;
      throw new DomainError('UNAUTHENTICATED', 'the token is not valid');
    },
  };
  const IDENTITY: Identity = { subject: 'user-1', tenants: [TENANT], roles: ['viewer'], organizationId: null };
  let verified = 0;

  /** One comes back each second: none does while a slow machine sends sixty. */
  function stopClock(): void {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    onTestFinished(() => clock.mockRestore());
  }

  it('is refused unread after sixty; known tokens and other addresses go on', async () => {
    const server = await startServer({ verifier, trustedProxies: ['127.0.0.1'] });
    const ask = (authorization: string | null, address: string) =>
      server.request('GET', '/schedules', {
        as: null,
        headers: { 'x-forwarded-for': address, ...(authorization !== null && { authorization }) },
      });
    stopClock();
    for (let request = 0; request < 60; request += 1) await ask('Bearer bad', '2001:db8:1:2::1');
    const before = verified;
    const refused = await ask('Bearer bad', '2001:db8:1:2:ffff::9');
    expect(problemIn(refused)).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect([refused.headers['retry-after'], verified]).toEqual(['1', before]);
    expect((await ask(`Bearer ${tokenOf()}`, '2001:db8:1:2::1')).statusCode).toBe(200);
    expect((await ask(null, '2001:db8:1:2::1')).statusCode).toBe(401);
    expect((await ask('Bearer bad', '2001:db8:1:3::1')).statusCode).toBe(401);
    expect((await ask('Bearer bad', '192.0.2.1')).statusCode).toBe(401);
    await server.close();
  });

  it('is the address of the connection where no proxy is trusted', async () => {
    const server = await startServer({ verifier });
    stopClock();
    for (let request = 0; request < 60; request += 1) {
      const headers = { 'x-forwarded-for': `192.0.2.${request}`, authorization: 'Bearer bad' };
      await server.request('GET', '/schedules', { as: null, headers });
    }
    const headers = { 'x-forwarded-for': '198.51.100.1', authorization: 'Bearer bad' };
    expect((await server.request('GET', '/schedules', { as: null, headers })).statusCode).toBe(429);
    await server.close();
  });
});
