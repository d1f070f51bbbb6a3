import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../../src/domain/errors.ts';
import { dayText, pairsOf } from '../../../src/domain/time/business-days.ts';
import { readIcal } from '../../../src/domain/time/ical.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';

function days(text: string): readonly string[] {
  return pairsOf(readIcal(text)).map(([first, last]) =>
    first === last ? dayText(first) : `${dayText(first)}..${dayText(last)}`,
  );
}

function golden(name: string): string {
  return readFileSync(new URL(`./golden/${name}.ics`, import.meta.url), 'utf8');
}

function event(...lines: readonly string[]): string {
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'BEGIN:VEVENT', 'UID:a', ...lines, 'END:VEVENT', 'END:VCALENDAR', ''].join(
    '\r\n',
  );
}

/** What is said of a text that is refused. */
function refusal(text: string): string | undefined {
  try {
    readIcal(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'VALIDATION_FAILED') throw error;
    expect(error.problems.map(({ path }) => path)).toEqual(['ical']);
    return error.problems[0]?.message;
  }
}

describe('calendars as programs write them', () => {
  const files: [string, readonly string[]][] = [
    ['google-holidays', ['2026-12-25..2026-12-26']],
    ['outlook-office', ['2026-08-05..2026-08-06', '2026-09-30', '2026-11-27', '2026-12-30']],
    [
      'yearly-rules',
      [
        '2026-05-01',
        '2026-05-15',
        '2026-06-05',
        '2026-10-02',
        '2026-11-26',
        '2026-12-24..2027-01-01',
        '2027-11-25',
        '2028-05-01',
        '2028-11-23',
        '2029-05-01',
      ],
    ],
  ];

  test.each(files)('%s', (name, expected) => {
    expect(days(golden(name))).toEqual(expected);
  });

  test.each(files)('%s, with CRLF, a byte order mark and lower-case names', (name, expected) => {
    const text = golden(name).replaceAll('\n', '\r\n').replaceAll('DTSTART', 'dtstart');
    expect(days(`\uFEFF${text}`)).toEqual(expected);
  });
});

describe('an event', () => {
  test.each([
    [['DTSTART;VALUE=DATE:20260301'], ['2026-03-01']],
    [['DTSTART:20260301'], ['2026-03-01']],
    [['DTSTART;VALUE=DATE:20260301', 'DTEND;VALUE=DATE:20260303'], ['2026-03-01..2026-03-02']],
    [['DTSTART;VALUE=DATE:20260301', 'DTEND;VALUE=DATE:20260301'], ['2026-03-01']],
    [['DTSTART;VALUE=DATE:20260301', 'DURATION:P1W'], ['2026-03-01..2026-03-07']],
    [['DTSTART:20260301T090000'], ['2026-03-01']],
    [['DTSTART:20260301T230000Z', 'DTEND:20260302T000000Z'], ['2026-03-01']],
    [['DTSTART:20260301T230000Z', 'DTEND:20260302T000001Z'], ['2026-03-01..2026-03-02']],
    [['DTSTART;TZID=Europe/Berlin:20260301T233000', 'DURATION:PT1H'], ['2026-03-01..2026-03-02']],
    [['DTSTART;TZID=/x/Nowhere:20260301T233000'], ['2026-03-01']],
    [['DTSTART;VALUE=DATE:20991231', 'DTEND;VALUE=DATE:21000105'], ['2099-12-31']],
    [['DTSTART;VALUE=DATE:19690101'], []],
    [['DTSTART;VALUE=DATE:22000101', 'RRULE:FREQ=YEARLY'], []],
    [
      ['DTSTART;VALUE=DATE:20260228', 'RRULE:FREQ=DAILY;COUNT=3', 'EXDATE:20260301'],
      ['2026-02-28', '2026-03-02'],
    ],
    [
      ['DTSTART:20260101T120000', 'RRULE:FREQ=WEEKLY;COUNT=3', 'EXDATE;VALUE=DATE:20260108'],
      ['2026-01-01', '2026-01-15'],
    ],
    [
      ['DTSTART;TZID=America/New_York:20260101T200000', 'RRULE:FREQ=DAILY;COUNT=2', 'EXDATE:20260102T010000Z'],
      ['2026-01-02'],
    ],
    [
      ['DTSTART;TZID=America/New_York:20260101T200000', 'RRULE:FREQ=DAILY;UNTIL=20260103T010000Z'],
      ['2026-01-01..2026-01-02'],
    ],
  ])('%s', (lines, expected) => {
    expect(days(event(...lines))).toEqual(expected);
  });

  test('that began before 1970 goes on every year', () => {
    const found = days(event('DTSTART;VALUE=DATE:19580412', 'RRULE:FREQ=YEARLY'));
    expect([found.length, found[0], found.at(-1)]).toEqual([130, '1970-04-12', '2099-04-12']);
    expect(days(event('DTSTART;VALUE=DATE:19560229', 'RRULE:FREQ=YEARLY'))[0]).toBe('1972-02-29');
  });
});

