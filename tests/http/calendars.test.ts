import { describe, expect, it } from 'vitest';
import { OTHER_TENANT, problemIn, scheduleBody, useServer } from './support.ts';

const ICAL = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'BEGIN:VEVENT',
  'UID:labour-day',
  'DTSTART;VALUE=DATE:20260501',
  'RRULE:FREQ=YEARLY;COUNT=3',
  'END:VEVENT',
  'END:VCALENDAR',
  '',
].join('\r\n');

const server = useServer();
let made = 0;

/** The name of a new calendar. */
async function calendar(fields: Readonly<Record<string, unknown>> = {}): Promise<string> {
  made += 1;
  const name = `calendar-${made}`;
  const answer = await server().request('POST', '/calendars', { body: { name, ...fields } });
  expect([answer.statusCode, answer.body]).toEqual([201, expect.any(String)]);
  return name;
}

describe('POST /calendars', () => {
  it('makes a calendar, with its defaults filled in', async () => {
    const body = {
      tenantId: 'tenant-123',
      name: 'de-holidays',
      description: null,
      dates: ['2026-12-25'],
      ranges: [{ from: '2026-12-24', to: '2027-01-01' }],
      weekly: ['SA', 'SU'],
      ical: ICAL,
    };
    const answer = await server().request('POST', '/calendars', { body });
    const { ical, ...shown } = body;
    const { createdAt, updatedAt, ...rest } = answer.json();
    expect([answer.statusCode, answer.headers['etag'], answer.headers['location']]).toEqual([
      201,
      '"1"',
      '/calendars/de-holidays',
    ]);
    expect(rest).toEqual({ ...shown, icalDays: 3, version: 1, createdBy: 'user-1' });
    expect(updatedAt).toBe(createdAt);
    expect((await server().request('GET', '/calendars/de-holidays')).json()).toEqual(answer.json());
    const again = await server().request('POST', '/calendars', { body });
    expect(problemIn(again)).toMatchObject({ status: 409, code: 'ALREADY_EXISTS' });
  });

  it.each([
    [{ name: 'a b' }, 'name'],
    [{ name: '' }, 'name'],
    [{ name: 'x'.repeat(101) }, 'name'],
    [{ dates: ['2026-02-30'] }, 'dates.0'],
    [{ dates: ['2026-12-25T00:00:00Z'] }, 'dates.0'],
    [{ dates: ['1969-12-31'] }, 'dates.0'],
    [{ dates: ['2026-01-01', '2100-01-01'] }, 'dates.1'],
    [{ dates: '2026-01-01' }, 'dates'],
    [{ dates: Array.from({ length: 10_001 }, () => '2026-01-01') }, 'dates'],
    [{ ranges: [{ from: '2026-01-02', to: '2026-01-01' }] }, 'ranges.0.to'],
    [{ ranges: [{ from: '2026-01-02' }] }, 'ranges.0.to'],
    [{ ranges: Array.from({ length: 1_001 }, () => ({ from: '2026-01-01', to: '2026-01-01' })) }, 'ranges'],
    [{ weekly: ['SAT'] }, 'weekly.0'],
    [{ weekly: ['SA', 'SA'] }, 'weekly'],
    [{ ical: 'no calendar' }, 'ical'],
    [{ ical: ICAL.replace('20260501', '20260532') }, 'ical'],
    [{ icalDays: 3 }, 'icalDays'],
    [{ description: 5 }, 'description'],
    [{ toString: 1 }, 'toString'],
  ])('refuses %j', async (fields, path) => {
    const answer = await server().request('POST', '/calendars', { body: { name: 'refused', ...fields } });
    const { code, errors } = problemIn(answer);
    expect([code, errors]).toEqual(['VALIDATION_FAILED', [expect.objectContaining({ path })]]);
  });

  it('says which line of an iCalendar text is wrong', async () => {
    const body = { name: 'refused', ical: ICAL.replace('YEARLY', 'SOMETIMES') };
    const { errors } = problemIn(await server().request('POST', '/calendars', { body }));
    expect(errors).toEqual([{ path: 'ical', message: expect.stringMatching(/^line 6: RRULE .*SOMETIMES/) }]);
  });
});

describe('GET /calendars', () => {
  it('lists by name, page by page, this tenant’s only', async () => {
    const as = { tenants: [OTHER_TENANT] };
    for (const name of ['b', 'a', 'C', 'd']) await server().request('POST', '/calendars', { body: { name }, as });
    const names: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await server().request('GET', `/calendars?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`, {
        as,
      });
      expect(page.statusCode).toBe(200);
      names.push(...page.json().items.map((item: { name: string }) => item.name));
      cursor = page.json().nextCursor;
    }
    expect(names).toEqual(['C', 'a', 'b', 'd']);
    expect(problemIn(await server().request('GET', '/calendars?cursor=x')).code).toBe('VALIDATION_FAILED');
    expect(problemIn(await server().request('GET', '/calendars?page=1')).code).toBe('VALIDATION_FAILED');
  });
});

