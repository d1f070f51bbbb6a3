import { describe, expect, it } from 'vitest';
import {
  compileTrigger,
  nextSlot,
  normaliseTrigger,
  slotsBetween,
  whyNoSlot,
} from '../../../src/domain/time/compile.ts';
import type { Trigger } from '../../../src/domain/time/trigger.ts';
import { NOON_2026, refusal } from './support/tools.ts';

/** The work itself takes a tenth of it. */
const MOST_MS = 50;
const FREQUENCIES = ['SECONDLY', 'MINUTELY', 'HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'];
const all = (count: number): string => Array.from({ length: count }, (_, value) => value).join(',');
const never = (freq: string): string[] => [
  ...(freq === 'WEEKLY'
    ? []
    : [`FREQ=${freq};BYMONTH=2;BYMONTHDAY=30`, `FREQ=${freq};INTERVAL=7;BYMONTH=4,6,9,11;BYMONTHDAY=31`]),
];

/** Reads it and looks for the first slot, as creating a schedule does. */
function firstSlot(trigger: Trigger, tz: string): number | null {
  return nextSlot(compileTrigger(normaliseTrigger(trigger, tz, NOON_2026), { tz }), NOON_2026);
}

/** The least CPU time of this thread in three turns: neighbours on the machine do not count, nor does the tick of its clock. */
function timed<Answer>(work: () => Answer): { readonly answer: Answer; readonly ms: number } {
  let best = Infinity;
  let answer = work();
  for (let turn = 0; turn < 3 && best > 0; turn++) {
    const start = process.threadCpuUsage();
    answer = work();
    const used = process.threadCpuUsage(start);
    best = Math.min(best, (used.user + used.system) / 1000);
  }
  return { answer, ms: best };
}

const rrule = (text: string, more: { dtstart?: string } = {}): Trigger => ({ type: 'RRULE', rrule: text, ...more });

describe('a trigger that never fires', () => {
  it.each<Trigger>([
    ...FREQUENCIES.flatMap(never).map((text) => rrule(text)),
    rrule('FREQ=MINUTELY;INTERVAL=60;BYMINUTE=1'),
    rrule('FREQ=HOURLY;INTERVAL=24;BYHOUR=5'),
    rrule('FREQ=SECONDLY;INTERVAL=2;BYSECOND=1'),
    rrule('FREQ=SECONDLY;INTERVAL=60;BYSECOND=1,3,5,7,9'),
    rrule('FREQ=MINUTELY;INTERVAL=1440;BYHOUR=1;BYMINUTE=1,2,3'),
    rrule('FREQ=MONTHLY;BYHOUR=0,5,21;BYSETPOS=4'),
    rrule('FREQ=WEEKLY;INTERVAL=13;BYHOUR=6,11;BYSECOND=12;BYSETPOS=-6,3,6'),
    rrule('FREQ=DAILY;BYHOUR=9;BYSETPOS=2'),
    rrule('FREQ=HOURLY;BYMINUTE=5,10;BYSETPOS=3'),
    rrule('FREQ=SECONDLY;BYHOUR=9;BYSETPOS=-2'),
    rrule('FREQ=YEARLY;BYMONTH=1;BYYEARDAY=32'),
    rrule('FREQ=YEARLY;BYWEEKNO=20;BYMONTH=1;BYDAY=MO'),
    rrule('FREQ=YEARLY;INTERVAL=10000000'),
    rrule('FREQ=SECONDLY;INTERVAL=10000000;BYHOUR=3;BYMINUTE=7;BYSECOND=11'),
    rrule('FREQ=DAILY;UNTIL=20250101T000000Z'),
    rrule('FREQ=SECONDLY;INTERVAL=2;BYSECOND=1;COUNT=100000'),
    { type: 'CRON', cron: '0 0 30 2 *' },
    { type: 'CRON', cron: '0 0 31W 2,4,6,9,11 *' },
    { type: 'INTERVAL', every: 'PT6H', anchor: '2020-01-01T00:00:00Z', repeat: 10 },
    { type: 'ONE_SHOT', startAt: '2101-01-01T00:00:00Z' },
  ])('%j answers at once', (trigger) => {
    for (const tz of ['UTC', 'Europe/Berlin']) {
      const { answer, ms } = timed(() => firstSlot(trigger, tz));
      expect(answer).toBeNull();
      expect(ms).toBeLessThan(MOST_MS);
    }
  });
});

