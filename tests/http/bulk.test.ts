import { describe, expect, it } from 'vitest';
import type { Identity } from '../../src/domain/ports/token-verifier.ts';
import { OTHER_TENANT, problemIn, scheduleBody, useServer } from './support.ts';

const server = useServer();

interface Shown {
  readonly index: number;
  readonly status: number;
  readonly result: string;
  readonly id: string | null;
  readonly key: string | null;
  readonly version: number | null;
  readonly problem: { readonly code: string; readonly detail: string; readonly errors?: unknown } | null;
}

function create(fields: Readonly<Record<string, unknown>> = {}): unknown {
  return { op: 'CREATE', schedule: scheduleBody(fields) };
}

function upsert(key: string, fields: Readonly<Record<string, unknown>> = {}): unknown {
  return { op: 'UPSERT', schedule: scheduleBody({ key, ...fields }) };
}

async function bulk(
  items: readonly unknown[],
  more: { readonly as?: Partial<Identity>; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<readonly Shown[]> {
  const answer = await server().request('POST', '/schedules/bulk', { body: { items }, ...more });
  expect(answer.statusCode).toBe(200);
  return answer.json().items;
}

async function find(key: string): Promise<{ readonly [field: string]: unknown } | undefined> {
  const answer = await server().request('GET', `/schedules?q=${encodeURIComponent(key)}`);
  return answer.json().items.find((item: { readonly key: string }) => item.key === key);
}

async function countOf(prefix: string): Promise<number> {
  return (await server().request('GET', `/schedules?q=${prefix}&page=1&pageSize=1`)).json().total;
}

describe('a bulk of operations', () => {
  it('does each of them as its single route would, and says what became of each', async () => {
    await bulk([upsert('mixed:changed'), upsert('mixed:same'), upsert('mixed:gone'), upsert('mixed:paused')]);
    await bulk([upsert('mixed:held', { enabled: false })]);
    const results = await bulk([
      create({ key: 'mixed:new' }),
      upsert('mixed:changed', { name: 'Changed' }),
      upsert('mixed:same'),
      { op: 'DELETE', key: 'mixed:gone' },
      { op: 'PAUSE', key: 'mixed:paused', note: 'release freeze' },
      { op: 'RESUME', key: 'mixed:held', missed: 'SKIP' },
    ]);
    expect(results.map(({ index, status, result, key, version }) => [index, status, result, key, version])).toEqual([
      [0, 201, 'CREATED', 'mixed:new', 1],
      [1, 200, 'REPLACED', 'mixed:changed', 2],
      [2, 200, 'UNCHANGED', 'mixed:same', 1],
      [3, 204, 'DELETED', 'mixed:gone', 1],
      [4, 200, 'PAUSED', 'mixed:paused', 2],
      [5, 200, 'RESUMED', 'mixed:held', 2],
    ]);
    const after = await Promise.all(results.map(({ key }) => find(key ?? '')));
    expect(after.map((schedule) => schedule && [schedule['name'], schedule['state'], schedule['version']])).toEqual([
      ['Daily Report', 'ACTIVE', 1],
      ['Changed', 'ACTIVE', 2],
      ['Daily Report', 'ACTIVE', 1],
      undefined,
      ['Daily Report', 'PAUSED', 2],
      ['Daily Report', 'ACTIVE', 2],
    ]);
    expect(after[4]).toMatchObject({ pause: { note: 'release freeze', by: 'user-1' }, nextFireAt: null });
  });

  it('creates what a single create would create, every field of it', async () => {
    const fields = {
      description: 'quotes " and \\ and \u001f, {braces}, NULL',
      labels: { team: 'billing', empty: '' },
      payload: { text: 'a"b\\c', list: [null, 1.5, true, {}], nested: { NULL: null } },
      target: { kind: 'HTTP', http: { url: 'https://example.com/hook', headers: { 'X-Team': 'growth' } } },
      startAt: '2030-01-01T00:00:00.000Z',
      endAt: '2031-01-01T00:00:00.000Z',
      maxFires: 7,
      jitter: 'PT30S',
      dst: { gap: 'SKIP' },
      pauseOnFailures: 3,
    };
    const single = await server().schedule({ ...fields, key: 'same:single' });
    const [made, paused] = await bulk([
      create({ ...fields, key: 'same:bulk' }),
      create({ ...fields, payload: null, enabled: false, description: '' }),
    ]);
    const read = async (id: string): Promise<Record<string, unknown>> =>
      (await server().request('GET', `/schedules/${id}`)).json();
    const { id, key, createdAt, updatedAt, ...expected } = await read(single);
    expect(await read(made?.id ?? '')).toMatchObject(expected);
    expect(await read(paused?.id ?? '')).toMatchObject({
      state: 'PAUSED',
      payload: null,
      description: '',
      fireCount: 0,
    });
    const trigger = await server().request('POST', `/schedules/${made?.id}/trigger`);
    expect([trigger.statusCode, trigger.json().scheduleVersion]).toEqual([202, 1]);
  });

  it('changes what single changes would, timers and versions included', async () => {
    const changes = [
      { trigger: { type: 'CRON', cron: '30 4 * * *' } },
      { payload: { changed: true } },
      { description: 'another', enabled: false },
      { trigger: { type: 'FIXED_DELAY', delaySec: 60 }, enabled: true },
    ];
    const before = [{}, {}, {}, { enabled: false }];
    await bulk(before.flatMap((fields, index) => ['one', 'many'].map((by) => upsert(`alike:${by}:${index}`, fields))));
    for (const [index, fields] of changes.entries()) {
      const { key, ...body } = scheduleBody({ key: null, ...fields });
      await server().request('PUT', `/schedules/by-key/alike:one:${index}`, { body });
    }
    await bulk(changes.map((fields, index) => upsert(`alike:many:${index}`, fields)));
    for (const index of changes.keys()) {
      const [one, many] = await Promise.all(['one', 'many'].map((by) => find(`alike:${by}:${index}`)));
      const { id, key, createdAt, updatedAt, nextFireAt, pause, ...expected } = one ?? {};
      expect(many).toMatchObject(expected);
      const runs = [id, many?.['id']].map((of) => server().request('POST', `/schedules/${String(of)}/trigger`));
      const [first, second] = (await Promise.all(runs)).map((answer) => answer.json().scheduleVersion);
      expect(second).toBe(first);
    }
  });

  it('refuses a wrong item alone, with its place in the body', async () => {
    const results = await bulk([
      create({ key: 'alone:1' }),
      create({ key: 'alone:2', trigger: { type: 'CRON', cron: '0 9 * *' } }),
      create({ trigger: { type: 'CRON', cron: '0 0 30 2 *' } }),
      create({ nmae: 'x' }),
      { op: 'EXPLODE' },
      'nothing',
      null,
      { op: 'PAUSE' },
      { op: 'PAUSE', id: 'x', key: 'y' },
      { op: 'DELETE', id: 'no-uuid' },
      { op: 'DELETE', key: 'alone:nobody' },
      { op: 'UPSERT', schedule: scheduleBody() },
      create({ tenantId: OTHER_TENANT }),
      create({ target: { kind: 'COMMAND', command: { name: 'unheard-of' } } }),
      { op: 'PAUSE', key: 'alone:3', resumeAt: '2020-01-01T00:00:00Z' },
      upsert('alone:4'),
    ]);
    const said = results.map(({ status, problem }) => [status, problem?.code, problem?.errors]);
    const at = (path: string) => [expect.objectContaining({ path })];
    expect(said).toEqual([
      [201, undefined, undefined],
      [400, 'INVALID_TRIGGER', at('items.1.schedule.trigger.cron')],
      [422, 'TRIGGER_NEVER_FIRES', at('items.2.schedule.trigger')],
      [400, 'VALIDATION_FAILED', at('items.3.schedule.nmae')],
      [400, 'VALIDATION_FAILED', at('items.4.op')],
      [400, 'VALIDATION_FAILED', at('items.5')],
      [400, 'VALIDATION_FAILED', at('items.6')],
      [400, 'VALIDATION_FAILED', at('items.7.id')],
      [400, 'VALIDATION_FAILED', at('items.8.id')],
      [404, 'NOT_FOUND', undefined],
      [404, 'NOT_FOUND', undefined],
      [400, 'VALIDATION_FAILED', at('items.11.schedule.key')],
      [403, 'TENANT_FORBIDDEN', undefined],
      [422, 'UNKNOWN_COMMAND', at('items.13.schedule.target.command.name')],
      [404, 'NOT_FOUND', undefined],
      [201, undefined, undefined],
    ]);
    expect(await countOf('alone:')).toBe(2);
  });

  it('refuses a key in use and a stale version, and leaves the rest alone', async () => {
    await bulk([upsert('taken:1'), upsert('taken:2'), upsert('taken:3', { enabled: false })]);
    const results = await bulk([
      create({ key: 'taken:1' }),
      { op: 'DELETE', key: 'taken:2', ifMatch: 9 },
      { op: 'PAUSE', key: 'taken:3' },
      { op: 'UPSERT', ifMatch: 1, schedule: scheduleBody({ key: 'taken:absent' }) },
      create({ key: 'taken:4' }),
    ]);
    expect(results.map(({ status, problem }) => [status, problem?.code])).toEqual([
      [409, 'ALREADY_EXISTS'],
      [412, 'PRECONDITION_FAILED'],
      [409, 'CONFLICT'],
      [412, 'PRECONDITION_FAILED'],
      [201, undefined],
    ]);
  });

  it('names a schedule once: the second item is refused, by whichever name', async () => {
    const id = await server().schedule({ key: 'once:1' });
    const results = await bulk([
      { op: 'PAUSE', id },
      { op: 'DELETE', key: 'once:1' },
      create({ key: 'once:2' }),
      upsert('once:2'),
      { op: 'DELETE', id },
    ]);
    expect(results.map(({ status, problem }) => [status, problem?.detail])).toEqual([
      [200, undefined],
      [400, 'names the same schedule as items.0'],
      [201, undefined],
      [400, 'names the same schedule as items.2'],
      [400, 'names the same schedule as items.0'],
    ]);
  });
});

describe('the audit trail of a bulk', () => {
  it('has an entry for each change and none for what was refused or is as it was', async () => {
    await bulk([upsert('trail:changed'), upsert('trail:same'), upsert('trail:gone')]);
    const traceId = '0af7651916cd43dd8448eb211c80319d';
    const items = [
      create({ key: 'trail:new' }),
      create({ key: 'trail:same' }),
      upsert('trail:changed', { name: 'Changed' }),
      upsert('trail:absent', { trigger: { type: 'CRON', cron: 'x' } }),
      { op: 'DELETE', key: 'trail:gone' },
    ];
    await bulk(items, { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } });
    const { items: entries } = (await server().request('GET', '/audit?limit=20', { as: { roles: ['admin'] } })).json();
    const told = entries.filter((entry: { readonly traceId: string }) => entry.traceId === traceId);
    const actions = told.map(({ action }: { readonly action: string }) => action).toSorted();
    expect(actions).toEqual(['schedule.created', 'schedule.deleted', 'schedule.replaced']);
  });
});

describe('an atomic bulk', () => {
  it('does all of it', async () => {
    const body = { atomic: true, items: [create({ key: 'all:1' }), create({ key: 'all:2' })] };
    const answer = await server().request('POST', '/schedules/bulk', { body });
    expect([answer.statusCode, answer.json().succeeded, await countOf('all:')]).toEqual([200, 2, 2]);
  });

  it('or nothing, and says which items are to blame', async () => {
    await bulk([upsert('none:kept')]);
    const items = [
      create({ key: 'none:new' }),
      { op: 'DELETE', key: 'none:kept' },
      create({ trigger: { type: 'CRON', cron: 'x' } }),
      { op: 'PAUSE', key: 'none:nobody' },
    ];
    const answer = await server().request('POST', '/schedules/bulk', { body: { atomic: true, items } });
    expect(problemIn(answer)).toEqual({
      status: 400,
      code: 'INVALID_TRIGGER',
      detail: expect.stringMatching(/^nothing was changed: items\.2 .*, and 1 more$/),
      errors: [
        { path: 'items.2.schedule.trigger.cron', message: expect.any(String) },
        { path: 'items.3', message: 'no such schedule' },
      ],
    });
    expect([await countOf('none:new'), await countOf('none:kept')]).toEqual([0, 1]);
  });

  it('is undone as a whole where a key is in use', async () => {
    await bulk([upsert('undone:taken')]);
    const items = [create({ key: 'undone:new' }), create({ key: 'undone:taken' })];
    const answer = await server().request('POST', '/schedules/bulk', { body: { atomic: true, items } });
    expect(problemIn(answer)).toMatchObject({
      status: 409,
      code: 'ALREADY_EXISTS',
      errors: [{ path: 'items.1', message: 'a schedule with the key "undone:taken" exists' }],
    });
    expect(await countOf('undone:new')).toBe(0);
  });
});

describe('who may send which item', () => {
  it('is decided by its single route: an operator pauses and does not create', async () => {
    await bulk([upsert('roles:1'), upsert('roles:2')]);
    const items = [{ op: 'PAUSE', key: 'roles:1' }, upsert('roles:3'), { op: 'DELETE', key: 'roles:2' }];
    const results = await bulk(items, { as: { roles: ['operator'] } });
    expect(results.map(({ status, problem }) => [status, problem?.code])).toEqual([
      [200, undefined],
      [403, 'PERMISSION_DENIED'],
      [403, 'PERMISSION_DENIED'],
    ]);
  });

  it("ends at the tenant's wall: another tenant's schedules are not found, and its keys are free", async () => {
    const id = await server().schedule({ key: 'wall:1' });
    const items = [{ op: 'DELETE', id }, { op: 'PAUSE', key: 'wall:1' }, create({ key: 'wall:1' })];
    const results = await bulk([items[0], items[2]], { as: { tenants: [OTHER_TENANT] } });
    expect(results.map(({ status }) => status)).toEqual([404, 201]);
    const others = await bulk([{ op: 'RESUME', id }, items[1]], { as: { tenants: [OTHER_TENANT] } });
    expect(others.map(({ status }) => status)).toEqual([404, 200]);
    expect(await find('wall:1')).toMatchObject({ id, state: 'ACTIVE' });
  });

  it("ends at the organization's wall too", async () => {
    const id = await server().schedule({ key: 'wall:org' });
    const as = { organizationId: 'org-1' };
    const results = await bulk([{ op: 'DELETE', id }, upsert('wall:org')], { as });
    expect(results.map(({ status, problem }) => [status, problem?.code])).toEqual([
      [404, 'NOT_FOUND'],
      [400, 'VALIDATION_FAILED'],
    ]);
    const [own, foreign] = await bulk([upsert('wall:own'), upsert('wall:org')], { as });
    expect([own?.status, foreign?.problem?.code]).toEqual([201, 'PERMISSION_DENIED']);
  });
});

describe('the same bulk twice', () => {
  it('is answered as the first time, and done once', async () => {
    const items = [create({ name: 'twice:a' }), create({ trigger: { type: 'CRON', cron: 'x' } })];
    const send = () =>
      server().request('POST', '/schedules/bulk', { body: { items }, headers: { 'idempotency-key': 'bulk-1' } });
    const [first, second] = await Promise.all([send(), send()]);
    const third = await send();
    const replayed = [first, second, third].map(({ headers }) => headers['idempotent-replayed'] === 'true');
    expect([replayed.filter(Boolean).length, await countOf('twice:a')]).toEqual([2, 1]);
    const told = [first, second, third].map((answer) => untraced(answer.json().items));
    expect([told[1], told[2]]).toEqual([told[0], told[0]]);
  });

  it('with another body is refused, also where the key made a single schedule', async () => {
    const headers = { 'idempotency-key': 'bulk-2' };
    const send = (items: readonly unknown[]) =>
      server().request('POST', '/schedules/bulk', { body: { items }, headers });
    await server().request('POST', '/schedules', { body: scheduleBody(), headers });
    expect(problemIn(await send([create()]))).toMatchObject({ status: 422, code: 'IDEMPOTENCY_MISMATCH' });
    const other = { 'idempotency-key': 'bulk-3' };
    await server().request('POST', '/schedules/bulk', { body: { items: [create()] }, headers: other });
    const single = await server().request('POST', '/schedules', { body: scheduleBody(), headers: other });
    expect(problemIn(single)).toMatchObject({ status: 422, code: 'IDEMPOTENCY_MISMATCH' });
  });

  it('may be sent again under its key after it was undone', async () => {
    const headers = { 'idempotency-key': 'bulk-4' };
    const body = { atomic: true, items: [create({ key: 'again:1' }), { op: 'DELETE', key: 'again:2' }] };
    const send = () => server().request('POST', '/schedules/bulk', { body, headers });
    expect((await send()).statusCode).toBe(404);
    await server().schedule({ key: 'again:2' });
    expect((await send()).statusCode).toBe(200);
  });
});

describe('bulks at the same time', () => {
  const keys = Array.from({ length: 120 }, (_, index) => `race:${String(index).padStart(3, '0')}`);

  it('that declare the same keys in opposite orders end with one schedule of each', async () => {
    const declared = (order: readonly string[]) => bulk(order.map((key) => upsert(key)));
    const answers = await Promise.all([declared(keys), declared(keys.toReversed()), declared(keys)]);
    const all = answers.flat();
    expect(all.filter(({ result }) => result === 'CREATED')).toHaveLength(keys.length);
    expect(all.filter(({ result }) => result === 'UNCHANGED')).toHaveLength(2 * keys.length);
    expect(await countOf('race:')).toBe(keys.length);
  });

  it('that pause and delete the same schedules in opposite orders do not deadlock', async () => {
    const pauses = bulk(keys.map((key) => ({ op: 'PAUSE', key })));
    const deletes = bulk(keys.toReversed().map((key) => ({ op: 'DELETE', key })));
    const [paused, deleted] = await Promise.all([pauses, deletes]);
    expect(new Set(deleted.map(({ status }) => status))).toEqual(new Set([204]));
    expect(new Set(paused.map(({ status }) => status)).size).toBe(1);
    expect([await countOf('race:'), server().failures]).toEqual([0, []]);
  });
});

describe('the size of a bulk', () => {
  it('is a thousand items', async () => {
    const items = Array.from({ length: 1000 }, (_, index) => create({ key: `size:${index}` }));
    expect((await bulk(items)).every(({ status }) => status === 201)).toBe(true);
    const answer = await server().request('POST', '/schedules/bulk', { body: { items: [...items, create()] } });
    expect(problemIn(answer)).toMatchObject({ status: 400, errors: [{ path: 'items' }] });
  });

  it.each<[unknown, string]>([
    [{}, 'items'],
    [{ items: [] }, 'items'],
    [{ items: {} }, 'items'],
    [{ items: [create()], atomic: 'yes' }, 'atomic'],
    [{ items: [create()], mode: 'fast' }, 'mode'],
  ])('and form are checked: %j', async (body, path) => {
    const answer = await server().request('POST', '/schedules/bulk', { body });
    expect(problemIn(answer)).toMatchObject({ status: 400, errors: [expect.objectContaining({ path })] });
  });
});

function untraced(items: readonly Shown[]): unknown {
  return items.map(({ problem, ...item }) => ({ ...item, problem: problem && { ...problem, traceId: '' } }));
}
