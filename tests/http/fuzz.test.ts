import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXAMPLES } from '../../src/app/routes/examples.ts';
import { scheduleBody, useServer } from './support.ts';

const RUNS = 400;
const bodies = [
  ...Object.values(EXAMPLES['createSchedule']?.bodies ?? {}),
  scheduleBody({ retry: {}, misfire: {}, dst: {}, labels: {}, key: 'k' }),
];

/** Values that parsers, databases and calendars have tripped over. */
const hostile = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    ' ',
    '0',
    '-1',
    'NaN',
    'null',
    '\u0000',
    '\ud800',
    '\r\n',
    "'; drop table runs --",
    '%00',
    '../..',
    '{{secret:X}}',
    '🗓',
  ),
  fc.constantFrom<unknown>(0, -0, -1, 1.5, 1e21, 2 ** 31, 2 ** 53, Number.MIN_VALUE, Number.MAX_VALUE),
  fc.constantFrom<unknown>(
    '9999-12-31T23:59:59Z',
    '0000-00-00T00:00:00Z',
    '2026-03-29T02:30:00',
    'P999999999Y',
    'PT0.0001S',
    'R-1/x/P1D',
    'Etc/GMT+14',
    'FREQ=SECONDLY;COUNT=1e9',
  ),
  fc.constantFrom<unknown>(
    '* * * * * *',
    '59 23 31 12 7',
    '0 0 29 2 1',
    '@yearly',
    'FREQ=YEARLY;BYDAY=54MO',
    'http://[::1]/',
    'http://169.254.169.254/',
    'https://e.com:99999/',
  ),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.jsonValue({ maxDepth: 4 }),
);

/** A body with one to three of its places, at any depth, replaced or added to. */
const mutated = fc
  .tuple(
    fc.constantFrom(...bodies),
    fc.array(fc.tuple(fc.nat(), fc.option(fc.string({ maxLength: 8 })), hostile), { minLength: 1, maxLength: 3 }),
  )
  .map(([body, changes]) =>
    changes.reduce((changed, [place, added, value]) => replaced(changed, { place, added, value }), body),
  );

describe('whatever is sent', () => {
  const server = useServer();

  it('as a schedule is made or refused, never a failure of ours', async () => {
    await fc.assert(
      fc.asyncProperty(mutated, async (body) => {
        const answer = await server().request('POST', '/schedules', { body });
        expect([answer.statusCode < 500, server().failures]).toEqual([true, []]);
      }),
      { numRuns: RUNS },
    );
  });

  it('as a change is made or refused', async () => {
    const id = await server().schedule({
      target: { kind: 'HTTP', http: { url: 'https://example.com/' } },
      labels: { a: 'b' },
    });
    await fc.assert(
      fc.asyncProperty(mutated, fc.constantFrom('PATCH', 'PUT'), async (body, method) => {
        const answer = await server().request(method, `/schedules/${id}`, { body });
        expect([answer.statusCode < 500, server().failures]).toEqual([true, []]);
      }),
      { numRuns: RUNS },
    );
  });

  it('in paths, queries and headers finds something or is refused', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      hostile.filter((value) => typeof value === 'string'),
    );
    const names = [
      'limit',
      'cursor',
      'page',
      'pageSize',
      'state',
      'label',
      'q',
      'dueBefore',
      'sort',
      'from',
      'to',
      'count',
      'scheduleId',
      'cause',
      'tenantId',
    ];
    const urls = [
      '/schedules',
      '/runs',
      '/dead-letters',
      '/schedules/{}',
      '/schedules/{}/runs',
      '/schedules/{}/upcoming',
      '/runs/{}',
      '/echo/{}',
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...urls),
        text,
        fc.constantFrom(...names),
        text,
        async (...[url, id, name, value]) => {
          const path = url.replace('{}', () => encoded(id));
          const answer = await server().request('GET', `${path}?${name}=${encoded(value)}`, {
            headers: { 'x-tenant-id': 'tenant-123' },
          });
          expect([answer.statusCode < 500, server().failures]).toEqual([true, []]);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('as a run id of any slot and space is not found', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[0-9a-v]{42}$/),
        fc.constantFrom('', '/retry', '/cancel'),
        async (id, action) => {
          const answer = await server().request(action === '' ? 'GET' : 'POST', `/runs/${id}${action}`);
          expect([answer.statusCode, server().failures]).toEqual([404, []]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

interface Change {
  readonly place: number;
  readonly added: string | null;
  readonly value: unknown;
}

function replaced(body: unknown, { place, added, value }: Change): unknown {
  const paths = pathsOf(body);
  const path = paths[place % paths.length] ?? [];
  return put(body, added === null ? path : [...path.slice(0, -1), added], value);
}

function pathsOf(value: unknown): string[][] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...pathsOf(inner).map((path) => [key, ...path])]);
}

function put(target: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const members = target !== null && typeof target === 'object' ? Object.entries(target) : [];
  const inner = members.find(([name]) => name === key)?.[1];
  return Object.fromEntries([...members, [key, put(inner, rest, value)]]);
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
