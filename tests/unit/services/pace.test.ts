import { describe, expect, it } from 'vitest';
import { Pace } from '../../../src/domain/services/pace.ts';

describe('a pace', () => {
  it('lets so many a second through, a tenth of them at once', () => {
    const pace = new Pace(1000);
    let taken = 0;
    let most = 0;
    for (let now = 0; now <= 10_000; now += 1) {
      const available = pace.available(now);
      pace.take(available);
      taken += available;
      most = Math.max(most, available);
    }
    expect([taken, most]).toEqual([10_100, 100]);
  });

  it('saves nothing up beyond that, and says how long a full tenth takes', () => {
    const pace = new Pace(1000);
    expect(pace.available(0)).toBe(100);
    pace.take(100);
    expect(pace.waitMs).toBe(100);
    expect(pace.available(40)).toBe(40);
    expect(pace.available(3_600_000)).toBe(100);
  });

  it('lets one at a time through where the rate is small', () => {
    const pace = new Pace(2);
    expect(pace.available(0)).toBe(1);
    pace.take(1);
    expect([pace.available(499), pace.available(500)]).toEqual([0, 1]);
  });
});
