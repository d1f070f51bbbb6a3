import { describe, expect, it } from 'vitest';
import {
  compileTrigger,
  nextSlot,
  nextSlotMarked,
  normaliseTrigger,
  slotsBetween,
} from '../../../src/domain/time/compile.ts';
import type { DstPolicy, Trigger } from '../../../src/domain/time/trigger.ts';
import { compiled, cron, localSlots, refusal, slotsAfter } from './support/tools.ts';

const NOW = Date.parse('2026-01-31T09:30:10.250Z');
const BERLIN = 'Europe/Berlin';
const normal = (trigger: Trigger, tz = BERLIN): Trigger => normaliseTrigger(trigger, tz, NOW);
const interval = (fields: Omit<Extract<Trigger, { type: 'INTERVAL' }>, 'type'>): Trigger => ({
  type: 'INTERVAL',
  ...fields,
});

describe('an INTERVAL', () => {
  it('without anchor counts from the whole second of its creation', () => {
    const trigger = normal(interval({ every: '15m' }));
    expect(trigger).toEqual({ type: 'INTERVAL', every: '15m', anchor: '2026-01-31T09:30:10.000Z' });
    expect(nextSlot(compileTrigger(trigger, { tz: BERLIN }), NOW)).toBe(Date.parse('2026-01-31T09:45:10Z'));
  });

  it('without anchor but with a number of fires has them all still to come', () => {
    const trigger = compileTrigger(normal(interval({ every: 'PT1H', repeat: 3 })), { tz: BERLIN });
    expect(slotsAfter(trigger, NOW, 9).map((at) => new Date(at).toISOString())).toEqual([
      '2026-01-31T10:30:10.000Z',
      '2026-01-31T11:30:10.000Z',
      '2026-01-31T12:30:10.000Z',
    ]);
  });

  it('in ISO 8601 fires n times in all, its start included', () => {
    const trigger = normal(interval({ iso8601: 'R3/2026-03-01T00:00:00Z/PT6H' }));
    expect(trigger).toEqual({ type: 'INTERVAL', every: 'PT6H', anchor: '2026-03-01T00:00:00.000Z', repeat: 3 });
    expect(slotsAfter(compileTrigger(trigger, { tz: 'UTC' }), NOW, 9)).toEqual(
      [0, 6, 12].map((hour) => Date.UTC(2026, 2, 1, hour)),
    );
    expect(normal(interval({ iso8601: 'R/PT6H' }))).toMatchObject({
      every: 'PT6H',
      anchor: '2026-01-31T09:30:10.000Z',
    });
  });

  it('keeps its grid however far from the anchor', () => {
    const trigger = compiled(interval({ every: 'PT7M', anchor: '1970-01-01T00:00:00Z' }));
    const slot = nextSlot(trigger, NOW) ?? 0;
    expect(slot - NOW).toBeLessThanOrEqual(7 * 60_000);
    expect((slot / 60_000) % 7).toBe(0);
  });

  it('of months counts from the anchor: the 31st comes back after February', () => {
    const trigger = compiled(interval({ every: 'P1M', anchor: '2026-01-31T09:00:00' }), BERLIN);
    expect(localSlots(trigger, BERLIN, '2026-01-01T00:00:00Z', 4)).toEqual([
      '2026-01-31T09:00:00+01:00',
      '2026-02-28T09:00:00+01:00',
      '2026-03-31T09:00:00+02:00',
      '2026-04-30T09:00:00+02:00',
    ]);
    expect(localSlots(trigger, BERLIN, '2099-11-15T00:00:00Z', 4)).toEqual([
      '2099-11-30T09:00:00+01:00',
      '2099-12-31T09:00:00+01:00',
    ]);
  });

  it('of leap years, weeks, and mixed parts does what it says', () => {
    const first = (every: string, anchor: string, count = 3): string[] =>
      localSlots(compiled(interval({ every, anchor }), BERLIN), BERLIN, '2020-01-01T00:00:00Z', count);
    expect(first('P1Y', '2024-02-29T09:00:00').map((text) => text.slice(0, 10))).toEqual([
      '2024-02-29',
      '2025-02-28',
      '2026-02-28',
    ]);
    expect(first('P2W', '2026-03-16T09:00:00', 2)).toEqual(['2026-03-16T09:00:00+01:00', '2026-03-30T09:00:00+02:00']);
    expect(first('P1DT12H', '2026-03-28T06:00:00')).toEqual([
      '2026-03-28T06:00:00+01:00',
      '2026-03-29T18:00:00+02:00',
      '2026-03-31T06:00:00+02:00',
    ]);
  });

  it('with an instant as anchor and calendar parts keeps the wall time of its zone', () => {
    const trigger = compiled(interval({ every: '1d', anchor: '2026-03-28T08:00:00Z' }), BERLIN);
    expect(localSlots(trigger, BERLIN, '2026-03-28T00:00:00Z', 2)).toEqual([
      '2026-03-28T09:00:00+01:00',
      '2026-03-29T09:00:00+02:00',
    ]);
  });

  it.each([
    [{}, 'trigger.every missing'],
    [{ every: 'soon' }, 'trigger.every "soon" is not a duration: write "PT6H"'],
    [{ every: 'PT0S' }, 'trigger.every longer than nothing'],
    [{ every: 'P0D' }, 'trigger.every longer than nothing'],
    [{ every: 'PT0.5S' }, 'trigger.every whole seconds only'],
    [{ every: '500ms' }, 'trigger.every whole seconds only'],
    [{ every: '1m', anchor: 'tomorrow' }, 'trigger.anchor "tomorrow" is not a time'],
    [{ every: '1m', anchor: '2026-01-01T00:00:00.5Z' }, 'trigger.anchor whole seconds only'],
    [{ every: '1m', anchor: '2026-02-30T00:00:00Z' }, 'trigger.anchor "2026-02-30T00:00:00Z" is not a time'],
    [{ every: '1m', anchor: '2100-01-01T00:00:00Z' }, 'trigger.anchor from 1970 to 2099'],
    [{ every: '1m', repeat: 0 }, 'trigger.repeat the number of fires runs from 1'],
    [{ every: '1m', repeat: 1.5 }, 'trigger.repeat the number of fires runs from 1'],
    [{ iso8601: 'R0/PT6H' }, 'trigger.repeat the number of fires runs from 1'],
    [{ iso8601: 'PT6H' }, 'trigger.iso8601 write R[n]/start/duration'],
    [{ iso8601: 'R5/2026-01-01T00:00:00Z/2026-02-01T00:00:00Z' }, 'trigger.iso8601 write R[n]/start/duration'],
    [{ iso8601: 'R5/PT6H', every: 'PT6H' }, 'trigger.iso8601 stands for every, anchor and repeat'],
  ])('%j is refused: %s', (fields, message) => {
    expect(refusal(() => normal(interval(fields)))).toContain(message);
  });
});

