import { describe, expect, it } from 'vitest';
import { OTHER_TENANT, problemIn, type TestServer, useServer } from './support.ts';

const MISSING = '0198c5b2-7a31-7c44-9d0e-2f6b8a1c3e55';

describe('GET /schedules/{id}', () => {
  const server = useServer();

  it('answers the schedule with its version as ETag', async () => {
    const id = await server().schedule({ name: 'Mine' });
    const answer = await server().request('GET', `/schedules/${id}`);
    expect([answer.statusCode, answer.headers['etag'], answer.headers['cache-control'], answer.json().name]).toEqual([
      200,
      '"1"',
      'no-store',
      'Mine',
    ]);
  });

  it('says why the service disabled it, until it is resumed; nobody else can set that', async () => {
    const id = await server().schedule();
    await server().disabled(id, 'the target answered 410 Gone');
    const disabled = await server().request('GET', `/schedules/${id}`);
    expect(disabled.json()).toMatchObject({ state: 'DISABLED', stateReason: 'the target answered 410 Gone' });
    const given = await server().request('PATCH', `/schedules/${id}`, { body: { stateReason: 'mine' } });
    expect(given.statusCode).toBe(400);
    await server().request('POST', `/schedules/${id}/resume`);
    const resumed = await server().request('GET', `/schedules/${id}`);
    expect(resumed.json()).toMatchObject({ state: 'ACTIVE', stateReason: null });
  });

  it("answers another tenant's schedule exactly as a missing one", async () => {
    const id = await server().schedule();
    const foreign = await server().request('GET', `/schedules/${id}`, { as: { tenants: [OTHER_TENANT] } });
    const missing = await server().request('GET', `/schedules/${MISSING}`, { as: { tenants: [OTHER_TENANT] } });
    const malformed = await server().request('GET', '/schedules/not-an-id', { as: { tenants: [OTHER_TENANT] } });
    expect(problemIn(foreign)).toEqual({ status: 404, code: 'NOT_FOUND', detail: 'no such schedule' });
    expect(problemIn(missing)).toEqual(problemIn(foreign));
    expect(problemIn(malformed)).toEqual(problemIn(foreign));
  });

  it("shows an organization's token only its organization's schedules", async () => {
    const own = await server().schedule({}, { organizationId: 'org-1' });
    const tenants = await server().schedule();
    const as = { organizationId: 'org-1' };
    expect((await server().request('GET', `/schedules/${own}`, { as })).statusCode).toBe(200);
    expect((await server().request('GET', `/schedules/${tenants}`, { as })).statusCode).toBe(404);
  });
});

