import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BusinessDays,
  dayText,
  mergedSpans,
  type OnExcluded,
  readDay,
  type Weekday,
  weekdayBits,
} from '../../../src/domain/time/business-days.ts';
import { compileTrigger, nextSlot } from '../../../src/domain/time/compile.ts';
import { SlotCalendar } from '../../../src/domain/time/slot-calendar.ts';
import { localTime } from '../../../src/domain/time/zone.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';

const DAY_MS = 86_400_000;
const POLICIES = ['SKIP', 'FOLLOWING', 'PRECEDING', 'MODIFIED_FOLLOWING'] as const;

interface Given {
  readonly cron?: string;
  readonly tz?: string;
  readonly dates?: readonly string[];
  readonly weekly?: readonly Weekday[];
  readonly policy?: OnExcluded;
}

function calendarOf({
  cron = '0 9 * * *',
  tz = 'UTC',
  dates = [],
  weekly = [],
  policy = 'FOLLOWING',
}: Given): SlotCalendar {
  const days = mergedSpans(dates.map((date): [number, number] => [day(date), day(date)]));
  const excluded = { days, weekly: weekdayBits(weekly), onExcluded: policy };
  return new SlotCalendar(compileTrigger({ type: 'CRON', cron }, { tz }), tz, excluded, Number.POSITIVE_INFINITY);
}

function day(date: string): number {
  const number = readDay(date);
  if (number === null) throw new Error(date);
  return number;
}

/** Where the slot at that local time goes. */
function place(given: Given, slot: string): string {
  const calendar = calendarOf(given);
  const tz = given.tz ?? 'UTC';
  const at = Date.parse(slot);
  return calendar.isSkipped(at) ? 'skipped' : localTime(calendar.placeOf(at), tz);
}

describe('a slot on an excluded date', () => {
  const weekend = { weekly: ['SA', 'SU'] } as const;
  // 2025-08-30 is a Saturday, the last of its month; 2025-11-01 one that begins its month.
  test.each([
    ['SKIP', '2025-08-30T09:00:00Z', 'skipped'],
    ['FOLLOWING', '2025-08-30T09:00:00Z', '2025-09-01T09:00:00+00:00'],
    ['PRECEDING', '2025-08-30T09:00:00Z', '2025-08-29T09:00:00+00:00'],
    ['MODIFIED_FOLLOWING', '2025-08-30T09:00:00Z', '2025-08-29T09:00:00+00:00'],
    ['MODIFIED_FOLLOWING', '2025-08-31T09:00:00Z', '2025-08-29T09:00:00+00:00'],
    ['MODIFIED_FOLLOWING', '2025-08-23T09:00:00Z', '2025-08-25T09:00:00+00:00'],
    ['MODIFIED_FOLLOWING', '2025-11-01T09:00:00Z', '2025-11-03T09:00:00+00:00'],
    ['PRECEDING', '2025-11-01T09:00:00Z', '2025-10-31T09:00:00+00:00'],
    ['FOLLOWING', '2025-08-29T09:00:00Z', '2025-08-29T09:00:00+00:00'],
  ] as const)('goes by %s: %s becomes %s', (policy, slot, expected) => {
    expect(place({ ...weekend, policy }, slot)).toBe(expected);
  });

  test('keeps its local time over a clock change', () => {
    const berlin = { tz: 'Europe/Berlin', weekly: ['SU'], policy: 'FOLLOWING' } as const;
    expect(place(berlin, '2026-03-29T07:00:00Z')).toBe('2026-03-30T09:00:00+02:00');
    expect(place({ ...berlin, policy: 'PRECEDING' }, '2026-03-29T07:00:00Z')).toBe('2026-03-28T09:00:00+01:00');
  });

  test('whose local time is skipped where it goes is due at the first valid instant', () => {
    const given = { tz: 'Europe/Berlin', cron: '30 2 * * *', dates: ['2026-03-28'], policy: 'FOLLOWING' } as const;
    expect(place(given, '2026-03-28T01:30:00Z')).toBe('2026-03-29T03:00:00+02:00');
  });

  test('is due on the first pass of a repeated hour', () => {
    const given = { tz: 'Europe/Berlin', cron: '30 2 * * *', dates: ['2026-10-24'], policy: 'FOLLOWING' } as const;
    expect(place(given, '2026-10-24T00:30:00Z')).toBe('2026-10-25T02:30:00+02:00');
  });

  test('is never put on a date that the clock left out', () => {
    const given = { tz: 'Pacific/Apia', dates: ['2011-12-29'], policy: 'FOLLOWING' } as const;
    expect(place(given, '2011-12-29T19:00:00Z')).toBe('2011-12-31T09:00:00+14:00');
  });

  test('is moved by 366 days at most', () => {
    const dates = Array.from({ length: 800 }, (_, index) => dayText(day('2026-01-01') + index));
    expect(place({ dates, policy: 'FOLLOWING' }, '2026-01-01T09:00:00Z')).toBe('skipped');
    expect(place({ dates, policy: 'PRECEDING' }, '2026-01-01T09:00:00Z')).toBe('2025-12-31T09:00:00+00:00');
    expect(place({ dates, policy: 'PRECEDING' }, '2027-01-02T09:00:00Z')).toBe('skipped');
    expect(place({ dates, policy: 'MODIFIED_FOLLOWING' }, '2026-12-15T09:00:00Z')).toBe('2025-12-31T09:00:00+00:00');
  });

  test('of a calendar without a single open day is skipped, and no slot fires', () => {
    const weekly = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
    for (const policy of POLICIES) {
      expect(place({ weekly, policy }, '2026-01-01T09:00:00Z')).toBe('skipped');
    }
    expect(calendarOf({ weekly, policy: 'SKIP' }).firstFired(0)).toBeNull();
  });
});