describe('PUT and DELETE /calendars/{name}', () => {
  it('replaces the contents; no change makes no new version', async () => {
    const name = await calendar({ dates: ['2026-12-25'], ical: ICAL });
    const body = { dates: ['2026-12-26'] };
    const put = await server().request('PUT', `/calendars/${name}`, { body, headers: { 'if-match': '"1"' } });
    expect([put.statusCode, put.headers['etag'], put.json().dates, put.json().icalDays]).toEqual([
      200,
      '"2"',
      ['2026-12-26'],
      0,
    ]);
    const same = await server().request('PUT', `/calendars/${name}`, { body: { ...body, name } });
    expect([same.statusCode, same.headers['etag']]).toEqual([200, '"2"']);
    const stale = await server().request('PUT', `/calendars/${name}`, { body, headers: { 'if-match': '"1"' } });
    expect(problemIn(stale)).toMatchObject({ status: 412, code: 'PRECONDITION_FAILED' });
    const renamed = await server().request('PUT', `/calendars/${name}`, { body: { ...body, name: 'other' } });
    expect(problemIn(renamed)).toMatchObject({
      code: 'VALIDATION_FAILED',
      errors: [{ path: 'name', message: expect.any(String) }],
    });
  });

  it('deletes what no schedule names, and says how many do', async () => {
    const name = await calendar();
    const ids: string[] = [];
    for (const onExcluded of ['SKIP', 'FOLLOWING'])
      ids.push(await server().schedule({ calendars: { exclude: [name], onExcluded } }));
    const used = problemIn(await server().request('DELETE', `/calendars/${name}`));
    expect(used).toMatchObject({ status: 409, code: 'CONFLICT', detail: '2 schedules name the calendar' });
    for (const id of ids) await server().request('DELETE', `/schedules/${id}`);
    const stale = await server().request('DELETE', `/calendars/${name}`, { headers: { 'if-match': '"7"' } });
    expect(problemIn(stale).code).toBe('PRECONDITION_FAILED');
    expect((await server().request('DELETE', `/calendars/${name}`)).statusCode).toBe(204);
    expect(problemIn(await server().request('DELETE', `/calendars/${name}`))).toMatchObject({ status: 404 });
  });

  it('does not find another tenant’s, nor what cannot be a name, and answers both alike', async () => {
    const name = await calendar();
    const as = { roles: ['admin'] as const, tenants: [OTHER_TENANT] };
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      const body = method === 'PUT' ? { body: {} } : {};
      const foreign = problemIn(await server().request(method, `/calendars/${name}`, { as, ...body }));
      const impossible = problemIn(await server().request(method, '/calendars/a%20b', { ...body }));
      expect([foreign, impossible]).toEqual([
        impossible,
        { status: 404, code: 'NOT_FOUND', detail: 'no such calendar' },
      ]);
    }
  });
});

describe('a schedule’s calendars', () => {
  const preview = (calendars: unknown) =>
    server().request('POST', '/schedules/preview', {
      body: {
        tz: 'Europe/Berlin',
        trigger: { type: 'CRON', cron: '0 9 * * *' },
        calendars,
        from: '2026-12-23T12:00:00Z',
        count: 3,
      },
    });

  it('are shown, patched and taken away', async () => {
    const name = await calendar({ dates: ['2026-12-25'] });
    const calendars = { exclude: [name], onExcluded: 'FOLLOWING' };
    const id = await server().schedule({ calendars: { exclude: [name] } });
    const read = async () => (await server().request('GET', `/schedules/${id}`)).json();
    expect(await read()).toMatchObject({ calendars: { ...calendars, onExcluded: 'SKIP' }, version: 1 });
    expect(await read()).not.toHaveProperty('excluded');
    const patch = (value: unknown) => server().request('PATCH', `/schedules/${id}`, { body: { calendars: value } });
    expect((await patch({ onExcluded: 'FOLLOWING' })).json()).toMatchObject({ calendars, version: 2 });
    expect((await patch(null)).json()).toMatchObject({ calendars: null, version: 3 });
  });

  it('decide what is previewed: skipped slots are left out, moved ones say from where', async () => {
    const name = await calendar({ dates: ['2026-12-25'], weekly: ['SA', 'SU'] });
    const skipped = (await preview({ exclude: [name], onExcluded: 'SKIP' })).json().slots;
    expect(skipped.map((slot: { local: string }) => slot.local.slice(0, 10))).toEqual([
      '2026-12-24',
      '2026-12-28',
      '2026-12-29',
    ]);
    const [, second] = (await preview({ exclude: [name], onExcluded: 'FOLLOWING' })).json().slots;
    expect(second).toEqual({
      scheduledFor: '2026-12-25T08:00:00.000Z',
      local: '2026-12-25T09:00:00+01:00',
      dst: null,
      movedFrom: '2026-12-25',
      dueAt: '2026-12-28T08:00:00.000Z',
    });
  });

  it.each([
    [{ exclude: ['nowhere'] }, 'calendars.exclude.0'],
    [{ exclude: [] }, 'calendars.exclude'],
    [{ exclude: Array.from({ length: 11 }, (_, index) => `c${index}`) }, 'calendars.exclude'],
    [{ exclude: ['a', 'a'] }, 'calendars.exclude'],
    [{ exclude: ['a/b'] }, 'calendars.exclude.0'],
    [{ exclude: ['a'], onExcluded: 'NEAREST' }, 'calendars.onExcluded'],
    [{ exclude: ['a'], include: [] }, 'calendars.include'],
    ['a', 'calendars'],
  ])('are refused as %j', async (calendars, path) => {
    const refused = { code: 'VALIDATION_FAILED', errors: [expect.objectContaining({ path })] };
    const body = scheduleBody({ calendars });
    expect(problemIn(await server().request('POST', '/schedules', { body }))).toMatchObject(refused);
    expect(problemIn(await preview(calendars))).toMatchObject(refused);
  });

  it('are never another tenant’s', async () => {
    const name = await calendar();
    const body = scheduleBody({ calendars: { exclude: [name] } });
    const answer = await server().request('POST', '/schedules', { body, as: { tenants: [OTHER_TENANT] } });
    expect(problemIn(answer).errors).toEqual([
      { path: 'calendars.exclude.0', message: `there is no calendar "${name}"` },
    ]);
  });
});
