import { describe, expect, it } from 'vitest';
import { nextSlot } from '../../../src/domain/time/compile.ts';
import { cron, localSlots, slotsAfter } from './support/tools.ts';

describe('a cron expression', () => {
  const after = (text: string, from: string, count = 3): string[] =>
    slotsAfter(cron(text), Date.parse(from), count).map((at) => new Date(at).toISOString().slice(0, 19));

  it('with five fields fires at second 0', () => {
    expect(after('30 9 * * *', '2026-03-01T00:00:00Z', 2)).toEqual(['2026-03-01T09:30:00', '2026-03-02T09:30:00']);
  });

  it('with six fields begins with the seconds', () => {
    expect(after('*/20 59 23 31 12 *', '2026-01-01T00:00:00Z')).toEqual([
      '2026-12-31T23:59:00',
      '2026-12-31T23:59:20',
      '2026-12-31T23:59:40',
    ]);
  });

  it('fires strictly after the instant asked about, also within a second', () => {
    const noon = Date.parse('2026-03-01T12:00:00Z');
    expect(nextSlot(cron('* * * * * *'), noon)).toBe(noon + 1000);
    expect(nextSlot(cron('* * * * * *'), noon - 1)).toBe(noon);
    expect(nextSlot(cron('* * * * * *'), noon + 999)).toBe(noon + 1000);
  });

  it.each([
    ['0 0 L * *', ['2026-01-31', '2026-02-28', '2026-03-31']],
    ['0 0 L-3 * *', ['2026-01-28', '2026-02-25', '2026-03-28']],
    ['0 0 L-30 * *', ['2026-01-01', '2026-03-01', '2026-05-01']],
    ['0 0 LW * *', ['2026-01-30', '2026-02-27', '2026-03-31']],
    ['0 0 15W * *', ['2026-01-15', '2026-02-16', '2026-03-16']],
    ['0 0 1W * *', ['2026-01-01', '2026-02-02', '2026-03-02']],
    ['0 0 31W * *', ['2026-01-30', '2026-03-31', '2026-05-29']],
    ['0 0 * * 5#2', ['2026-01-09', '2026-02-13', '2026-03-13']],
    ['0 0 * * FRI#5', ['2026-01-30', '2026-05-29', '2026-07-31']],
    ['0 0 * * 1L', ['2026-01-26', '2026-02-23', '2026-03-30']],
    ['0 0 * * 7', ['2026-01-04', '2026-01-11', '2026-01-18']],
    ['0 0 ? feb-MAR Sat', ['2026-02-07', '2026-02-14', '2026-02-21']],
    ['0 0 1,15W,L 4 ?', ['2026-04-01', '2026-04-15', '2026-04-30']],
    ['0 0 29 2 *', ['2028-02-29', '2032-02-29', '2036-02-29']],
    ['0 0 1W 8,11 *', ['2026-08-03', '2026-11-02', '2027-08-02']],
    ['0 0 * 1 7/2', ['2026-01-04', '2026-01-11', '2026-01-18']],
    ['0 0 10/7 1 *', ['2026-01-10', '2026-01-17', '2026-01-24']],
  ])('%s falls on %j', (text, dates) => {
    expect(after(text, '2025-12-31T12:00:00Z')).toEqual(dates.map((date) => `${date}T00:00:00`));
  });

  it('with both day of month and day of week fires when either matches', () => {
    expect(after('0 0 13 * FRI', '2026-03-01T00:00:00Z', 4)).toEqual([
      '2026-03-06T00:00:00',
      '2026-03-13T00:00:00',
      '2026-03-20T00:00:00',
      '2026-03-27T00:00:00',
    ]);
    expect(after('0 0 */10 * 1', '2026-03-01T12:00:00Z', 3)).toEqual([
      '2026-03-02T00:00:00',
      '2026-03-09T00:00:00',
      '2026-03-11T00:00:00',
    ]);
  });

  it.each([
    ['@hourly', '0 * * * *'],
    ['@Daily', '0 0 * * *'],
    ['@midnight', '0 0 * * *'],
    ['@WEEKLY', '0 0 * * 0'],
    ['@monthly', '0 0 1 * *'],
    ['@yearly', '0 0 1 1 *'],
    ['@annually', '0 0 1 1 *'],
  ])('%s is %s', (macro, text) => {
    expect(slotsAfter(cron(macro), 0, 5)).toEqual(slotsAfter(cron(text), 0, 5));
  });

  it('09:00 in Berlin moves with the clocks', () => {
    expect(localSlots(cron('0 9 * * *', 'Europe/Berlin'), 'Europe/Berlin', '2026-03-28T00:00:00Z', 2)).toEqual([
      '2026-03-28T09:00:00+01:00',
      '2026-03-29T09:00:00+02:00',
    ]);
  });

  it.each([
    ['30 1 29 3 *', 'Europe/Berlin', '2026-03-29T01:30:00+01:00'],
    ['30 2 29 3 *', 'Europe/Berlin', '2026-03-29T03:00:00+02:00'],
    ['30 2 25 10 *', 'Europe/Berlin', '2026-10-25T02:30:00+02:00'],
    ['*/30 2 25 10 *', 'Europe/Berlin', '2026-10-25T02:00:00+02:00'],
    ['30 1 4 10 *', 'Australia/Sydney', '2026-10-04T01:30:00+10:00'],
    ['30 23 31 10 *', 'America/Los_Angeles', '2026-10-31T23:30:00-07:00'],
    ['0 1 1 11 *', 'America/Los_Angeles', '2026-11-01T01:00:00-07:00'],
  ])('%s in %s is found on the day the clocks change, from months before', (text, tz, expected) => {
    expect(localSlots(cron(text, tz), tz, '2025-12-01T00:00:00Z', 1)).toEqual([expected]);
  });

  it('crosses the century, and 2100 is the end of it', () => {
    expect(after('0 0 1 * *', '2099-11-15T00:00:00Z')).toEqual(['2099-12-01T00:00:00']);
    expect(nextSlot(cron('0 0 29 2 *'), Date.UTC(2096, 2, 1))).toBeNull();
    expect(nextSlot(cron('* * * * *'), Date.UTC(2100, 0, 1))).toBeNull();
    expect(nextSlot(cron('0 0 1 1 *', 'Pacific/Kiritimati'), Date.UTC(2099, 5, 1))).toBe(Date.UTC(2099, 11, 31, 10));
  });

  it('before 1970 there is nothing, its first second counts', () => {
    expect(nextSlot(cron('* * * * * *'), -1e12)).toBe(0);
    expect(nextSlot(cron('0 19 31 12 *', 'America/New_York'), -1e12)).toBe(0);
  });
});
