import { describe, expect, it } from 'vitest';
import { jitterMs } from '../../../src/domain/time/jitter.ts';

const SCHEDULE = '01920f3e-7c4a-7b7e-9d55-0242ac120002';
const SLOT = Date.UTC(2026, 2, 30, 7);
const MINUTE = 60_000;

describe('jitter', () => {
  it('of a schedule and a slot is always the same, on every version', () => {
    expect(jitterMs(SCHEDULE, SLOT, MINUTE, null)).toBe(jitterMs(SCHEDULE, SLOT, MINUTE, null));
    expect([0, 1, 2].map((day) => jitterMs(SCHEDULE, SLOT + day * 86_400_000, MINUTE, null))).toEqual([
      24337, 32945, 21004,
    ]);
  });

  it('spreads schedules, and the slots of one, evenly', () => {
    const bySchedule = Array.from({ length: 10_000 }, (_, index) => jitterMs(`schedule-${index}`, SLOT, 1000, null));
    const bySlot = Array.from({ length: 10_000 }, (_, index) => jitterMs(SCHEDULE, SLOT + index * MINUTE, 1000, null));
    for (const spread of [bySchedule, bySlot]) {
      const tenths = Array.from(
        { length: 10 },
        (_, tenth) => spread.filter((ms) => Math.floor(ms / 100) === tenth).length,
      );
      expect(Math.min(...tenths)).toBeGreaterThan(850);
      expect(Math.max(...tenths)).toBeLessThan(1150);
      expect(Math.min(...spread)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...spread)).toBeLessThan(1000);
    }
  });

  it('stays below the next slot, and still spreads', () => {
    const spread = Array.from({ length: 1000 }, (_, index) =>
      jitterMs(`schedule-${index}`, SLOT, 3_600_000, SLOT + MINUTE),
    );
    expect(Math.max(...spread)).toBeLessThan(MINUTE);
    expect(Math.max(...spread)).toBeGreaterThan(MINUTE * 0.9);
  });

  it('of nothing is nothing', () => {
    expect(jitterMs(SCHEDULE, SLOT, 0, null)).toBe(0);
    expect(jitterMs(SCHEDULE, SLOT, 1, null)).toBe(0);
    expect(jitterMs(SCHEDULE, SLOT, MINUTE, SLOT)).toBe(0);
  });
});
