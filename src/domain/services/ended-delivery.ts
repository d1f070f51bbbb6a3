import { crashPoint } from '#crash-point';
import { postponeRun } from '../entities/postponement.ts';
import { type Outcome, settleAttempt } from '../entities/run.ts';
import type { SettledRun } from '../ports/engine-store.ts';
import { type Departure, Flight, type Waiting } from './flight.ts';
import type { HeldClaim } from './held-claim.ts';

/** What an attempt made of its run, or why none was made, waiting to be settled. */
export interface EndedDelivery {
  readonly claim: HeldClaim;
  readonly settled: SettledRun;
  /** Null where nobody follows an attempt: then nothing of it is kept until it is settled. */
  readonly flight: Flight | null;
  /** Of this attempt; null where none was made. */
  readonly durationMs: number | null;
  /** Monotonic. */
  readonly endedAt: number;
}

/** What is said of an attempt that no sender speaks for: a mistake of ours, a sender that does not stop. */
export const MISTAKE: Outcome = { kind: 'unanswered', attempt: 'FAILED', reason: 'the sender failed' };
export const SENDER_DEAF: Outcome = {
  kind: 'unanswered',
  attempt: 'TIMEOUT',
  reason: 'the sender did not stop',
  possibleDuplicate: true,
};

/** When an attempt ended; `random` in [0, 1) spreads the next one. */
interface Arrival extends Departure {
  readonly random: number;
}

/** What the attempt made of its run. Where that cannot be told, its outcome is what `mistake` makes of the error: nothing holds a run for ever. */
export function endedFlight(
  flight: Flight,
  outcome: Outcome,
  arrival: Arrival,
  mistake: (error: unknown) => Outcome,
): EndedDelivery {
  try {
    crashPoint('deliver.after-answer');
    return settledFlight(flight, outcome, arrival);
  } catch (error) {
    return settledFlight(flight, mistake(error), arrival);
  }
}

function settledFlight(flight: Flight, outcome: Outcome, { at, monotonic, random }: Arrival): EndedDelivery {
  const { run, claim, departure, due: firstDue } = flight;
  const attempt = { before: run.attempts, startedAt: departure.at, endedAt: at, firstDue, outcome };
  const settlement = settleAttempt(run.version.definition.retry, attempt, random);
  const settled = flight.record(settlement, at);
  const durationMs = at - departure.at;
  return { claim, settled, flight: flight.isFollowed ? flight : null, durationMs, endedAt: monotonic };
}

/** No attempt was made, and another process may make one at once. */
export function handedBack(waiting: Waiting, now: Departure): EndedDelivery {
  const { run, claim } = waiting;
  const end = { state: 'RETRYING', reason: null, attempts: run.attempts, retryAt: now.at } as const;
  const settled = new Flight(waiting, now).record(end, now.at);
  return { claim, settled, flight: null, durationMs: null, endedAt: now.monotonic };
}

/** No attempt was made, as the destination does not answer; none is to be made before `until`, epoch ms. */
export function postponed(waiting: Waiting, now: Departure, until: number): EndedDelivery {
  const { run, claim } = waiting;
  const postponement = { before: run.attempts, now: now.at, firstDue: run.due, until };
  const end = postponeRun(run.version.definition.retry, postponement);
  const settled = new Flight(waiting, now).record(end, now.at);
  return { claim, settled, flight: null, durationMs: null, endedAt: now.monotonic };
}
