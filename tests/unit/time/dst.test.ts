import { describe, expect, it } from 'vitest';
import { compileTrigger, nextSlotMarked } from '../../../src/domain/time/compile.ts';
import type { DstPolicy, Trigger } from '../../../src/domain/time/trigger.ts';
import { localTime } from '../../../src/domain/time/zone.ts';
import { compiled, localSlots } from './support/tools.ts';

/** Local times of the slots within a day from `from`, with their marks. */
function around(trigger: Trigger, tz: string, from: string, dst?: DstPolicy): string[] {
  const ready = trigger.type === 'CRON' ? compileTrigger(trigger, { tz, dst }) : compiled(trigger, tz, dst);
  const start = Date.parse(from);
  const found: string[] = [];
  for (
    let slot = nextSlotMarked(ready, start);
    slot !== null && slot.at < start + 24 * 3_600_000;
    slot = nextSlotMarked(ready, slot.at)
  ) {
    found.push([localTime(slot.at, tz), slot.dst].filter((part) => part !== null).join(' '));
  }
  return found;
}

const cron = (text: string): Trigger => ({ type: 'CRON', cron: text });
const SPRING = '2026-03-28T12:00:00Z'; // Berlin: 02:00 becomes 03:00 on the 29th
const AUTUMN = '2026-10-24T12:00:00Z'; // Berlin: 03:00 becomes 02:00 on the 25th

describe('a local time that the clocks skip', () => {
  it('is kept at the first valid instant after the gap by an appointment', () => {
    expect(around(cron('30 2 * * *'), 'Europe/Berlin', SPRING)).toEqual(['2026-03-29T03:00:00+02:00 GAP']);
  });

  it('is kept once when there are several in one gap, and when the instant after it is listed too', () => {
    expect(around(cron('0,30 2,3 * * *'), 'Europe/Berlin', SPRING)).toEqual([
      '2026-03-29T03:00:00+02:00 GAP',
      '2026-03-29T03:30:00+02:00',
    ]);
    expect(around(cron('10,50 2 * * *'), 'Europe/Berlin', SPRING)).toEqual(['2026-03-29T03:00:00+02:00 GAP']);
  });

  it('is shifted by the length of the gap, or skipped, when the schedule says so', () => {
    expect(around(cron('30 2 * * *'), 'Europe/Berlin', SPRING, { gap: 'SHIFT' })).toEqual([
      '2026-03-29T03:30:00+02:00 GAP',
    ]);
    expect(around(cron('30 2 * * *'), 'Europe/Berlin', SPRING, { gap: 'SKIP' })).toEqual([]);
    expect(around(cron('15 2 * * *'), 'Australia/Lord_Howe', '2026-10-02T16:00:00Z', { gap: 'SHIFT' })).toContain(
      '2026-10-04T02:45:00+11:00 GAP',
    );
  });

  it('is not made up for a wild trigger: real time goes on', () => {
    expect(around(cron('*/30 1,2,3 * * *'), 'Europe/Berlin', SPRING)).toEqual([
      '2026-03-29T01:00:00+01:00',
      '2026-03-29T01:30:00+01:00',
      '2026-03-29T03:00:00+02:00',
      '2026-03-29T03:30:00+02:00',
    ]);
    expect(around(cron('*/20 2 * * *'), 'Europe/Berlin', SPRING)).toEqual([]);
  });

  it('is made up for a wild trigger that asks for it', () => {
    expect(around(cron('*/30 2 * * *'), 'Europe/Berlin', SPRING, { gap: 'SHIFT' })).toEqual([
      '2026-03-29T03:00:00+02:00 GAP',
      '2026-03-29T03:30:00+02:00 GAP',
    ]);
  });

  it('at midnight is kept at 01:00', () => {
    expect(around(cron('0 0 * * *'), 'America/Havana', '2026-03-07T12:00:00Z')).toEqual([
      '2026-03-08T01:00:00-04:00 GAP',
    ]);
  });

  it('with its whole day does not exist, under any policy', () => {
    for (const gap of ['NEXT_VALID', 'SHIFT', 'SKIP'] as const) {
      expect(around(cron('0 9 30 12 *'), 'Pacific/Apia', '2011-12-29T20:00:00Z', { gap })).toEqual([]);
    }
    expect(localSlots(compiled(cron('0 9 * * *'), 'Pacific/Apia'), 'Pacific/Apia', '2011-12-29T18:00:00Z', 2)).toEqual([
      '2011-12-29T09:00:00-10:00',
      '2011-12-31T09:00:00+14:00',
    ]);
  });
});

