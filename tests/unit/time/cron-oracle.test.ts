import { Cron } from 'croner';
import { describe, expect, it } from 'vitest';
import { nextSlot } from '../../../src/domain/time/compile.ts';
import { naiveCron } from './support/naive-cron.ts';
import { randomFrom } from './support/random.ts';
import { randomCron } from './support/random-cron.ts';
import { cases, cron, slotsAfter } from './support/tools.ts';

const SEED = 20_260_321;

describe('any cron expression', () => {
  it(`fires when a calendar read day by day says so (seed ${SEED})`, () => {
    const random = randomFrom(SEED);
    for (let turn = 0; turn < cases(250); turn++) {
      const text = randomCron(random);
      const from = Temporal.PlainDate.from({ year: 1972 + random.below(120), month: 1 + random.below(12), day: 1 });
      const days = 400;
      const naive = naiveCron(text);
      const expected: number[] = [];
      for (let day = 0; day < days && expected.length < 6; day++) {
        const date = from.add({ days: day });
        if (!naive.matchesDate(date)) continue;
        for (const time of naive.times)
          expected.push(date.toPlainDateTime(time).toZonedDateTime('UTC').epochMilliseconds);
      }
      const start = from.toZonedDateTime('UTC').epochMilliseconds;
      const found = slotsAfter(cron(text), start - 1, 6).filter((at) => at < start + days * 86_400_000);
      expect({ text, from: String(from), slots: found }).toEqual({
        text,
        from: String(from),
        slots: expected.slice(0, 6),
      });
    }
  });

  it(`fires when croner says so, in every zone, away from gaps at midnight (seed ${SEED})`, () => {
    const random = randomFrom(SEED);
    const zones = Intl.supportedValuesOf('timeZone');
    let compared = 0;
    for (let turn = 0; turn < cases(400); turn++) {
      const text = randomCron(random);
      const timezone = random.pick(zones);
      const from = Date.UTC(2024, 0, 1) + random.below(8 * 366 * 86_400) * 1000;
      const other = byCroner(text, timezone, from);
      if (other === 'unreadable') continue;
      const slot = nextSlot(cron(text, timezone), from);
      expect({ text, timezone, from, slot }).toEqual({ text, timezone, from, slot: other });
      compared += 1;
    }
    expect(compared).toBeGreaterThan(cases(200));
  });
});

/** It reads neither L-3, nor 5/15, nor LW in a list. */
function byCroner(text: string, timezone: string, from: number): number | null | 'unreadable' {
  try {
    const next = new Cron(text, { timezone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' }).nextRun(
      new Date(from),
    );
    return next?.getTime() ?? null;
  } catch {
    return 'unreadable';
  }
}
