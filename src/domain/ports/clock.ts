/** Time as services see it. Due and lease are decided by the database's own clock; this is how far it has come. */
export interface Clock {
  /** The database's time in epoch milliseconds, carried on by the monotonic clock: a jump of the wall clock never shows. */
  now(): number;
  /** Milliseconds of the monotonic clock: "may I still act". */
  monotonic(): number;
  /** Tells the clock what the database said, and the monotonic instant at which it was asked. */
  observe(databaseNow: number, askedAt: number): void;
}
