import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DatabaseClock } from '../../../src/infra/db/database-clock.ts';

const NOON = Date.UTC(2026, 2, 29, 12);

/** The true time, and what the clocks of this machine show. */
let now: number;
let wall: number;
let monotonic: number;

beforeEach(() => {
  [now, wall, monotonic] = [NOON, NOON, 1000];
  vi.spyOn(Date, 'now').mockImplementation(() => wall);
  vi.spyOn(performance, 'now').mockImplementation(() => monotonic);
});
afterEach(() => {
  vi.restoreAllMocks();
});

function pass(ms: number): void {
  now += ms;
  wall += ms;
  monotonic += ms;
}

/** The database, whose clock is so much ahead of the true time, answers after `tripMs`. */
function sample(clock: DatabaseClock, tripMs: number, aheadMs: number): void {
  const askedAt = clock.monotonic();
  pass(tripMs / 2);
  const databaseNow = now + aheadMs;
  pass(tripMs / 2);
  clock.observe(databaseNow, askedAt);
}

function ahead(clock: DatabaseClock): number {
  return clock.now() - now;
}

describe("the database's time", () => {
  it('is the wall clock until the database has spoken', () => {
    expect(ahead(new DatabaseClock())).toBe(0);
  });

  it('is what the database said, carried on', () => {
    const clock = new DatabaseClock();
    sample(clock, 2, 5000);
    pass(60_000);
    expect(ahead(clock)).toBe(5000);
  });

  it('is taken from the answer that came back soonest', () => {
    const clock = new DatabaseClock();
    sample(clock, 2, 5000);
    sample(clock, 400, 5150);
    expect(ahead(clock)).toBe(5000);
  });

  it('follows a slower answer once the better one is old', () => {
    const clock = new DatabaseClock();
    sample(clock, 2, 5000);
    pass(100_000);
    sample(clock, 10, 5004);
    expect(ahead(clock)).toBe(5004);
  });

  it.each([30_000, -30_000])(
    'follows at once when the clock of the database is set by %i ms, however slow the answer',
    (by) => {
      const clock = new DatabaseClock();
      sample(clock, 2, 0);
      sample(clock, 200, by);
      expect(ahead(clock)).toBe(by);
    },
  );

  it('does not follow a wall clock that is set here', () => {
    const clock = new DatabaseClock();
    sample(clock, 2, 0);
    wall += 3_600_000;
    expect(ahead(clock)).toBe(0);
  });

  it('catches up at once after this machine was suspended', () => {
    const clock = new DatabaseClock();
    sample(clock, 2, 0);
    now += 3_600_000;
    sample(clock, 50, 0);
    expect(ahead(clock)).toBe(0);
  });
});
