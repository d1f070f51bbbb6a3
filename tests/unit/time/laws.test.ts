import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileTrigger,
  describeTrigger,
  nextSlot,
  nextSlotMarked,
  normaliseTrigger,
  slotsBetween,
} from '../../../src/domain/time/compile.ts';
import type { DstPolicy, Trigger } from '../../../src/domain/time/trigger.ts';
import { localTime } from '../../../src/domain/time/zone.ts';
import { naiveCron } from './support/naive-cron.ts';
import { randomFrom } from './support/random.ts';
import { randomCron } from './support/random-cron.ts';
import { randomRrule } from './support/random-rrule.ts';
import { cases, NOON_2026, STRANGE_ZONES } from './support/tools.ts';

const SEED = 42;
const DAY_MS = 86_400_000;

const cronTrigger = fc.integer().map((seed): Trigger => ({ type: 'CRON', cron: randomCron(randomFrom(seed)) }));
const rruleTrigger = fc.integer().map((seed): Trigger => {
  const { rule, start } = randomRrule(randomFrom(seed));
  return { type: 'RRULE', rrule: rule, dtstart: start };
});
const intervalTrigger = fc
  .record({
    every: fc.constantFrom('90s', '17m', 'PT11H', '1d', 'P3D', 'P1M', 'P7M', 'P1Y', 'P1DT5H', 'P1MT1S'),
    year: fc.integer({ min: 1990, max: 2026 }),
    local: fc.boolean(),
  })
  .map(
    ({ every, year, local }): Trigger => ({
      type: 'INTERVAL',
      every,
      anchor: `${year}-10-31T02:30:00${local ? '' : 'Z'}`,
    }),
  );
const anyTrigger = fc.oneof(cronTrigger, rruleTrigger, intervalTrigger);
const zone = fc.constantFrom(...STRANGE_ZONES, 'UTC');
const policy = fc.option(
  fc.record({
    gap: fc.constantFrom('NEXT_VALID', 'SHIFT', 'SKIP'),
    fold: fc.constantFrom('FIRST', 'SECOND', 'BOTH'),
  }) as fc.Arbitrary<DstPolicy>,
  { nil: undefined },
);
const context = fc.record({ tz: zone, dst: policy });
const instant = fc.integer({ min: Date.UTC(1972, 0, 1), max: Date.UTC(2098, 0, 1) });

function holds<Values extends [unknown, ...unknown[]]>(
  arbitraries: { [Key in keyof Values]: fc.Arbitrary<Values[Key]> },
  law: (...values: Values) => void,
): void {
  fc.assert(fc.property(...arbitraries, law), { seed: SEED, numRuns: cases(400) });
}

describe(`for any trigger, zone and policy (seed ${SEED})`, () => {
  it('the next slot is later, and the same from every instant before it', () => {
    holds(
      [anyTrigger, context, instant, fc.double({ min: 0, max: 1, noNaN: true })],
      (trigger, where, after, share) => {
        const compiled = compileTrigger(trigger, where);
        const next = nextSlot(compiled, after);
        if (next === null) return;
        expect(next).toBeGreaterThan(after);
        expect(next % 1000).toBe(0);
        const between = Math.floor(after + (next - after) * share);
        expect(nextSlot(compiled, Math.min(between, next - 1))).toBe(next);
        expect(nextSlot(compiled, next - 1)).toBe(next);
        expect(nextSlot(compiled, next) ?? Infinity).toBeGreaterThan(next);
      },
    );
  });

  it('asking later never brings an earlier slot', () => {
    holds([anyTrigger, context, instant, instant], (trigger, where, one, other) => {
      const compiled = compileTrigger(trigger, where);
      const [first, second] = [Math.min(one, other), Math.max(one, other)].map(
        (after) => nextSlot(compiled, after) ?? Infinity,
      );
      expect(first).toBeLessThanOrEqual(second ?? Number.NaN);
    });
  });

  it('a stretch has the slots that asking one by one finds', () => {
    holds([anyTrigger, zone, instant, fc.integer({ min: 0, max: 40 * DAY_MS })], (trigger, tz, after, length) => {
      const compiled = compileTrigger(trigger, { tz });
      const slots: number[] = [];
      for (
        let at = nextSlot(compiled, after);
        at !== null && at <= after + length && slots.length <= 50;
        at = nextSlot(compiled, at)
      )
        slots.push(at);
      const stretch = slotsBetween(compiled, after, after + length, 50);
      expect(stretch.count).toBe(slots.length > 50 ? null : slots.length);
      if (slots.length <= 50) expect(stretch.last).toBe(slots.at(-1) ?? null);
      else {
        expect(stretch.last).toBeGreaterThanOrEqual(slots.at(-1) ?? 0);
        expect(nextSlot(compiled, stretch.last ?? 0) ?? Infinity).toBeGreaterThan(after + length);
      }
    });
  });

  it('a long stretch is counted as if every slot had been asked for', () => {
    holds([anyTrigger, context, instant, fc.integer({ min: 0, max: 2000 })], (trigger, where, after, wanted) => {
      const compiled = compileTrigger(trigger, where);
      let [last, count]: [number | null, number] = [null, 0];
      for (let at = nextSlot(compiled, after); at !== null && count < wanted; at = nextSlot(compiled, at))
        [last, count] = [at, count + 1];
      const upTo = last ?? after;
      expect({ trigger, where, after, ...slotsBetween(compiled, after, upTo, 100_000) }).toEqual({
        ...{ trigger, where, after },
        ...{ last, count },
      });
    });
  });

  it('storing it changes no slot, and storing it again changes nothing', () => {
    holds([anyTrigger, zone, instant], (trigger, tz, after) => {
      const stored = normaliseTrigger(trigger, tz, NOON_2026);
      expect(normaliseTrigger(stored, tz, after)).toEqual(stored);
      expect(nextSlot(compileTrigger(stored, { tz }), after)).toBe(nextSlot(compileTrigger(trigger, { tz }), after));
      expect(describeTrigger(stored, tz)).toMatch(/^[A-Z][^.]*/);
    });
  });

  it('a slot of cron shows a local time that matches, unless a gap moved it there', () => {
    holds([cronTrigger, context, instant], (trigger, where, after) => {
      const slot = nextSlotMarked(compileTrigger(trigger, where), after);
      if (slot === null || slot.dst === 'GAP' || trigger.type !== 'CRON') return;
      const local = Temporal.PlainDateTime.from(localTime(slot.at, where.tz).slice(0, 19));
      const { matchesDate, times } = naiveCron(trigger.cron);
      expect(matchesDate(local.toPlainDate())).toBe(true);
      expect(times.some((time) => time.equals(local.toPlainTime()))).toBe(true);
    });
  });
});
