import { describe, expect, it } from 'vitest';
import { compileTrigger, nextSlot, normaliseTrigger, slotsBetween } from '../../../src/domain/time/compile.ts';
import { wallText } from '../../../src/domain/time/instant.ts';
import type { Trigger } from '../../../src/domain/time/trigger.ts';
import { localTime } from '../../../src/domain/time/zone.ts';
import { compiled, localSlots, NOON_2026 } from './support/tools.ts';

const NEW_YORK = 'America/New_York';

/** The first local times of a rule from its DTSTART on, without their offset. */
function times(rule: string, dtstart: string, count: number, tz = NEW_YORK): string[] {
  return localSlots(compiled({ type: 'RRULE', rrule: rule, dtstart }, tz), tz, '1970-01-01T00:00:00Z', count).map(
    (text) => text.slice(0, 16),
  );
}

function at(time: string, ...dates: string[]): string[] {
  return dates.map((date) => `${date}T${time}`);
}

describe('an RRULE, by the examples of RFC 5545 §3.8.5.3', () => {
  it.each([
    ['FREQ=DAILY;UNTIL=19970904T090000Z', at('09:00', '1997-09-02', '1997-09-03')],
    ['FREQ=DAILY;INTERVAL=10;COUNT=3', at('09:00', '1997-09-02', '1997-09-12', '1997-09-22')],
    ['FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO', at('09:00', '1998-01-04', '1998-01-05', '1998-01-11')],
    ['FREQ=WEEKLY;INTERVAL=2;WKST=SU', at('09:00', '1997-09-02', '1997-09-16', '1997-09-30')],
    [
      'FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR',
      at('09:00', '1997-09-03', '1997-09-05', '1997-09-15'),
    ],
    ['FREQ=MONTHLY;COUNT=10;BYDAY=1FR', at('09:00', '1997-09-05', '1997-10-03', '1997-11-07')],
    ['FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU', at('09:00', '1997-09-07', '1997-09-28', '1997-11-02')],
    ['FREQ=MONTHLY;COUNT=6;BYDAY=-2MO', at('09:00', '1997-09-22', '1997-10-20', '1997-11-17')],
    ['FREQ=MONTHLY;BYMONTHDAY=-3', at('09:00', '1997-09-28', '1997-10-29', '1997-11-28')],
    ['FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1', at('09:00', '1997-09-30', '1997-10-01', '1997-10-31')],
    [
      'FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15',
      at('09:00', '1997-09-10', '1997-09-11', '1997-09-12'),
    ],
    ['FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3', at('09:00', '1999-01-02', '1999-02-02', '1999-03-02')],
    ['FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200', at('09:00', '2000-01-01', '2000-04-09', '2000-07-18')],
    ['FREQ=YEARLY;BYDAY=20MO', at('09:00', '1998-05-18', '1999-05-17', '2000-05-15')],
    ['FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO', at('09:00', '1998-05-11', '1999-05-17', '2000-05-15')],
    ['FREQ=YEARLY;BYMONTH=6,7,8;BYDAY=TH', at('09:00', '1998-06-04', '1998-06-11', '1998-06-18')],
    ['FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13', at('09:00', '1998-02-13', '1998-03-13', '1998-11-13')],
    ['FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13', at('09:00', '1997-09-13', '1997-10-11', '1997-11-08')],
    [
      'FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8',
      at('09:00', '1997-11-04', '2001-11-06', '2005-11-08'),
    ],
    ['FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3', at('09:00', '1997-09-04', '1997-10-07', '1997-11-06')],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2', at('09:00', '1997-09-29', '1997-10-30', '1997-11-27')],
    ['FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z', ['1997-09-02T09:00', '1997-09-02T12:00', '1997-09-02T15:00']],
    ['FREQ=MINUTELY;INTERVAL=90;COUNT=4', ['1997-09-02T09:00', '1997-09-02T10:30', '1997-09-02T12:00']],
    [
      'FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40',
      ['1997-09-02T09:00', '1997-09-02T09:20', '1997-09-02T09:40'],
    ],
    ['FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5', at('09:00', '1997-09-15', '1997-09-30', '1997-10-15')],
  ])('%s begins with %j', (rule, expected) => {
    expect(times(rule, '1997-09-02T09:00:00', 3).slice(0, expected.length)).toEqual(expected);
  });

  it('the week start changes which weeks count', () => {
    const rule = 'FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU';
    expect(times(`${rule};WKST=MO`, '1997-08-05T09:00:00', 9)).toEqual(
      at('09:00', '1997-08-05', '1997-08-10', '1997-08-19', '1997-08-24'),
    );
    expect(times(`${rule};WKST=SU`, '1997-08-05T09:00:00', 9)).toEqual(
      at('09:00', '1997-08-05', '1997-08-17', '1997-08-19', '1997-08-31'),
    );
  });
});