describe('what is refused names the line and the reason', () => {
  test.each([
    ['', 'line 1: an iCalendar object begins with BEGIN:VCALENDAR'],
    ['2026-12-25', 'line 1: "2026-12-25" is not NAME:value'],
    ['BEGIN:VEVENT\nEND:VEVENT', 'line 1: an iCalendar object begins with BEGIN:VCALENDAR'],
    ['BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101\nEND:VCALENDAR', 'line 4: END:"VCALENDAR" closes VEVENT'],
    ['BEGIN:VCALENDAR', 'line 1: END:VCALENDAR is missing'],
    [event('SUMMARY:x'), 'line 3: the event has no DTSTART'],
    [event('DTSTART:20260230'), 'line 5: DTSTART "20260230" is no date or time such as 20261225 or 20261225T090000'],
    [
      event('DTSTART:20260101T240000'),
      'line 5: DTSTART "20260101T240000" is no date or time such as 20261225 or 20261225T090000',
    ],
    [event('DTSTART;VALUE=DATE:20260101T000000'), 'line 5: DTSTART says VALUE=DATE, but "20260101T000000" is a time'],
    [event('DTSTART:20260102', 'DTEND:20260101'), 'line 6: DTEND lies before DTSTART'],
    [event('DTSTART:20260102', 'DTEND:20260103T000000'), 'line 6: DTSTART and DTEND are both dates or both times'],
    [event('DTSTART:20260102', 'DURATION:5'), 'line 6: "5" is not a duration such as P1D or PT2H'],
    [event('DTSTART:20260102', 'RRULE:FREQ=HOURLY'), 'line 6: FREQ is DAILY, WEEKLY, MONTHLY or YEARLY'],
    [event('DTSTART:20260102', 'RDATE;VALUE=PERIOD:20260103T000000Z/PT1H'), 'line 6: an RDATE of periods is not read'],
    [
      event('DTSTART:19600102', 'RRULE:FREQ=WEEKLY'),
      'line 6: a rule that begins before 1970 is FREQ=YEARLY, without COUNT and INTERVAL',
    ],
  ])('%j', (text, expected) => {
    expect(refusal(text)).toBe(expected);
  });

  test('of a rule too, folded lines counted', () => {
    const text = event('DESCRIPTION:one', ' two', 'DTSTART:20260102', 'RRULE:FREQ=YEARLY;BYMONTH=13');
    expect(refusal(text)).toMatch(/^line 8: RRULE "FREQ=YEARLY;BYMONTH=13": .*13/);
  });

  test('beyond its bounds', () => {
    expect(refusal(event('DTSTART:20260101', `DESCRIPTION:${'ä'.repeat(270_000)}`))).toBe(
      'line 1: is longer than 512 KiB',
    );
    const short = ['BEGIN:VEVENT', 'DTSTART:20260101', 'END:VEVENT'];
    const many = ['BEGIN:VCALENDAR', ...Array.from({ length: 10_001 }, () => short).flat(), 'END:VCALENDAR'].join('\n');
    expect(refusal(many)).toMatch(/more than 10000 events$/);
    expect(refusal(event('DTSTART:19700101', 'RRULE:FREQ=DAILY'))).toBe('line 5: more than 40000 days in all');
    expect(refusal(event('DTSTART:20260101T000000', 'RRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3'))).toMatch(
      /occurrences/,
    );
  });

  test('and hostile rules do not take long', async () => {
    const rules = [
      'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
      'FREQ=MONTHLY;BYDAY=MO;BYSETPOS=200',
      'FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;BYMONTH=3',
    ];
    const events = Array.from({ length: 999 }, (_, index) => [
      'BEGIN:VEVENT',
      'DTSTART:20260101',
      `RRULE:${rules[index % 3] ?? ''}`,
      'END:VEVENT',
    ]);
    const text = ['BEGIN:VCALENDAR', ...events.flat(), 'END:VCALENDAR'].join('\n');
    expect(await cpuMsOf(() => expect(days(text)).toEqual(['2026-01-01']))).toBeLessThan(2_000);
  });
});
