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

const TURNS = Object.values(LANE_WEIGHTS).reduce((sum, weight) => sum + weight, 0);

/** How much of a claim's room each lane gets; catch-up and redrives share what their pace lets through. */
export function laneRoom(room: number, paced: number): Readonly<Record<Lane, number>> {
  const share = (lane: Lane): number => Math.ceil((room * LANE_WEIGHTS[lane]) / TURNS);
  return {
    [LANES.live]: share(LANES.live),
    [LANES.retry]: share(LANES.retry),
    [LANES.catchUp]: Math.min(share(LANES.catchUp), Math.ceil(paced / 2)),
    [LANES.redrive]: Math.min(share(LANES.redrive), Math.floor(paced / 2)),
  };
}

export function countByLane(runs: readonly Parameters<typeof laneOf>[0][]): Record<Lane, number> {
  const counts = { [LANES.live]: 0, [LANES.retry]: 0, [LANES.catchUp]: 0, [LANES.redrive]: 0 };
  for (const run of runs) counts[laneOf(run)] += 1;
  return counts;
}