describe('where oracles are wrong, an RRULE follows the RFC', () => {
  it('numbered and plain weekdays together are a union', () => {
    expect(times('FREQ=MONTHLY;BYDAY=3SU,MO', '2026-01-01T09:00:00', 5)).toEqual(
      at('09:00', '2026-01-05', '2026-01-12', '2026-01-18', '2026-01-19', '2026-01-26'),
    );
  });

  it('a week number without a weekday takes that of DTSTART', () => {
    expect(times('FREQ=YEARLY;BYWEEKNO=20', '1997-05-12T09:00:00', 3)).toEqual(
      at('09:00', '1997-05-12', '1998-05-11', '1999-05-17'),
    );
  });

  it('the set of the first week begins with the week, not with DTSTART', () => {
    const rule = 'FREQ=WEEKLY;BYDAY=MO,WE;BYMINUTE=24,45;BYSETPOS=2';
    expect(times(rule, '2015-04-29T09:00:59', 2)).toEqual(['2015-05-04T09:45', '2015-05-11T09:45']);
  });

  it('every hour within some hours loses none', () => {
    const rule = 'FREQ=MINUTELY;BYHOUR=6,10,17;BYDAY=MO,TU,WE,TH,FR;BYMINUTE=0';
    expect(times(rule, '2025-03-14T17:00:00', 4, 'UTC')).toEqual([
      '2025-03-14T17:00',
      '2025-03-17T06:00',
      '2025-03-17T10:00',
      '2025-03-17T17:00',
    ]);
    expect(times('FREQ=MINUTELY;INTERVAL=45;BYHOUR=0,13,15', '2025-03-14T13:30:00', 2, 'UTC')).toEqual([
      '2025-03-14T13:30',
      '2025-03-14T15:00',
    ]);
  });

  it('days at the end of a year belong to the weeks of the next', () => {
    expect(times('FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO', '1997-09-02T09:00:00', 3)).toEqual(
      at('09:00', '1997-12-29', '1999-01-04', '2000-01-03'),
    );
  });

  it('also where they are counted from the end: week −53 of 1998 is its first and begins in 1997', () => {
    // §3.3.10, BYWEEKNO: "Week number one of the calendar year is the first week that contains at least four (4) days in that calendar year."
    expect(times('FREQ=YEARLY;BYWEEKNO=-53;BYDAY=MO', '1997-01-01T09:00:00', 3)).toEqual(
      at('09:00', '1997-12-29', '2003-12-29', '2008-12-29'),
    );
  });

  it('and days at its beginning to those of the year before', () => {
    expect(times('FREQ=YEARLY;BYWEEKNO=53;BYDAY=FR', '2015-06-01T09:00:00', 3)).toEqual(
      at('09:00', '2016-01-01', '2021-01-01', '2027-01-01'),
    );
  });

  it('by the length of that year: 1 January 2022 is in week 52, and there is no 53', () => {
    // §3.3.10, BYWEEKNO: "Assuming a Monday week start, week 53 can only occur when Thursday is January 1 or if it is a leap year and
    // Wednesday is January 1." 2021 began with a Friday. python-dateutil measures it by 2022, and finds 2022-01-01.
    expect(times('FREQ=YEARLY;BYWEEKNO=53;BYDAY=SA', '2021-06-01T09:00:00', 2)).toEqual(
      at('09:00', '2027-01-02', '2033-01-01'),
    );
    expect(times('FREQ=YEARLY;BYWEEKNO=52;BYDAY=SA', '2021-06-01T09:00:00', 2)).toEqual(
      at('09:00', '2022-01-01', '2022-12-31'),
    );
  });

  it('a rule finds its slot half a century away', () => {
    const rule = 'FREQ=SECONDLY;INTERVAL=86399;BYHOUR=3;BYMINUTE=7;BYSECOND=11';
    expect(times(rule, '2026-01-01T08:00:00', 2, 'UTC')).toEqual(['2074-02-07T03:07']);
  });
});

