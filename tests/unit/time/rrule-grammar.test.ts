import { describe, expect, it } from 'vitest';
import type { Trigger } from '../../../src/domain/time/trigger.ts';
import { compiled, refusal } from './support/tools.ts';

const rrule = (text: string, more: Partial<Extract<Trigger, { type: 'RRULE' }>> = {}): string =>
  refusal(() => compiled({ type: 'RRULE', rrule: text, ...more }));

describe('an unreadable RRULE', () => {
  it.each([
    ['', 'no rule at offset 0'],
    ['BYHOUR=9', 'FREQ is missing at offset 0'],
    ['FREQ=FORTNIGHTLY', '"FORTNIGHTLY" at offset 5: one of SECONDLY, MINUTELY'],
    ['RRULE:FREQ=X', '"X" at offset 11: one of'],
    ['FREQ=DAILY;', '"" at offset 11: not a part of an RRULE'],
    ['FREQ=DAILY;BYEASTER=0', '"BYEASTER" at offset 11: not a part of an RRULE, there are FREQ, INTERVAL'],
    ['FREQ=DAILY;BYHOUR', '"BYHOUR" at offset 11: write BYHOUR=…'],
    ['FREQ=DAILY;BYHOUR=', '"BYHOUR=" at offset 11: write BYHOUR=…'],
    ['FREQ=DAILY;FREQ=DAILY', '"FREQ" at offset 11: stands there twice'],
    ['FREQ=DAILY;INTERVAL=0', '"0" at offset 20: a whole number from 1 to 10000000'],
    ['FREQ=DAILY;INTERVAL=-1', '"-1" at offset 20: a whole number'],
    ['FREQ=DAILY;INTERVAL=0.5', '"0.5" at offset 20: a whole number'],
    ['FREQ=DAILY;INTERVAL=10000001', '"10000001" at offset 20: a whole number'],
    ['FREQ=DAILY;COUNT=0', '"0" at offset 17: a whole number'],
    ['FREQ=DAILY;COUNT=-1', '"-1" at offset 17: a whole number'],
    ['FREQ=DAILY;COUNT=100001', '"COUNT=100001" at offset 11: at most 100000 here: use UNTIL'],
    ['FREQ=SECONDLY;BYDAY=MO;COUNT=1000000000', '"COUNT=1000000000" at offset 23: at most 100000 here: use UNTIL'],
    ['FREQ=HOURLY;BYMINUTE=0,30;COUNT=100000', '"COUNT=100000" at offset 26: takes too long to count here: use UNTIL'],
    ['FREQ=DAILY;COUNT=3;UNTIL=20261231T000000Z', '"3" at offset 17: COUNT or UNTIL, not both'],
    ['FREQ=DAILY;UNTIL=20260230T000000Z', '"20260230T000000Z" at offset 17: not a time'],
    ['FREQ=DAILY;UNTIL=2026-12-31', 'at offset 17: not a time: write 20261231T235959'],
    [
      'FREQ=DAILY;BYHOUR=9;UNTIL=20261231',
      '"20261231" at offset 26: a date alone is unclear where slots have a time: write 20261231T235959',
    ],
    ['FREQ=DAILY;BYHOUR=24', '"24" at offset 18: a number from 0 to 23'],
    ['FREQ=DAILY;BYHOUR=9,-1', '"-1" at offset 20: a number from 0 to 23'],
    ['FREQ=DAILY;BYMINUTE=60', '"60" at offset 20: a number from 0 to 59'],
    ['FREQ=DAILY;BYSECOND=60', '"60" at offset 20: a number from 0 to 59'],
    ['FREQ=DAILY;BYMONTH=13', '"13" at offset 19: a number from 1 to 12'],
    ['FREQ=DAILY;BYMONTHDAY=0', '"0" at offset 22: a number from 1 to 31, or below zero'],
    ['FREQ=DAILY;BYMONTHDAY=99', '"99" at offset 22: a number from 1 to 31'],
    ['FREQ=YEARLY;BYYEARDAY=367', '"367" at offset 22: a number from 1 to 366'],
    ['FREQ=YEARLY;BYWEEKNO=54', '"54" at offset 21: a number from 1 to 53'],
    ['FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0', '"0" at offset 31: a number from 1 to 366'],
    ['FREQ=WEEKLY;BYDAY=MON', '"MON" at offset 18: a weekday from SU, MO'],
    ['FREQ=MONTHLY;BYDAY=0MO', '"0MO" at offset 19: a weekday'],
    ['FREQ=MONTHLY;BYDAY=MO,,TU', '"" at offset 22: a weekday'],
    ['FREQ=DAILY;WKST=XX', '"XX" at offset 16: a weekday'],
    ['FREQ=MONTHLY;BYWEEKNO=1', '"BYWEEKNO" at offset 13: goes with FREQ=YEARLY only'],
    ['FREQ=DAILY;BYYEARDAY=1', '"BYYEARDAY" at offset 11: does not go with FREQ=DAILY'],
    ['FREQ=WEEKLY;BYMONTHDAY=1', '"BYMONTHDAY" at offset 12: does not go with FREQ=WEEKLY'],
    ['FREQ=WEEKLY;BYDAY=1MO', '"BYDAY" at offset 12: takes no numbers with FREQ=WEEKLY'],
    ['FREQ=HOURLY;BYDAY=1MO', '"BYDAY" at offset 12: takes no numbers with FREQ=HOURLY'],
    ['FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO', '"BYDAY" at offset 23: takes no numbers together with BYWEEKNO'],
    ['FREQ=MONTHLY;BYDAY=6MO', '"BYDAY" at offset 13: counts to 5 within a month'],
    ['FREQ=YEARLY;BYMONTH=2;BYDAY=-6MO', '"BYDAY" at offset 22: counts to 5 within a month'],
    ['FREQ=MONTHLY;BYSETPOS=1', '"BYSETPOS" at offset 13: needs another part that begins with BY'],
    ['RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY', '"RRULE:FREQ=WEEKLY" at offset 17: one RRULE only'],
    ['RRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY', '"EXRULE:FREQ=WEEKLY" at offset 17: not a line of a recurrence'],
    ['DTSTART;X=1:20260101T000000\nRRULE:FREQ=DAILY', '"X=1": TZID and VALUE=DATE are the parameters read here'],
    [`FREQ=DAILY;BYHOUR=${'1,'.repeat(1100)}1`, 'longer than 2048 characters'],
  ])('%j is refused: %s', (text, message) => {
    const told = rrule(text);
    expect(told).toContain(message);
    expect(told).toMatch(/^trigger\.rrule /);
  });

  it.each([
    ['tomorrow', 'trigger.dtstart "tomorrow" is not a time'],
    ['2026-02-29T09:00:00', 'trigger.dtstart "2026-02-29T09:00:00" is not a time'],
    ['2026-01-01T09:00:00.5Z', 'trigger.dtstart whole seconds only'],
    ['1969-12-31T09:00:00', 'is outside of 1970 to 2099'],
    ['2100-01-01', 'is outside of 1970 to 2099'],
    ['2026-01-01T09:00:00[Mars/Olympus]', 'trigger.dtstart "Mars/Olympus" is not a zone of the IANA database'],
    ['2026-01-01T09:00:00Z[Europe/Berlin]', 'trigger.dtstart an offset or a zone, not both'],
  ])('with DTSTART %j is refused: %s', (dtstart, message) => {
    expect(rrule('FREQ=DAILY', { dtstart })).toContain(message);
  });

  it('with an end before its start is refused', () => {
    const dtstart = '2026-01-01T09:00:00';
    const before = '"20251231T235959Z" at offset 17: lies before DTSTART';
    expect(rrule('FREQ=DAILY;UNTIL=20251231T235959Z', { dtstart })).toContain(before);
    expect(rrule('FREQ=DAILY;UNTIL=20260101T085959', { dtstart })).toContain('lies before DTSTART');
    expect(rrule('FREQ=DAILY;UNTIL=20260101T090000', { dtstart })).toBe('accepted');
    expect(rrule('DTSTART;TZID=Europe/Berlin:20261025T023000\nRRULE:FREQ=DAILY;UNTIL=20261025T010000Z')).toBe(
      'accepted',
    );
    expect(rrule('FREQ=DAILY;UNTIL=20251231T000000', { dtstart, rdates: ['2026-02-01T09:00:00'] })).toBe('accepted');
  });

  it('with an instant as DTSTART needs one as UNTIL', () => {
    expect(rrule('FREQ=DAILY;UNTIL=20260105T000000', { dtstart: '2026-01-01T00:00:00Z' })).toContain(
      'UNTIL is one too',
    );
  });

  it('with a date alone among its exceptions is refused where slots have a time', () => {
    expect(rrule('FREQ=DAILY;BYHOUR=9', { exdates: ['2026-12-24T09:00:00', '2026-12-25'] })).toContain(
      'trigger.exdates.1 a date alone is unclear',
    );
    expect(rrule('FREQ=DAILY', { exdates: ['2026-12-25'] })).toBe('accepted');
  });

  it('with more than a thousand exceptions is refused', () => {
    const exdates = Array.from({ length: 1001 }, () => '2026-12-25T00:00:00');
    expect(rrule('FREQ=DAILY', { exdates })).toBe('trigger.exdates more than 1000');
    expect(rrule('FREQ=DAILY', { rdates: exdates })).toBe('trigger.rdates more than 1000');
  });

  it('twice told where it starts is refused', () => {
    expect(rrule('DTSTART:20260101T000000\nRRULE:FREQ=DAILY', { dtstart: '2026-01-01T00:00:00' })).toContain(
      'trigger.dtstart stands there twice',
    );
  });

  it.each([
    'rrule:freq=daily',
    ' FREQ=DAILY \n',
    'FREQ=WEEKLY;BYDAY=+1MO'.replace('WEEKLY', 'MONTHLY'),
    'FREQ=DAILY;BYHOUR=9,9,09',
  ])('%j is readable', (text) => {
    expect(rrule(text)).toBe('accepted');
  });
});