describe('a local time that the clocks repeat', () => {
  it('counts once for an appointment, in the first pass', () => {
    expect(around(cron('30 2 * * *'), 'Europe/Berlin', AUTUMN)).toEqual(['2026-10-25T02:30:00+02:00 FOLD']);
    expect(around(cron('0 0 * * *'), 'America/Havana', '2026-10-31T12:00:00Z')).toEqual([
      '2026-11-01T00:00:00-04:00 FOLD',
    ]);
  });

  it('counts in the second pass, or in both, when the schedule says so', () => {
    expect(around(cron('30 2 * * *'), 'Europe/Berlin', AUTUMN, { fold: 'SECOND' })).toEqual([
      '2026-10-25T02:30:00+01:00 FOLD',
    ]);
    expect(around(cron('30 2 * * *'), 'Europe/Berlin', AUTUMN, { fold: 'BOTH' })).toEqual([
      '2026-10-25T02:30:00+02:00 FOLD',
      '2026-10-25T02:30:00+01:00 FOLD',
    ]);
  });

  it('counts twice for a wild trigger, so that hourly stays hourly', () => {
    expect(around(cron('0 1-3/1 * * *'), 'Europe/Berlin', AUTUMN)).toEqual([
      '2026-10-25T01:00:00+02:00',
      '2026-10-25T02:00:00+02:00 FOLD',
      '2026-10-25T02:00:00+01:00 FOLD',
      '2026-10-25T03:00:00+01:00',
    ]);
    expect(around(cron('0 * * * *'), 'Europe/Berlin', AUTUMN)).toHaveLength(23);
    expect(around(cron('0 * * * *'), 'Europe/Berlin', AUTUMN, { fold: 'FIRST' })).toHaveLength(22);
  });

  it('by half an hour is half an hour', () => {
    expect(around(cron('*/15 1 * * *'), 'Australia/Lord_Howe', '2026-04-04T08:00:00Z')).toEqual([
      '2026-04-05T01:00:00+11:00',
      '2026-04-05T01:15:00+11:00',
      '2026-04-05T01:30:00+11:00 FOLD',
      '2026-04-05T01:45:00+11:00 FOLD',
      '2026-04-05T01:30:00+10:30 FOLD',
      '2026-04-05T01:45:00+10:30 FOLD',
    ]);
  });
});

describe('an RRULE over a clock change', () => {
  const daily = (from: string, rule = 'FREQ=DAILY'): Trigger => ({ type: 'RRULE', rrule: rule, dtstart: from });

  it('of days or more is an appointment', () => {
    expect(around(daily('2026-03-01T02:30:00'), 'Europe/Berlin', SPRING)).toEqual(['2026-03-29T03:00:00+02:00 GAP']);
    expect(around(daily('2026-03-01T02:30:00'), 'Europe/Berlin', SPRING, { gap: 'SHIFT' })).toEqual([
      '2026-03-29T03:30:00+02:00 GAP',
    ]);
    expect(around(daily('2026-10-01T02:30:00'), 'Europe/Berlin', AUTUMN)).toEqual(['2026-10-25T02:30:00+02:00 FOLD']);
  });

  it('of hours or less follows real time', () => {
    expect(around(daily('2026-03-28T18:00:00', 'FREQ=HOURLY;INTERVAL=6'), 'Europe/Berlin', SPRING)).toEqual([
      '2026-03-28T18:00:00+01:00',
      '2026-03-29T00:00:00+01:00',
      '2026-03-29T07:00:00+02:00',
      '2026-03-29T13:00:00+02:00',
    ]);
    expect(around(daily('2026-10-25T01:30:00', 'FREQ=HOURLY;BYHOUR=1,2,3'), 'Europe/Berlin', AUTUMN)).toEqual([
      '2026-10-25T01:30:00+02:00',
      '2026-10-25T02:30:00+02:00 FOLD',
      '2026-10-25T02:30:00+01:00 FOLD',
      '2026-10-25T03:30:00+01:00',
    ]);
  });

  it('counts only instances that exist', () => {
    const threeNights = daily('2026-03-28T02:30:00', 'FREQ=DAILY;COUNT=3');
    const last = (dst: DstPolicy): string | undefined =>
      localSlots(compiled(threeNights, 'Europe/Berlin', dst), 'Europe/Berlin', SPRING, 9).at(-1);
    expect(last({ gap: 'NEXT_VALID' })).toBe('2026-03-30T02:30:00+02:00');
    expect(last({ gap: 'SKIP' })).toBe('2026-03-31T02:30:00+02:00');
  });
});

describe('an INTERVAL over a clock change', () => {
  it('of fixed length runs in real time', () => {
    expect(
      around({ type: 'INTERVAL', every: 'PT12H', anchor: '2026-03-28T18:00:00' }, 'Europe/Berlin', SPRING),
    ).toEqual(['2026-03-28T18:00:00+01:00', '2026-03-29T07:00:00+02:00']);
  });

  it('of days keeps the wall time', () => {
    const nightly: Trigger = { type: 'INTERVAL', every: 'P1D', anchor: '2026-03-01T02:30:00' };
    expect(around(nightly, 'Europe/Berlin', SPRING)).toEqual(['2026-03-29T03:00:00+02:00 GAP']);
    expect(around(nightly, 'Europe/Berlin', SPRING, { gap: 'SKIP' })).toEqual([]);
    expect(around(nightly, 'Europe/Berlin', AUTUMN, { fold: 'BOTH' })).toEqual([
      '2026-10-25T02:30:00+02:00 FOLD',
      '2026-10-25T02:30:00+01:00 FOLD',
    ]);
  });
});