describe('where an RRULE starts', () => {
  const normal = (trigger: Trigger, tz = 'Europe/Berlin'): Trigger =>
    normaliseTrigger(trigger, tz, Date.parse('2026-11-21T09:30:10Z'));

  it('without DTSTART: local midnight of the day it is created, so BYHOUR=9 is 09:00:00', () => {
    expect(normal({ type: 'RRULE', rrule: 'freq=daily;byhour=9' })).toEqual({
      type: 'RRULE',
      rrule: 'FREQ=DAILY;BYHOUR=9',
      dtstart: '2026-11-21T00:00:00',
    });
    expect(normal({ type: 'RRULE', rrule: 'FREQ=DAILY' }, 'Pacific/Kiritimati')).toMatchObject({
      dtstart: '2026-11-21T00:00:00',
    });
    expect(normal({ type: 'RRULE', rrule: 'FREQ=DAILY' }, 'Pacific/Niue')).toMatchObject({
      dtstart: '2026-11-20T00:00:00',
    });
  });

  it('a block of lines comes apart into the fields', () => {
    const block =
      'DTSTART;TZID=America/New_York:20260105T090000\r\nRRULE:FREQ=WEEKLY;\r\n BYDAY=MO\r\nEXDATE;TZID=America/New_York:20260112T090000,20260119T090000\r\nRDATE:20260113T140000Z';
    const trigger = normal({ type: 'RRULE', rrule: block });
    expect(trigger).toEqual({
      type: 'RRULE',
      rrule: 'FREQ=WEEKLY;BYDAY=MO',
      dtstart: '2026-01-05T09:00:00[America/New_York]',
      exdates: ['2026-01-12T09:00:00', '2026-01-19T09:00:00'],
      rdates: ['2026-01-13T14:00:00.000Z'],
    });
    expect(localSlots(compileTrigger(trigger, { tz: 'Europe/Berlin' }), NEW_YORK, '2026-01-01T00:00:00Z', 3)).toEqual([
      '2026-01-05T09:00:00-05:00',
      '2026-01-13T09:00:00-05:00',
      '2026-01-26T09:00:00-05:00',
    ]);
  });

  it('a DTSTART with Z is an instant, seen on the clock of the schedule', () => {
    const trigger = compiled({ type: 'RRULE', rrule: 'FREQ=DAILY', dtstart: '20260701T070000Z' }, 'Europe/Berlin');
    expect(localSlots(trigger, 'Europe/Berlin', '2026-12-01T00:00:00Z', 1)).toEqual(['2026-12-01T09:00:00+01:00']);
  });

  it('the distance from DTSTART does not change what follows', () => {
    const weekly = (dtstart: string): Trigger => ({
      type: 'RRULE',
      rrule: 'FREQ=WEEKLY;BYDAY=TU;BYHOUR=9;BYMINUTE=0;BYSECOND=0',
      dtstart,
    });
    const near = compiled(weekly('2026-06-01T00:00:00'), 'Europe/Berlin');
    const far = compiled(weekly('1970-01-01T00:00:00'), 'Europe/Berlin');
    expect(nextSlot(far, Date.UTC(2026, 6, 1))).toBe(nextSlot(near, Date.UTC(2026, 6, 1)));
  });
});

