import { crashPoint } from '#crash-point';
import { postponeRun } from '../entities/postponement.ts';
import { type Outcome, settleAttempt } from '../entities/run.ts';
import type { SettledRun } from '../ports/engine-store.ts';
import type { FireTrace } from '../ports/journal.ts';
import { type Departure, Flight, type Waiting } from './flight.ts';
import type { HeldClaim } from './held-claim.ts';

/** A run that this process is done with for now, waiting to be settled. */
export interface EndedDelivery {
  readonly claim: HeldClaim;
  readonly settled: SettledRun;
  readonly trace: FireTrace | null;
  /** Of this attempt; null where none was made. */
  readonly durationMs: number | null;
  /** Monotonic. */
  readonly endedAt: number;
}

export type UntimedEnd = Omit<EndedDelivery, 'endedAt'>;

/** The attempt ended at `endedAt`, epoch ms; `random` in [0, 1) spreads the next one. */
export function endedFlight(flight: Flight, outcome: Outcome, endedAt: number, random: number): UntimedEnd {
  crashPoint('deliver.after-answer');
  const { run, claim, trace, departure, due: firstDue } = flight;
  const attempt = { before: run.attempts, startedAt: departure.at, endedAt, firstDue, outcome };
  const settlement = settleAttempt(run.version.definition.retry, attempt, random);
  return { claim, settled: flight.record(settlement, endedAt), trace, durationMs: endedAt - departure.at };
}

/** No attempt was made, and another process may make one at once. */
export function handedBack(waiting: Waiting, now: Departure): UntimedEnd {
  const { run, claim } = waiting;
  const end = { state: 'RETRYING', reason: null, attempts: run.attempts, retryAt: now.at } as const;
  return { claim, settled: new Flight(waiting, null, now).record(end, now.at), trace: null, durationMs: null };
}

/** No attempt was made, as the destination does not answer; none is to be made before `until`, epoch ms. */
export function postponed(waiting: Waiting, now: Departure, until: number): UntimedEnd {
  const { run, claim } = waiting;
  const postponement = { before: run.attempts, now: now.at, firstDue: run.due, until };
  const end = postponeRun(run.version.definition.retry, postponement);
  return { claim, settled: new Flight(waiting, null, now).record(end, now.at), trace: null, durationMs: null };
}
