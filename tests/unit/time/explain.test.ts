import { describe, expect, it } from 'vitest';
import { describeTrigger, normaliseTrigger } from '../../../src/domain/time/compile.ts';
import type { Trigger } from '../../../src/domain/time/trigger.ts';

const words = (trigger: Trigger): string =>
  describeTrigger(normaliseTrigger(trigger, 'Europe/Berlin', Date.parse('2026-11-21T09:30:10Z')), 'Europe/Berlin');

describe('a trigger in words', () => {
  it.each([
    ['0 9 * * MON-FRI', 'At 09:00, Monday through Friday'],
    ['*/15 9-17 * * MON-FRI', 'Every 15 minutes, between 09:00 and 17:59, Monday through Friday'],
    ['* * * * *', 'Every minute'],
    ['* * * * * *', 'Every second'],
    ['*/10 * * * * *', 'Every 10 seconds'],
    ['5 * * * * *', 'At second 5 of every minute'],
    ['@hourly', 'Every hour'],
    ['5 * * * *', 'Every hour, at 5 minutes past the hour'],
    ['0 */2 * * *', 'Every 2 hours from midnight'],
    ['0 9-17 * * *', 'Every hour from 09:00 to 17:00'],
    ['30 2,14 * * *', 'At 02:30 and 14:30'],
    ['10 0 9 * * *', 'At 09:00:10'],
    // Seven does not fit into an hour: "every 7 minutes" would be wrong once an hour.
    ['*/7 * * * *', 'At minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour'],
    ['5/15 * * * *', 'At minutes 5, 20, 35 and 50 of every hour'],
    ['15,45 8-11 * * *', 'At minutes 15 and 45 of hours 8 to 11'],
    ['1-3 0,7 9 * * *', 'At 09:00:01, 09:00:02, 09:00:03, 09:07:01, 09:07:02 and 09:07:03'],
    // Both days restricted: either may match.
    ['0 0 13 * 5', 'At 00:00, on day 13 of the month or on Friday'],
    ['0 0 1-7 * 0-6', 'At 00:00, on days 1 to 7 of the month or on any day of the week'],
    ['0 0 L * *', 'At 00:00, on the last day of the month'],
    ['0 0 L-3 * *', 'At 00:00, on the day 3 days before the last day of the month'],
    ['0 0 LW * *', 'At 00:00, on the last weekday of the month'],
    ['0 0 1,15W * *', 'At 00:00, on day 1 of the month and the weekday nearest to day 15 of the month'],
    ['0 0 * * FRIL', 'At 00:00, on the last Friday of the month'],
    ['0 0 * * 1#2,3#1', 'At 00:00, on the second Monday of the month and the first Wednesday of the month'],
    ['0 0 * * 0,7', 'At 00:00, on Sunday'],
    ['0 0 * * 6,0', 'At 00:00, on Saturday and Sunday'],
    ['0 9 * JAN-MAR,DEC MON', 'At 09:00, on Monday, in January through March and December'],
    ['0 0 1 */5 *', 'At 00:00, on day 1 of the month, in January, June and November'],
    ['0 0 ? * ?', 'At 00:00'],
  ])('%s: %s', (cron, expected) => {
    expect(words({ type: 'CRON', cron })).toBe(expected);
  });

  it.each([
    ['FREQ=DAILY;BYHOUR=9', 'Every day, at 09:00'],
    [
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;BYHOUR=9;COUNT=10',
      'Every 2 weeks on Monday and Thursday, at 09:00, from 2026-11-21, 10 times',
    ],
    ['FREQ=WEEKLY', 'Every week on Saturday, at 00:00'],
    ['FREQ=MONTHLY', 'Every month on day 21 of the month, at 00:00'],
    [
      'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
      'Every month on Monday through Friday, at 00:00, only the last of these in each month',
    ],
    [
      'FREQ=DAILY;BYHOUR=9,12,15;BYSETPOS=-1,1',
      'Every day, at 09:00, 12:00 and 15:00, only the first and last of these in each day',
    ],
    ['FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR', 'Every month on day 13 of the month where that is also Friday, at 00:00'],
    ['FREQ=MONTHLY;BYMONTHDAY=1,15,-1', 'Every month on days 1 and 15 and the last day of the month, at 00:00'],
    ['FREQ=YEARLY', 'Every year on day 21 of the month in November, at 00:00'],
    ['FREQ=YEARLY;BYMONTH=11;BYDAY=4TH', 'Every year on the fourth Thursday of the month in November, at 00:00'],
    ['FREQ=YEARLY;BYDAY=-20MO', 'Every year on the 20th to last Monday of the year, at 00:00'],
    ['FREQ=YEARLY;BYWEEKNO=20', 'Every year on Saturday in week 20 of the year, at 00:00'],
    ['FREQ=DAILY;UNTIL=20301231T230000Z', 'Every day, at 00:00, until 2030-12-31T23:00:00.000Z'],
    ['FREQ=MINUTELY;INTERVAL=15;BYHOUR=9,10,11', 'Every 15 minutes, in hours 9 to 11, from 2026-11-21T00:00:00'],
    ['FREQ=HOURLY;BYMINUTE=0,30', 'Every hour, at minutes 0 and 30, from 2026-11-21T00:00:00'],
    [
      'DTSTART;TZID=America/New_York:20260101T090000\nRRULE:FREQ=DAILY\nEXDATE;TZID=America/New_York:20260107T090000',
      'Every day, at 09:00, in the zone America/New_York, except for 1 time',
    ],
  ])('%s: %s', (rrule, expected) => {
    expect(words({ type: 'RRULE', rrule })).toBe(expected);
  });

  it.each<[Trigger, string]>([
    [{ type: 'INTERVAL', every: 'PT6H' }, 'Every 6 hours, counted from 2026-11-21T09:30:10Z'],
    [
      { type: 'INTERVAL', every: '1h30m', anchor: '2026-01-01T00:00:00' },
      'Every 1 hour and 30 minutes, counted from 2026-01-01T00:00:00',
    ],
    [
      { type: 'INTERVAL', iso8601: 'R10/2026-01-01T00:00:00Z/P1M' },
      'Every month, counted from 2026-01-01T00:00:00Z, 10 times',
    ],
    [{ type: 'FIXED_DELAY', delaySec: 90 }, '1 minute and 30 seconds after the run before has ended'],
    [{ type: 'ONE_SHOT', startAt: '2026-03-30T09:00:00' }, 'Once, at 2026-03-30T09:00:00'],
    [{ type: 'ONE_SHOT', startAt: '2026-03-30T07:00:00Z' }, 'Once, at 2026-03-30T09:00:00+02:00'],
  ])('%j: %s', (trigger, expected) => {
    expect(words(trigger)).toBe(expected);
  });
});