describe('GET /schedules', () => {
  const server = useServer();
  const names = ['Alpha', 'Bravo', 'Charlie', 'Delta', 'Echo'];

  it('lists by page with a total', async () => {
    for (const name of names) await server().schedule({ name, labels: { name }, key: `key:${name}` });
    await server().schedule({ name: 'Foreign' }, { tenants: [OTHER_TENANT] });
    const answer = (await server().request('GET', '/schedules?tenantId=tenant-123&page=1&pageSize=20')).json();
    expect({ ...answer, items: namesOf(answer) }).toEqual({
      items: names.toReversed(),
      nextCursor: null,
      page: 1,
      pageSize: 20,
      total: 5,
    });
    const second = (await server().request('GET', '/schedules?page=2&pageSize=2&sort=name')).json();
    expect({ ...second, items: namesOf(second) }).toEqual({
      items: ['Charlie', 'Delta'],
      nextCursor: null,
      page: 2,
      pageSize: 2,
      total: 5,
    });
    expect((await server().request('GET', '/schedules?pageSize=2')).json()).toMatchObject({ page: 1, pageSize: 2 });
    expect((await server().request('GET', '/schedules?page=100')).json()).toMatchObject({
      items: [],
      page: 100,
      pageSize: 50,
      total: 5,
    });
  });

  it.each(['name', '-name', 'createdAt', '-createdAt', 'nextFireAt', '-nextFireAt'])(
    'goes on by cursor, sorted by %s',
    async (sort) => {
      const found: string[] = [];
      let url: string | null = `/schedules?limit=2&sort=${sort}`;
      for (let pages = 0; url !== null && pages < 9; pages += 1) {
        const page: Listed = (await server().request('GET', url)).json();
        found.push(...namesOf(page));
        url = page.nextCursor === null ? null : `/schedules?limit=2&sort=${sort}&cursor=${page.nextCursor}`;
      }
      expect(found.toSorted()).toEqual(names);
      if (sort.endsWith('name')) expect(found).toEqual(sort === 'name' ? names : names.toReversed());
    },
  );

  it.each([
    ['label=name:Bravo', ['Bravo']],
    ['label=name:', []],
    ['q=ARL', ['Charlie']],
    ['q=key:d', ['Delta']],
    ['q=%25', []],
    ['state=PAUSED', []],
    ['state=ACTIVE&q=echo', ['Echo']],
    ['targetKind=HTTP', []],
    ['targetKind=EVENT&triggerType=CRON&q=a&sort=name', ['Alpha', 'Bravo', 'Charlie', 'Delta']],
    ['dueBefore=1990-01-01T00:00:00Z', []],
    ['dueBefore=2199-01-01T00:00:00%2B01:00&q=echo', ['Echo']],
  ])('filters by %s', async (query, expected) => {
    const answer = await server().request('GET', `/schedules?${query}`);
    expect([answer.statusCode, namesOf(answer.json())]).toEqual([200, expected]);
  });

  it.each([
    ['page=1&cursor=x', 'cursor'],
    ['pageSize=5&limit=5', 'limit'],
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=1e1', 'limit'],
    ['limit=', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['pageSize=201', 'pageSize'],
    ['page=0', 'page'],
    ['page=100001', 'page'],
    ['state=active', 'state'],
    ['sort=payload', 'sort'],
    ['label=nocolon', 'label'],
    ['label=:v', 'label'],
    ['q=', 'q'],
    ['q=%00', 'q'],
    ['dueBefore=tomorrow', 'dueBefore'],
    ['dueBefore=2026-02-30T00:00:00Z', 'dueBefore'],
    ['unknown=1', 'unknown'],
    ['__proto__=1', '__proto__'],
    ['cursor=', 'cursor'],
    ['cursor=abc', 'cursor'],
  ])('refuses %s', async (query, path) => {
    const answer = await server().request('GET', `/schedules?${query}`);
    expect(problemIn(answer)).toMatchObject({ status: 400, code: 'VALIDATION_FAILED', errors: [{ path }] });
  });

  it('refuses a cursor that was changed, or made for another list', async () => {
    const { nextCursor: cursor }: Listed = (await server().request('GET', '/schedules?limit=2&sort=name')).json();
    if (cursor === null) throw new Error('the list has one page only');
    await expectRefused(server(), `/schedules?limit=2&sort=-name&cursor=${cursor}`);
    await expectRefused(server(), `/schedules?limit=2&sort=name&q=a&cursor=${cursor}`);
    await expectRefused(server(), `/runs?cursor=${cursor}`);
    for (const at of [0, 10, cursor.indexOf('.') + 5, cursor.length - 1]) {
      const changed = cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1);
      await expectRefused(server(), `/schedules?limit=2&sort=name&cursor=${changed}`);
    }
    const foreign = await server().request('GET', `/schedules?limit=2&sort=name&cursor=${cursor}`, {
      as: { tenants: [OTHER_TENANT] },
    });
    expect(problemIn(foreign)).toMatchObject({ status: 400, errors: [{ path: 'cursor' }] });
    const narrowed = await server().request('GET', `/schedules?limit=2&sort=name&cursor=${cursor}`, {
      as: { organizationId: 'org-1' },
    });
    expect(problemIn(narrowed)).toMatchObject({ status: 400, errors: [{ path: 'cursor' }] });
  });

  it("lists none of another tenant's schedules", async () => {
    const answer = (await server().request('GET', '/schedules', { as: { tenants: [OTHER_TENANT] } })).json();
    expect(namesOf(answer)).toEqual(['Foreign']);
  });
});

interface Listed {
  readonly items: readonly { readonly name: string }[];
  readonly nextCursor: string | null;
}

function namesOf(listed: Listed): string[] {
  return listed.items.map((item) => item.name);
}

async function expectRefused(server: TestServer, url: string): Promise<void> {
  expect(problemIn(await server.request('GET', url))).toMatchObject({
    status: 400,
    code: 'VALIDATION_FAILED',
    errors: [{ path: 'cursor' }],
  });
}
