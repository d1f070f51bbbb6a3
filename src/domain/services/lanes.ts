import type { Attempt, RunCause } from '../entities/run.ts';
import { LANES, type Lane } from '../ports/run-repository.ts';

/** The lane in which a run waits for its next attempt: what it was made for decides, then whether it was tried before. */
export function laneOf(run: { readonly cause: RunCause; readonly attempts: readonly Attempt[] }): Lane {
  if (run.attempts.some((attempt) => attempt.final === true)) return LANES.redrive;
  if (run.cause === 'CATCH_UP' || run.cause === 'BACKFILL') return LANES.catchUp;
  return run.attempts.length > 0 ? LANES.retry : LANES.live;
}

/** Of so many turns that a tenant gets, each lane has as many while all of them wait. */
export const LANE_WEIGHTS: Readonly<Record<Lane, number>> = {
  [LANES.live]: 8,
  [LANES.retry]: 3,
  [LANES.catchUp]: 1,
  [LANES.redrive]: 1,
};
