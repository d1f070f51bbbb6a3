import { describe, expect, it } from 'vitest';
import { problemIn, scheduleBody, useServer } from './support.ts';

const server = useServer();
const exdates = Array.from({ length: 10_000 }, () => '2030-01-01T00:00:00Z');
const dtstart = '2026-01-01T09:00:00';

describe('a trigger that is refused says what is wrong, where, and what would be right', () => {
  it.each<[object, string, string]>([
    [{ type: 'CRON', cron: '60 * * * *' }, 'trigger.cron', '"60" at offset 0: the minute runs from 0 to 59'],
    [{ type: 'CRON', cron: '*/0 * * * *' }, 'trigger.cron', '"0" at offset 2: a step of the minute is a number from 1'],
    [{ type: 'CRON', cron: '0 0 * FOO *' }, 'trigger.cron', '"FOO" at offset 6: the month runs from 1 to 12 or JAN'],
    [{ type: 'RRULE', rrule: 'FREQ=DAILY;INTERVAL=0' }, 'trigger.rrule', '"0" at offset 20: a whole number from 1'],
    [
      { type: 'RRULE', rrule: 'FREQ=DAILY;COUNT=5;UNTIL=20300101T000000Z' },
      'trigger.rrule',
      '"5" at offset 17: COUNT or UNTIL, not both',
    ],
    [
      { type: 'RRULE', rrule: 'FREQ=DAILY;UNTIL=20251231T000000', dtstart },
      'trigger.rrule',
      '"20251231T000000" at offset 17: lies before DTSTART, 2026-01-01T09:00:00',
    ],
    [
      { type: 'RRULE', rrule: 'FREQ=WEEKLY;BYMONTHDAY=1' },
      'trigger.rrule',
      '"BYMONTHDAY" at offset 12: does not go with FREQ=WEEKLY',
    ],
    [{ type: 'RRULE', rrule: 'FREQ=DAILY', exdates }, 'trigger.exdates', 'more than 1000'],
    [
      { type: 'RRULE', rrule: 'DTSTART;TZID=../../etc/passwd:20300101T090000\nRRULE:FREQ=DAILY' },
      'trigger.dtstart',
      '"../../etc/passwd" is not a zone of the IANA database',
    ],
  ])('%j', async (trigger, path, message) => {
    for (const [url, body] of [
      ['/schedules', scheduleBody({ trigger })],
      ['/schedules/preview', { tz: 'Europe/Berlin', trigger }],
    ] as const) {
      const problem = problemIn(await server().request('POST', url, { body }));
      expect(problem).toMatchObject({ status: 400, code: 'INVALID_TRIGGER' });
      expect(problem.errors).toEqual([{ path, message: expect.stringContaining(message) }]);
    }
  });

  it('one that never fires is told from one that cannot be read', async () => {
    const body = { tz: 'Europe/Berlin', trigger: { type: 'CRON', cron: '0 0 30 2 *' } };
    const problem = problemIn(await server().request('POST', '/schedules/preview', { body }));
    expect(problem).toMatchObject({ status: 422, code: 'TRIGGER_NEVER_FIRES', errors: [{ path: 'trigger' }] });
  });

  it.each(['../../etc/passwd', 'Europe/../Berlin', '/etc/localtime'])('the zone %j', async (tz) => {
    const body = { tz, trigger: { type: 'CRON', cron: '0 9 * * *' } };
    const problem = problemIn(await server().request('POST', '/schedules/preview', { body }));
    expect(problem).toMatchObject({ status: 400, code: 'VALIDATION_FAILED', errors: [{ path: 'tz' }] });
  });
});