describe('a trigger that is meant to cost', () => {
  it.each<Trigger>([
    rrule('FREQ=SECONDLY', { dtstart: '1970-01-01T00:00:00' }),
    rrule('FREQ=MINUTELY;INTERVAL=15', { dtstart: '1970-01-01T00:00:00' }),
    rrule('FREQ=MINUTELY;COUNT=1000000000'),
    rrule(`FREQ=DAILY;BYHOUR=${all(24)};BYMINUTE=${all(60)};BYSECOND=${all(60)}`),
    rrule(`FREQ=DAILY;BYHOUR=${all(24)};BYMINUTE=${all(60)};BYSECOND=${all(60)};BYSETPOS=-1`),
    rrule(
      `FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=${all(24)};BYMINUTE=${all(60)};BYSETPOS=${Array.from({ length: 366 }, (_, n) => -1 - n).join(',')};COUNT=40000`,
    ),
    rrule(`FREQ=HOURLY;BYMINUTE=${all(60)};BYSECOND=${all(60)};BYSETPOS=-1,300`),
    rrule('FREQ=SECONDLY;INTERVAL=86399;BYHOUR=3;BYMINUTE=7;BYSECOND=11', { dtstart: '2026-01-01T08:00:00' }),
    rrule('FREQ=WEEKLY;BYDAY=MO;COUNT=100000', { dtstart: '1970-01-01T00:00:00' }),
    rrule('FREQ=DAILY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU'),
    { type: 'CRON', cron: '0 0 29 2 *' },
    { type: 'CRON', cron: `${all(60)} ${all(24)} * * *` },
  ])('%j answers at once', (trigger) => {
    for (const tz of ['UTC', 'Europe/Berlin']) {
      const { answer, ms } = timed(() => firstSlot(trigger, tz));
      expect(answer).toBeGreaterThan(NOON_2026);
      expect(ms).toBeLessThan(MOST_MS);
    }
  });

  it('or is refused at once', () => {
    const exdates = Array.from({ length: 100_000 }, () => '2026-12-25T00:00:00');
    const costly: Trigger[] = [
      { type: 'RRULE', rrule: 'FREQ=DAILY', exdates },
      rrule(`FREQ=DAILY;BYHOUR=${'9,'.repeat(100_000)}9`),
      rrule('FREQ=MINUTELY;INTERVAL=59;BYMINUTE=1;COUNT=100000', { dtstart: '1970-01-01T00:00:00' }),
      rrule('FREQ=SECONDLY;BYDAY=MO;COUNT=1000000000'),
      { type: 'CRON', cron: `${'1,'.repeat(100_000)}1 * * * *` },
      { type: 'CRON', cron: `${' '.repeat(500_000)}* * * * *` },
      { type: 'INTERVAL', every: `P${'1'.repeat(500_000)}D` },
      { type: 'ONE_SHOT', startAt: '2'.repeat(500_000) },
    ];
    for (const trigger of costly) {
      const { answer, ms } = timed(() => refusal(() => firstSlot(trigger, 'Europe/Berlin')));
      expect(answer).toMatch(/^trigger\./);
      expect(ms).toBeLessThan(MOST_MS);
    }
  });
});

describe('a hundred years of slots', () => {
  it.each<[Trigger, number | null]>([
    [{ type: 'CRON', cron: '* * * * * *' }, 3_155_760_000],
    [{ type: 'CRON', cron: '*/7 * * * *' }, 7_889_400],
    [{ type: 'INTERVAL', every: '1s', anchor: '1990-01-01T00:00:00Z' }, 3_155_760_000],
    [rrule('FREQ=SECONDLY', { dtstart: '1990-01-01T00:00:00Z' }), 3_155_760_000],
    [rrule('FREQ=DAILY;INTERVAL=3;BYHOUR=9,17', { dtstart: '1990-01-01T00:00:00Z' }), 24_350],
    [rrule('FREQ=DAILY;BYHOUR=9,12,17;BYMINUTE=0,30;BYSETPOS=2,-1', { dtstart: '1990-01-01T00:00:00Z' }), 73_050],
    // Each hour is a run of its own, and there are too many.
    [rrule('FREQ=SECONDLY;BYMINUTE=0', { dtstart: '1990-01-01T00:00:00Z' }), null],
  ])('%j are counted at once', (trigger, expected) => {
    const compiled = compileTrigger(trigger, { tz: 'UTC' });
    const from = Date.UTC(1990, 0, 1);
    const { answer, ms } = timed(() =>
      slotsBetween(compiled, from - 1, from + 36_525 * 86_400_000 - 1, Number.POSITIVE_INFINITY),
    );
    expect(answer.count).toBe(expected);
    expect(ms).toBeLessThan(MOST_MS);
  });

  it('a day of seconds that nobody fired costs its catching-up next to nothing', () => {
    const seconds = compileTrigger({ type: 'CRON', cron: '* * * * * *' }, { tz: 'Europe/Berlin' });
    const { answer, ms } = timed(() => slotsBetween(seconds, NOON_2026, NOON_2026 + 86_400_000, 100_000));
    expect(answer).toEqual({ last: NOON_2026 + 86_400_000, count: 86_400 });
    expect(ms).toBeLessThan(MOST_MS / 10);
  });
});

describe('where there is no slot', () => {
  it('the work budget is told from the end', () => {
    const sparse = compileTrigger(rrule('FREQ=SECONDLY;INTERVAL=2;BYSECOND=1', { dtstart: '2026-01-01T00:00:00' }), {
      tz: 'UTC',
    });
    const ended = compileTrigger(rrule('FREQ=DAILY;COUNT=1', { dtstart: '2026-01-01T00:00:00' }), { tz: 'UTC' });
    expect(whyNoSlot(sparse, NOON_2026)).toBe('WORK_BUDGET');
    expect(whyNoSlot(ended, NOON_2026)).toBe('FINISHED');
    expect(whyNoSlot(compileTrigger({ type: 'CRON', cron: '0 0 30 2 *' }, { tz: 'UTC' }), NOON_2026)).toBe('FINISHED');
  });
});
