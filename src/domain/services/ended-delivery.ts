import { crashPoint } from '#crash-point';
import { postponeRun } from '../entities/postponement.ts';
import { type Outcome, settleAttempt } from '../entities/run.ts';
import type { SettledRun } from '../ports/engine-store.ts';
import { type Departure, Flight, type Waiting } from './flight.ts';
import type { HeldClaim } from './held-claim.ts';

/** A run that this process is done with for now, waiting to be settled. */
export interface EndedDelivery {
  readonly claim: HeldClaim;
  readonly settled: SettledRun;
  /** Null where no attempt was made. */
  readonly flight: Flight | null;
  /** Of this attempt; null where none was made. */
  readonly durationMs: number | null;
  /** Monotonic. */
  readonly endedAt: number;
}

export type UntimedEnd = Omit<EndedDelivery, 'endedAt'>;

/** What is said of an attempt that no sender speaks for: a mistake of ours, a start that was not announced, a sender that does not stop. */
export const MISTAKE: Outcome = { kind: 'unanswered', attempt: 'FAILED', reason: 'the sender failed' };
export const NOT_ANNOUNCED: Outcome = {
  kind: 'aborted',
  attempt: 'ABORTED',
  reason: 'its start could not be written down',
};
export const SENDER_DEAF: Outcome = {
  kind: 'unanswered',
  attempt: 'TIMEOUT',
  reason: 'the sender did not stop',
  possibleDuplicate: true,
};

/** When an attempt ended, epoch ms; `random` in [0, 1) spreads the next one. */
interface Arrival {
  readonly endedAt: number;
  readonly random: number;
}

/** What the attempt made of its run. Where that cannot be told, which `mistaken` hears of, it failed: nothing holds a run for ever. */
export function endedFlight(
  flight: Flight,
  outcome: Outcome,
  arrival: Arrival,
  mistaken: (error: unknown) => void,
): UntimedEnd {
  try {
    crashPoint('deliver.after-answer');
    return settledFlight(flight, outcome, arrival);
  } catch (error) {
    mistaken(error);
    return settledFlight(flight, MISTAKE, arrival);
  }
}

function settledFlight(flight: Flight, outcome: Outcome, { endedAt, random }: Arrival): UntimedEnd {
  const { run, claim, departure, due: firstDue } = flight;
  const attempt = { before: run.attempts, startedAt: departure.at, endedAt, firstDue, outcome };
  const settlement = settleAttempt(run.version.definition.retry, attempt, random);
  return { claim, settled: flight.record(settlement, endedAt), flight, durationMs: endedAt - departure.at };
}

/** No attempt was made, and another process may make one at once. */
export function handedBack(waiting: Waiting, now: Departure): UntimedEnd {
  const { run, claim } = waiting;
  const end = { state: 'RETRYING', reason: null, attempts: run.attempts, retryAt: now.at } as const;
  return { claim, settled: new Flight(waiting, now).record(end, now.at), flight: null, durationMs: null };
}

/** No attempt was made, as the destination does not answer; none is to be made before `until`, epoch ms. */
export function postponed(waiting: Waiting, now: Departure, until: number): UntimedEnd {
  const { run, claim } = waiting;
  const postponement = { before: run.attempts, now: now.at, firstDue: run.due, until };
  const end = postponeRun(run.version.definition.retry, postponement);
  return { claim, settled: new Flight(waiting, now).record(end, now.at), flight: null, durationMs: null };
}