describe('the number of an INTERVAL of days', () => {
  const DAILY = interval({ iso8601: 'R3/2026-10-24T02:30:00/P1D' });
  const slots = (dst: DstPolicy | undefined, trigger = DAILY): readonly string[] =>
    slotsAfter(compileTrigger(normal(trigger), { tz: BERLIN, dst }), NOW, 9).map((at) => new Date(at).toISOString());

  // As ISO 8601 has it: so many intervals, each as often as its start comes.
  it('counts days: by default each of them fires once', () => {
    const fired = ['2026-10-24T00:30:00.000Z', '2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z'];
    expect(slots(undefined)).toEqual(fired);
  });

  it('counts a day as one whose time comes twice, and both are wanted', () => {
    const both = [
      '2026-10-24T00:30:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ];
    expect(slots({ fold: 'BOTH' })).toEqual(both);
  });

  it('counts a day whose time does not come and is skipped', () => {
    const spring = interval({ iso8601: 'R3/2026-03-28T02:30:00/P1D' });
    expect(slots({ gap: 'SKIP' }, spring)).toEqual(['2026-03-28T01:30:00.000Z', '2026-03-30T00:30:00.000Z']);
    expect(slots(undefined, spring)).toHaveLength(3);
  });
});

describe('a FIXED_DELAY', () => {
  it('is due its delay after what is given, to the millisecond', () => {
    const trigger = compiled({ type: 'FIXED_DELAY', delaySec: 90 });
    expect(nextSlot(trigger, NOW)).toBe(NOW + 90_000);
    expect(slotsBetween(trigger, NOW, NOW + 10 * 90_000, 100)).toEqual({ last: NOW + 90_000, count: 1 });
  });

  it.each([0, -1, 1.5, Number.NaN, 1e12])('of %d seconds is refused', (delaySec) => {
    expect(refusal(() => normal({ type: 'FIXED_DELAY', delaySec }))).toContain('trigger.delaySec whole seconds from 1');
  });
});

describe('a ONE_SHOT', () => {
  it('takes an instant or a local time, and is stored as what it was: newer zone data moves a local time', () => {
    const stored = (startAt: string): Trigger => normal({ type: 'ONE_SHOT', startAt });
    expect(stored('2026-03-30T09:00:00+02:00')).toEqual({ type: 'ONE_SHOT', startAt: '2026-03-30T07:00:00.000Z' });
    expect(stored('2026-03-30T07:00:00.123Z')).toEqual({ type: 'ONE_SHOT', startAt: '2026-03-30T07:00:00.123Z' });
    expect(stored('2026-03-30t09:00:00')).toEqual({ type: 'ONE_SHOT', startAt: '2026-03-30T09:00:00' });
    expect(stored('2026-03-30T09:00:00.5')).toEqual({ type: 'ONE_SHOT', startAt: '2026-03-30T09:00:00.500' });
  });

  it.each<[string, DstPolicy | undefined, string | null, 'GAP' | 'FOLD' | null]>([
    ['2026-03-30T09:00:00', undefined, '2026-03-30T07:00:00.000Z', null],
    ['2026-03-30T09:00:00.5', undefined, '2026-03-30T07:00:00.500Z', null],
    ['2026-03-29T02:30:00', undefined, '2026-03-29T01:00:00.000Z', 'GAP'],
    ['2026-03-29T02:30:00.5', undefined, '2026-03-29T01:00:00.000Z', 'GAP'],
    ['2026-03-29T02:30:00', { gap: 'SHIFT' }, '2026-03-29T01:30:00.000Z', 'GAP'],
    ['2026-03-29T02:30:00', { gap: 'SKIP' }, null, null],
    ['2026-10-25T02:30:00', undefined, '2026-10-25T00:30:00.000Z', 'FOLD'],
    ['2026-10-25T02:30:00', { fold: 'SECOND' }, '2026-10-25T01:30:00.000Z', 'FOLD'],
    ['2026-10-25T02:30:00', { fold: 'BOTH' }, '2026-10-25T00:30:00.000Z', 'FOLD'],
    ['2026-10-25T01:30:00Z', { fold: 'FIRST' }, '2026-10-25T01:30:00.000Z', null],
  ])('at %s under %j fires at %s, marked %s', (startAt, dst, expected, mark) => {
    const slot = nextSlotMarked(compiled({ type: 'ONE_SHOT', startAt }, BERLIN, dst), NOW);
    expect(slot && { ...slot, at: new Date(slot.at).toISOString() }).toEqual(expected && { at: expected, dst: mark });
  });

  it('fires once', () => {
    const trigger = compiled({ type: 'ONE_SHOT', startAt: '2026-03-30T07:00:00.000Z' });
    expect(slotsAfter(trigger, NOW, 9)).toEqual([Date.parse('2026-03-30T07:00:00Z')]);
    expect(nextSlot(trigger, Date.parse('2026-03-30T07:00:00Z'))).toBeNull();
    expect(nextSlotMarked(trigger, NOW)).toEqual({ at: Date.parse('2026-03-30T07:00:00Z'), dst: null });
  });

  it.each(['', 'now', '2026-02-29T09:00:00Z', '2026-03-30', '2026-03-30 09:00:00', '2026-03-30T25:00:00Z'])(
    'at %j is refused',
    (startAt) => {
      expect(refusal(() => normal({ type: 'ONE_SHOT', startAt }))).toContain('trigger.startAt');
    },
  );

  it('on a date that its zone skipped is refused', () => {
    expect(refusal(() => normal({ type: 'ONE_SHOT', startAt: '2011-12-30T09:00:00' }, 'Pacific/Apia'))).toContain(
      'trigger.startAt',
    );
  });
});

describe('a stored trigger', () => {
  it.each<Trigger>([
    { type: 'CRON', cron: ' 0 9 * * MON-FRI ' },
    { type: 'RRULE', rrule: 'freq=weekly;byday=mo' },
    {
      type: 'RRULE',
      rrule: 'DTSTART;TZID=America/New_York:20260105T090000\nRRULE:FREQ=DAILY\nEXDATE:20260106T140000Z',
    },
    {
      type: 'RRULE',
      rrule: 'FREQ=DAILY;UNTIL=20261231',
      dtstart: '2026-01-01',
      exdates: ['2026-02-03'],
      rdates: ['20260204T120000'],
    },
    interval({ every: '1h30m' }),
    interval({ every: 'P1M', anchor: '2026-01-31T09:00:00' }),
    interval({ iso8601: 'R10/2026-01-01T00:00:00+01:00/P1D' }),
    { type: 'FIXED_DELAY', delaySec: 60 },
    { type: 'ONE_SHOT', startAt: '2026-10-25T02:30:00' },
  ])('is stored the same when it is stored again: %j', (trigger) => {
    const stored = normal(trigger);
    expect(normaliseTrigger(stored, BERLIN, NOW + 86_400_000 * 40)).toEqual(stored);
    expect(JSON.parse(JSON.stringify(stored))).toEqual(stored);
  });
});

describe('the slots of a stretch', () => {
  const FROM = Date.UTC(2026, 0, 1);
  const hours = (count: number): number => FROM + count * 3_600_000;

  it('are counted, and the last is known', () => {
    expect(slotsBetween(cron('0 * * * *'), FROM, hours(10), 100)).toEqual({ last: hours(10), count: 10 });
    expect(slotsBetween(cron('0 * * * *'), FROM, hours(10) - 1, 100)).toEqual({ last: hours(9), count: 9 });
    expect(slotsBetween(cron('0 0 1 1 *'), FROM, hours(10), 100)).toEqual({ last: null, count: 0 });
  });

  it('are not counted past the cap, and the last is still known', () => {
    expect(slotsBetween(cron('* * * * * *'), FROM, Date.UTC(2036, 0, 1), 1000)).toEqual({
      last: Date.UTC(2036, 0, 1),
      count: null,
    });
    expect(slotsBetween(cron('0 * * * *'), FROM, hours(10), 10)).toEqual({ last: hours(10), count: 10 });
    expect(slotsBetween(cron('0 * * * *'), FROM, hours(10), 9)).toEqual({ last: hours(10), count: null });
    expect(slotsBetween(cron('0 0 1 1 *', BERLIN), 0, Date.UTC(2026, 5, 1), 3)).toEqual({
      last: Date.UTC(2025, 11, 31, 23),
      count: null,
    });
  });

  it('of a fixed interval are arithmetic', () => {
    const seconds = compiled(interval({ every: '1s', anchor: '2026-01-01T00:00:00Z', repeat: 1_000_000_000 }));
    expect(slotsBetween(seconds, FROM, Date.UTC(2056, 0, 1), 2e9)).toEqual({
      last: Date.UTC(2056, 0, 1),
      count: 946_684_800,
    });
    expect(slotsBetween(seconds, FROM, Date.UTC(2099, 0, 1), 10)).toEqual({
      last: FROM + 999_999_999_000,
      count: null,
    });
    expect(slotsBetween(seconds, FROM - 5000, FROM, 10)).toEqual({ last: FROM, count: 1 });
    expect(slotsBetween(seconds, FROM - 5000, FROM - 1, 10)).toEqual({ last: null, count: 0 });
  });
});
