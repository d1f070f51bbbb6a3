/**
 * What must not be while an engine is alive. `overdue_timers`: due, and nobody claims them. `stuck_schedules`: ACTIVE, but no slot
 * will come and no run is open that could bring one. `untaken_claims`: expired, and nobody takes them over. `endless_runs`:
 * open, but no claim names them and they wait for nothing.
 */
export const FINDINGS = ['overdue_timers', 'stuck_schedules', 'untaken_claims', 'endless_runs'] as const;
export type Finding = (typeof FINDINGS)[number];

/** Ids of what was found, as an operator looks for it: of schedules, of claims, of runs. At most the limit asked for. */
export type Found = readonly string[];

/** A part of a long table, in key order; what was found before is looked at again each time. */
export interface Round {
  /** Where the last round ended; null: begin anew. */
  readonly after: string | null;
  readonly known: Found;
  /** Rows to look at. */
  readonly rows: number;
}

export interface RoundFound {
  readonly found: Found;
  /** Null at the end of the table. */
  readonly after: string | null;
}

/** Looks for what must not be, across tenants. Each is one statement on one snapshot, reads through an index, and locks nothing. */
export interface WatchStore {
  /** Timers that have been due for longer than `patienceMs`. */
  overdueTimers(patienceMs: number, limit: number): Promise<Found>;
  /** Claims whose lease has been over for longer than `patienceMs`. */
  untakenClaims(patienceMs: number, limit: number): Promise<Found>;
  stuckSchedules(round: Round): Promise<RoundFound>;
  endlessRuns(round: Round): Promise<RoundFound>;
}