describe('where an RRULE ends', () => {
  it('UNTIL includes its own instant, in whatever way it is written', () => {
    expect(times('FREQ=DAILY;UNTIL=20260103T090000', '2026-01-01T09:00:00', 9)).toHaveLength(3);
    expect(times('FREQ=DAILY;UNTIL=20260103T140000Z', '2026-01-01T09:00:00', 9)).toHaveLength(3);
    expect(times('FREQ=DAILY;UNTIL=20260103T135959Z', '2026-01-01T09:00:00', 9)).toHaveLength(2);
    expect(times('FREQ=DAILY;UNTIL=20260103', '2026-01-01', 9)).toHaveLength(3);
    expect(times('FREQ=HOURLY;UNTIL=20260101T120000', '2026-01-01T09:00:00', 9)).toHaveLength(4);
    expect(times('FREQ=DAILY;UNTIL=99991231T235959Z', '2099-12-30T09:00:00', 9)).toHaveLength(2);
  });

  it.each([
    'FREQ=DAILY',
    'FREQ=DAILY;INTERVAL=3;BYHOUR=6,18',
    'FREQ=WEEKLY;BYDAY=MO,WE,FR',
    'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SA;BYMONTH=1,5,6',
    'FREQ=MONTHLY;BYMONTHDAY=31',
    'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=8,20;BYSETPOS=-1,1,3',
    'FREQ=YEARLY;BYDAY=MO;BYSETPOS=1,-1,300',
    'FREQ=YEARLY;BYWEEKNO=1,53;BYDAY=MO,SU',
    'FREQ=HOURLY;INTERVAL=7',
    'FREQ=HOURLY;BYHOUR=9,10;BYMINUTE=0,30',
    'FREQ=MINUTELY;INTERVAL=11;BYDAY=SA',
    'FREQ=MINUTELY;INTERVAL=7;BYHOUR=9,23;BYMONTH=1,2',
    'FREQ=SECONDLY;INTERVAL=13;BYMINUTE=59,0',
    'FREQ=SECONDLY;BYSECOND=0,1,58',
  ])('%s with COUNT has that many instances', (rule) => {
    for (const count of [1, 2, 7, 60])
      expect(times(`${rule};COUNT=${count}`, '2026-01-01T09:30:00', count + 5)).toHaveLength(count);
    expect(times(`${rule};COUNT=60`, '2026-01-01T09:30:00', 60)).toEqual(times(rule, '2026-01-01T09:30:00', 60));
  });

  it('COUNT is exact over days of 23 and 25 hours', () => {
    for (const [dtstart, minutesOfDay] of [
      ['2026-03-29T00:00:00', 23 * 60],
      ['2026-10-25T00:00:00', 25 * 60],
    ] as const) {
      const trigger = compiled({ type: 'RRULE', rrule: 'FREQ=MINUTELY;BYDAY=SU;COUNT=2000', dtstart }, 'Europe/Berlin');
      const { last, count } = slotsBetween(trigger, 0, Date.UTC(2030, 0, 1), 5000);
      expect(count).toBe(2000);
      expect(localTime(last ?? 0, 'Europe/Berlin').slice(11, 16)).toBe(
        wallText((2000 - minutesOfDay - 1) * 60).slice(11, 16),
      );
    }
  });

  it('a COUNT that arithmetic can do may be as large as it likes', () => {
    expect(times('FREQ=MINUTELY;COUNT=1000000000', '2026-01-01T00:00:00', 2)).toEqual([
      '2026-01-01T00:00',
      '2026-01-01T00:01',
    ]);
  });
});

describe('EXDATE and RDATE', () => {
  const set = (extra: { exdates?: string[]; rdates?: string[] }, rule = 'FREQ=DAILY;COUNT=4'): string[] =>
    localSlots(
      compiled({ type: 'RRULE', rrule: rule, dtstart: '2026-01-01T09:00:00', ...extra }, NEW_YORK),
      NEW_YORK,
      '1970-01-01T00:00:00Z',
      9,
    ).map((text) => text.slice(5, 16));

  it('leave out and add; COUNT counts the rule alone', () => {
    expect(set({ exdates: ['2026-01-02T09:00:00'] })).toEqual(['01-01T09:00', '01-03T09:00', '01-04T09:00']);
    expect(set({ rdates: ['2026-01-02T12:00:00', '2026-02-01T09:00:00'] })).toEqual([
      '01-01T09:00',
      '01-02T09:00',
      '01-02T12:00',
      '01-03T09:00',
      '01-04T09:00',
      '02-01T09:00',
    ]);
  });

  it('may be instants, and another zone of their own', () => {
    expect(set({ exdates: ['2026-01-02T14:00:00Z', '2026-01-03T15:00:00[Europe/Berlin]'] })).toEqual([
      '01-01T09:00',
      '01-04T09:00',
    ]);
  });

  it('an added time equal to an instance is one slot, and an excluded one is none', () => {
    expect(
      set({ rdates: ['2026-01-02T09:00:00', '2026-01-07T09:00:00'], exdates: ['2026-01-07T09:00:00'] }),
    ).toHaveLength(4);
  });

  it('an excluded time in a gap takes away the slot that was moved', () => {
    const nightly = compiled(
      { type: 'RRULE', rrule: 'FREQ=DAILY', dtstart: '2026-03-28T02:30:00', exdates: ['2026-03-29T02:30:00'] },
      'Europe/Berlin',
    );
    expect(localSlots(nightly, 'Europe/Berlin', '2026-03-28T00:00:00Z', 2)).toEqual([
      '2026-03-28T02:30:00+01:00',
      '2026-03-30T02:30:00+02:00',
    ]);
  });

  it('a thousand in a row cost no more than a moment', () => {
    const exdates = Array.from({ length: 1000 }, (_, day) =>
      new Date(Date.UTC(2026, 0, 1 + day, 9)).toISOString().slice(0, 19),
    );
    const trigger = compiled({ type: 'RRULE', rrule: 'FREQ=DAILY', dtstart: '2026-01-01T09:00:00', exdates });
    expect(nextSlot(trigger, NOON_2026 - 86_400_000)).toBe(Date.UTC(2026, 0, 1001, 9));
  });
});