describe('slots that go to one date', () => {
  test('come in the order in which they are due, each once', () => {
    const calendar = calendarOf({ cron: '0 9,17 * * *', weekly: ['SA', 'SU'] });
    const friday = Date.parse('2026-07-03T17:00:00Z');
    expect(inOrder(calendar, friday, 7)).toEqual([
      '07-04T09 due 07-06T09',
      '07-05T09 due 07-06T09',
      '07-06T09 due 07-06T09',
      '07-04T17 due 07-06T17',
      '07-05T17 due 07-06T17',
      '07-06T17 due 07-06T17',
      '07-07T09 due 07-07T09',
    ]);
  });

  test('are told apart from those of one date', () => {
    const calendar = calendarOf({ weekly: ['SA', 'SU'] });
    expect(
      ['2026-07-03', '2026-07-04', '2026-07-06'].map((date) => calendar.isShared(Date.parse(`${date}T09:00:00Z`))),
    ).toEqual([false, true, true]);
  });

  function inOrder(calendar: SlotCalendar, after: number, count: number): readonly string[] {
    const found: string[] = [];
    let slot = calendar.first(after);
    for (; slot !== null && found.length < count; slot = calendar.next(slot, after)) {
      const text = (at: number): string => new Date(at).toISOString().slice(5, 13);
      found.push(`${text(slot)} due ${text(calendar.placeOf(slot))}`);
    }
    return found;
  }
});

describe('jitter of a slot on a date with calendars', () => {
  test('ends before the next slot in order and before an excluded date', () => {
    const calendar = calendarOf({ cron: '0 9,23 * * *', weekly: ['SA', 'SU'] });
    expect(calendar.roomAfter(Date.parse('2026-07-03T09:00:00Z'))).toBe(14 * 3_600_000);
    expect(calendar.roomAfter(Date.parse('2026-07-03T23:00:00Z'))).toBe(3_600_000);
    expect(calendar.roomAfter(Date.parse('2026-07-04T09:00:00Z'))).toBe(0);
  });
});

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Gaza',
  'America/Havana',
  'Pacific/Apia',
];
const crons = [
  '0 9 * * *',
  '0 9,17 * * *',
  '30 */7 * * *',
  '15 0,1,2,3,23 * * *',
  '0 12 1,15,31 * *',
  '0 0 * * MON',
  '*/45 1-3 * * *',
];
const given = fc.record({
  cron: fc.constantFrom(...crons),
  tz: fc.constantFrom(...zones),
  policy: fc.constantFrom(...POLICIES),
  start: fc.integer({ min: day('2011-12-01'), max: day('2030-01-01') }),
  offsets: fc.uniqueArray(fc.integer({ min: 0, max: 45 }), { maxLength: 25 }),
  weekly: fc.subarray(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const, { maxLength: 5 }),
});
type Random = typeof given extends fc.Arbitrary<infer Value> ? Value : never;

function randomCalendar({ offsets, start, ...rest }: Random): {
  calendar: SlotCalendar;
  days: BusinessDays;
  from: number;
} {
  const dates = offsets.map((offset) => dayText(start + offset));
  const missing = rest.tz === 'Pacific/Apia' ? [day('2011-12-30')] : [];
  const days = mergedSpans(
    [...offsets.map((offset) => start + offset), ...missing].map((date): [number, number] => [date, date]),
  );
  const from = start * DAY_MS;
  return {
    calendar: calendarOf({ ...rest, dates }),
    days: new BusinessDays({ days, weekly: weekdayBits(rest.weekly) }),
    from,
  };
}

