import { performance } from 'node:perf_hooks';
import type { Clock } from '../../domain/ports/clock.ts';

/** How much less sure a sample grows with age: quartz drifts by less than 0.1 ms a second. */
const DRIFT_PER_MS = 1e-4;
/** What is said in whole milliseconds is off by up to one. */
const GRAIN_MS = 1;

/** The database's time carried on by the monotonic clock, from the sample with the shortest round trip of late. */
export class DatabaseClock implements Clock {
  /** Until the database has spoken: the wall clock. */
  #offset = Date.now() - performance.now();
  #uncertainty = Number.POSITIVE_INFINITY;
  #sampledAt = 0;

  now(): number {
    return Math.floor(performance.now() + this.#offset);
  }

  monotonic(): number {
    return performance.now();
  }

  observe(databaseNow: number, askedAt: number): void {
    const answeredAt = performance.now();
    const uncertainty = answeredAt - askedAt;
    const offset = databaseNow - (askedAt + answeredAt) / 2;
    const known = this.#uncertainty + (answeredAt - this.#sampledAt) * DRIFT_PER_MS;
    // Both were right when taken, so where they cannot both be right now a clock was set, or we were suspended.
    const wasSet = Math.abs(offset - this.#offset) > (uncertainty + known) / 2 + GRAIN_MS;
    if (uncertainty > known && !wasSet) return;
    this.#offset = offset;
    this.#uncertainty = uncertainty;
    this.#sampledAt = answeredAt;
  }
}
