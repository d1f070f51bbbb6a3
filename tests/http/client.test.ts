import { typesOf } from '@local/openapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createSchedulerClient,
  dataOf,
  itemsOf,
  type SchedulerClient,
  SchedulerRefusal,
  type Schemas,
} from '../../src/client/scheduler-client.ts';
import { OTHER_TENANT, startServer, TENANT, type TestServer, tokenOf } from './support.ts';

const body: Schemas['ScheduleBody'] = {
  name: 'Daily Report',
  tz: 'Europe/Berlin',
  trigger: { type: 'CRON', cron: '0 9 * * *' },
  target: { kind: 'EVENT', eventTopic: 'reports.daily.generate' },
};

describe('the client', () => {
  let server: TestServer;
  let baseUrl: string;
  let client: SchedulerClient;
  beforeAll(async () => {
    server = await startServer({ echo: null });
    baseUrl = await server.app.listen({ port: 0, host: '127.0.0.1' });
    client = createSchedulerClient({ baseUrl, token: tokenOf() });
  });
  afterAll(() => server.close());

  it('has the types of the document: `npm test -- tests/http/client.test.ts --update` writes them anew', async () => {
    const document = (await server.request('GET', '/openapi.json')).json();
    await expect(await typesOf(document)).toMatchFileSnapshot('../../src/client/schema.ts');
  });

  it('makes, reads, changes and deletes a schedule', async () => {
    const made = await dataOf(client.POST('/schedules', { body }));
    const path = { id: made.id };
    expect(made).toMatchObject({ tenantId: TENANT, state: 'ACTIVE', version: 1 });
    expect(await dataOf(client.GET('/schedules/{id}', { params: { path } }))).toEqual(made);
    const patched = client.PATCH('/schedules/{id}', { params: { path }, body: { timeoutSec: 60 } });
    expect((await dataOf(patched)).timeoutSec).toBe(60);
    const slots = await dataOf(client.GET('/schedules/{id}/upcoming', { params: { path, query: { count: 2 } } }));
    expect(slots.slots).toHaveLength(2);
    expect(await dataOf(client.DELETE('/schedules/{id}', { params: { path } }))).toBeUndefined();
  });

  it('walks over a list, page by page', async () => {
    const label = 'k:walked';
    for (const name of ['a', 'b', 'c'])
      await dataOf(client.POST('/schedules', { body: { ...body, name, labels: { k: 'walked' } } }));
    const listed = itemsOf((next) => client.GET('/schedules', { params: { query: { ...next, limit: 2, label } } }));
    const names: string[] = [];
    for await (const { name } of listed) names.push(name);
    expect(names.toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('tells why a request was refused', async () => {
    const asked = client.POST('/schedules', { body: { ...body, trigger: { type: 'CRON', cron: '61 * * * *' } } });
    const refused = await dataOf(asked).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SchedulerRefusal);
    expect(refused).toMatchObject({
      status: 400,
      code: 'INVALID_TRIGGER',
      problem: { errors: [{ path: 'trigger.cron' }] },
      retryAfterSec: null,
    });
  });

  it('ends where the next page is not asked for', async () => {
    for (const name of ['d', 'e', 'f']) await dataOf(client.POST('/schedules', { body: { ...body, name } }));
    const listed = itemsOf(() => client.GET('/schedules', { params: { query: { limit: 2 } } }));
    const walking = async (): Promise<void> => {
      for await (const { name } of listed) expect(name).not.toBe('');
    };
    await expect(walking()).rejects.toThrow('the same page came again');
  });

  it('sends no request whose path would be another', async () => {
    for (const id of ['', '.', '..'])
      await expect(client.DELETE('/schedules/{id}', { params: { path: { id } } })).rejects.toThrow(
        'id is no part of a path',
      );
  });

  it('asks for a token each time, and names its tenant', async () => {
    let asked = 0;
    const token = async (): Promise<string> => {
      asked += 1;
      return tokenOf({ tenants: [TENANT, OTHER_TENANT] });
    };
    const other = createSchedulerClient({ baseUrl, token, tenant: OTHER_TENANT });
    expect((await dataOf(other.POST('/schedules', { body }))).tenantId).toBe(OTHER_TENANT);
    const without = createSchedulerClient({ baseUrl, token });
    await expect(dataOf(without.POST('/schedules', { body }))).rejects.toThrow(SchedulerRefusal);
    expect(asked).toBe(2);
  });

  it('says what else than the API answered', async () => {
    const fetch = async (): Promise<Response> =>
      new Response('<html>', { status: 502, headers: { 'retry-after': '7' } });
    const away = createSchedulerClient({ baseUrl, token: 't', fetch });
    const refused = await dataOf(away.GET('/schedules')).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 502, code: null, problem: null, retryAfterSec: 7, message: 'HTTP 502' });
    const login = async (): Promise<Response> => new Response('<html>', { headers: { 'content-type': 'text/html' } });
    const before = createSchedulerClient({ baseUrl, token: 't', fetch: login });
    await expect(dataOf(before.GET('/schedules'))).rejects.toMatchObject({ name: 'SchedulerRefusal', status: 200 });
  });

  it('does not compile with a trigger, a field or a path that the API does not know', () => {
    const wrong = [
      // @ts-expect-error a CRON trigger has a cron
      (): unknown => client.POST('/schedules', { body: { ...body, trigger: { type: 'CRON', rrule: 'FREQ=DAILY' } } }),
      // @ts-expect-error timeoutSec is a number
      (): unknown => client.POST('/schedules', { body: { ...body, timeoutSec: '30' } }),
      // @ts-expect-error there is no such path
      (): unknown => client.GET('/schedule'),
    ];
    expect(wrong).toHaveLength(3);
  });
});
