import type { Attempt, RunReason, RunState } from '../../src/domain/entities/run.ts';

/** A run's row; instants are epoch ms. */
export interface RunSeen {
  readonly slot: number;
  readonly space: number;
  readonly version: number;
  readonly state: RunState;
  readonly reason: RunReason | null;
  readonly cause: string;
  readonly range: { readonly from: string; readonly to: string; readonly count: number | null } | null;
  readonly attempts: readonly Attempt[];
  readonly due: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly nextAttemptAt: number | null;
}

/** A schedule's hot row; instants are epoch ms, and `due` is `Infinity` while it waits for a run to end. */
export interface TimerSeen {
  readonly slot: number;
  readonly due: number;
  readonly cursor: number;
  readonly lastFired: number | null;
  readonly fires: number;
}
