import fc from 'fast-check';
import { scheduleBody } from './support.ts';

/** Values that parsers, databases and calendars have tripped over. */
export const hostile = fc.oneof(
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

/** `body` with one to three of its places, at any depth, replaced or added to. */
export function mutationsOf(body: unknown): fc.Arbitrary<unknown> {
  const change = fc.tuple(fc.nat(), fc.option(fc.string({ maxLength: 8 }), { freq: 9 }), hostile);
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) =>
      changes.reduce((changed, [place, added, value]) => replaced(changed, { place, added, value }), body),
    );
}

const words = (...parts: readonly string[]) => fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 3 });
const field = fc.oneof(
  { weight: 3, arbitrary: fc.constant('*') },
  words('0', '1', '5', '29', '31', '59', 'L', '15W', 'MON', 'FEB', '*/7', '1-5', '2#1', '?', '7').map((some) =>
    some.join(','),
  ),
);
const part = fc.constantFrom(
  ...[
    'COUNT=3',
    'INTERVAL=2',
    'BYDAY=MO,-1FR',
    'BYMONTHDAY=31,-1',
    'BYMONTH=2',
    'BYHOUR=2,9',
    'BYMINUTE=30',
    'BYSETPOS=-1',
  ],
  ...[
    'BYWEEKNO=53',
    'BYYEARDAY=366',
    'WKST=SU',
    'UNTIL=20991231T000000Z',
    'UNTIL=20300101',
    'BYSECOND=59',
    'COUNT=0',
    'X=1',
  ],
);
const time = fc.oneof(
  fc
    .date({ min: new Date('1969-01-01'), max: new Date('2210-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  fc.constantFrom('2026-03-29T02:30:00', '2026-10-25T02:30:00', '2026-12-31T23:59:59+14:00', '20260329T090000'),
);
const trigger = fc.oneof(
  fc.array(field, { minLength: 5, maxLength: 6 }).map((fields) => ({ type: 'CRON', cron: fields.join(' ') })),
  fc.record({
    type: fc.constant('RRULE'),
    rrule: fc
      .tuple(
        fc.constantFrom('SECONDLY', 'MINUTELY', 'HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'),
        fc.uniqueArray(part, { maxLength: 4 }),
      )
      .map(([frequency, parts]) => [`FREQ=${frequency}`, ...parts].join(';')),
    dtstart: fc.option(time, { nil: undefined }),
    exdates: fc.option(fc.array(time, { maxLength: 3 }), { nil: undefined }),
  }),
  fc.record({
    type: fc.constant('INTERVAL'),
    every: fc.constantFrom('PT1S', '15m', 'P1M', 'P1Y2M10DT2H', '1000w', 'P1D'),
    anchor: fc.option(time, { nil: undefined }),
    repeat: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
  }),
  fc.record({ type: fc.constant('ONE_SHOT'), startAt: time }),
  fc.record({ type: fc.constant('FIXED_DELAY'), delaySec: fc.oneof(fc.nat(), fc.constant(2 ** 31 - 1)) }),
);
const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });

const instant = fc.date({ min: new Date('2027-01-01'), max: new Date('2199-01-01'), noInvalidDate: true });

/** Values of the right type, and mostly in range. */
export const plausibleFields: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  name: word,
  key: fc.stringMatching(/^[A-Za-z0-9._:/-]{5,20}$/),
  description: fc.string({ unit: 'grapheme', maxLength: 100 }),
  labels: fc.dictionary(word, word, { maxKeys: 3 }),
  tz: fc.constantFrom(
    'UTC',
    'Asia/Kathmandu',
    'Pacific/Apia',
    'Australia/Lord_Howe',
    'us/pacific',
    'Etc/GMT-14',
    'EST5EDT',
    'Africa/El_Aaiun',
  ),
  trigger,
  payload: fc.jsonValue({ maxDepth: 5 }),
  enabled: fc.boolean(),
  startAt: instant.map((date) => date.toISOString()),
  endAt: instant.map((date) => date.toISOString()),
  maxFires: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  jitter: fc.nat({ max: 90_000 }).map((seconds) => `PT${seconds}S`),
  dst: fc.record({
    gap: fc.constantFrom('NEXT_VALID', 'SHIFT', 'SKIP'),
    fold: fc.constantFrom('FIRST', 'SECOND', 'BOTH'),
  }),
  timeoutSec: fc.integer({ min: 1, max: 901 }),
};
const plausibleField = fc.oneof(
  ...Object.entries(plausibleFields).map(([name, value]) => fc.tuple(fc.constant(name), value)),
  fc.tuple(fc.constant('trigger'), trigger),
);
/** Schedules that are well formed, and mostly possible. */
export const plausibleSchedule = fc
  .array(plausibleField, { minLength: 1, maxLength: 3 })
  .map((fields) => scheduleBody(Object.fromEntries(fields)));

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