/** The slots of the trigger in time, from `from` for sixty days. */
function slotsOf({ cron, tz }: Random, from: number): readonly number[] {
  const compiled = compileTrigger({ type: 'CRON', cron }, { tz });
  const slots: number[] = [];
  for (let at = nextSlot(compiled, from); at !== null && at < from + 60 * DAY_MS; at = nextSlot(compiled, at))
    slots.push(at);
  return slots;
}

describe('whatever the trigger, zone and dates', () => {
  test('every slot comes exactly once, in the order of due times', () => {
    fc.assert(
      fc.property(given, (random) => {
        const { calendar, from } = randomCalendar(random);
        const slots = slotsOf(random, from);
        const seen: number[] = [];
        const latest = (slots.at(-1) ?? from) + 40 * DAY_MS;
        for (
          let slot = calendar.first(from);
          slot !== null && calendar.handledBelow(slot) < latest;
          slot = calendar.next(slot, from)
        )
          seen.push(slot);
        const end = slots.at(-1) ?? from;
        expect(seen.filter((slot) => slot <= end).sort((a, b) => a - b)).toEqual(slots);
        const dues = seen.map((slot) => calendar.placeOf(slot));
        expect(dues.every((due, index) => index === 0 || (dues[index - 1] ?? 0) <= due)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('no slot is due on an excluded date, and each keeps its date or is moved as its policy says', () => {
    fc.assert(
      fc.property(given, (random) => {
        const { calendar, days, from } = randomCalendar(random);
        for (const slot of slotsOf(random, from)) {
          if (calendar.isSkipped(slot)) continue;
          const [nominal, due] = [
            day(localTime(slot, random.tz).slice(0, 10)),
            day(localTime(calendar.placeOf(slot), random.tz).slice(0, 10)),
          ];
          expect([slot, due]).toEqual([slot, naiveTarget(days, nominal, random.policy)]);
          expect(calendar.movedFrom(slot)).toBe(days.isExcluded(nominal) ? dayText(nominal) : null);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('what has been handled follows from the slot that comes next', () => {
    fc.assert(
      fc.property(given, fc.nat({ max: 60 }), (random, steps) => {
        const { calendar, from } = randomCalendar(random);
        const handled: number[] = [];
        let slot = calendar.first(from);
        for (let step = 0; step < steps && slot !== null; step++) {
          handled.push(slot);
          slot = calendar.next(slot, from);
        }
        if (slot === null) return;
        expect(calendar.handledUpTo(slot, from)).toBe(Math.max(from, ...handled));
        expect(
          handled.filter((other) => other <= calendar.handledBelow(slot ?? 0) && other < from + 60 * DAY_MS).length,
        ).toBe(
          slotsOf(random, from).filter((other) => other <= Math.max(from, calendar.handledBelow(slot ?? 0))).length,
        );
      }),
      { numRuns: 200 },
    );
  });
});

/** Day by day, as the words say it. */
function naiveTarget(days: BusinessDays, nominal: number, policy: OnExcluded): number {
  const step = (from: number, by: 1 | -1): number => (days.isExcluded(from) ? step(from + by, by) : from);
  const following = step(nominal, 1);
  if (policy === 'PRECEDING') return step(nominal, -1);
  const leaves = dayText(following).slice(0, 7) !== dayText(nominal).slice(0, 7);
  return policy === 'MODIFIED_FOLLOWING' && leaves ? step(nominal, -1) : following;
}

describe('a search over excluded dates', () => {
  const everySecond = '* * * * * *';
  const week = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
  const threeYears = Array.from({ length: 1096 }, (_, index) => dayText(day('2026-01-01') + index));

  test.each(POLICIES)('takes no time under %s', async (policy) => {
    expect(await cpuMsOf(() => search(policy))).toBeLessThan(100);
  });

  function search(policy: OnExcluded): void {
    const from = Date.parse('2026-01-01T00:00:00Z');
    const never = calendarOf({ cron: everySecond, weekly: week, policy });
    expect([never.firstFired(from), never.openAfter(from)]).toEqual([null, null]);
    const long = calendarOf({ cron: everySecond, dates: threeYears, policy });
    const open = long.firstFired(from + DAY_MS * 400);
    expect(open === null ? null : long.isSkipped(open)).toBe(false);
  }
});
