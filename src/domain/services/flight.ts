import { destinationOf } from '../entities/destination.ts';
import { type Attempt, attemptNumberAfter, boundedAttempts, type Outcome, type RunState } from '../entities/run.ts';
import { encodeRunId, type RunId } from '../ids.ts';
import type { ClaimedRun, SettledRun } from '../ports/engine-store.ts';
import type { FireTrace, Journal } from '../ports/journal.ts';
import type { Delivery, Sender } from '../ports/sender.ts';
import type { Place } from './fair-queue.ts';
import type { HeldClaim } from './held-claim.ts';
import { laneOf } from './lanes.ts';
import { Stop } from './stop.ts';

/** A claimed run whose attempt has not begun. `claimedAt` is epoch ms. */
export interface Waiting {
  readonly run: ClaimedRun;
  readonly claim: HeldClaim;
  readonly claimedAt: number;
  readonly place: Place;
}

/** When an attempt began: epoch ms by the database's clock, and by the monotonic one. */
export interface Departure {
  readonly at: number;
  readonly monotonic: number;
}

/** What an attempt made of its run; `retryAt` (epoch ms) only with RETRYING. */
export type FlightEnd = Pick<SettledRun, 'state' | 'reason' | 'retryAt'> & { readonly attempts: readonly Attempt[] };

const NOT_ANNOUNCED: Outcome = {
  kind: 'aborted',
  attempt: 'ABORTED',
  reason: 'its start could not be written down',
};

/** An attempt under way: what its sender is told, and what becomes of its run. */
export class Flight implements Delivery {
  readonly run: ClaimedRun;
  readonly claim: HeldClaim;
  trace: FireTrace | null = null;
  readonly #stop = new Stop();
  readonly departure: Departure;
  readonly place: Place;
  /** Whether its destination's breaker lets others follow depends on this attempt. */
  isProbe = false;
  /** The run has a row that shows it in flight. */
  isShown: boolean;
  /** Monotonic; null while nobody has asked it to stop. */
  #stoppedAt: number | null = null;
  /** Monotonic. */
  #beganAt: number;
  #graceMs = 0;
  #tell: (() => void) | null = null;

  constructor({ run, claim, place }: Waiting, departure: Departure) {
    this.run = run;
    this.claim = claim;
    this.departure = departure;
    this.#beganAt = departure.monotonic;
    this.place = place;
    this.isShown = run.startedAt !== null;
  }

  get key(): Delivery['key'] {
    return this.run.key;
  }
  get runId(): RunId {
    return encodeRunId(this.run.key);
  }
  get tenantId(): Delivery['tenantId'] {
    return this.run.version.tenantId;
  }
  get version(): Delivery['version'] {
    return this.run.version;
  }
  get cause(): Delivery['cause'] {
    return this.run.cause;
  }
  get attempt(): number {
    return nextAttempt(this.run);
  }
  get due(): number {
    return this.run.due;
  }
  get payload(): Delivery['payload'] {
    return this.run.payload ?? this.run.version.definition.payload;
  }

  /** Tells the journal that the attempt begins; `claimedAt` is epoch ms. */
  begin(journal: Pick<Journal, 'traceFire' | 'attemptStarted'>, claimedAt: number): void {
    this.trace = journal.traceFire(this, claimedAt);
    if (this.run.attempts.length === 0) journal.attemptStarted(this, this.departure.at - this.run.due);
  }

  sendBy(sender: Sender): Outcome | Promise<Outcome> {
    this.#graceMs = sender.graceMs?.(this) ?? 0;
    return sender.send(this, this.#stop);
  }

  /** As {@link sendBy}, once it is written down that the attempt begins. */
  async announceAndSend(announce: (run: SettledRun) => Promise<void>, sender: Sender): Promise<Outcome> {
    const isWritten = await announce(this.recordRunning()).then(
      () => true,
      () => false,
    );
    if (!isWritten) return NOT_ANNOUNCED;
    this.isShown = true;
    return this.sendBy(sender);
  }

  began(monotonic: number): void {
    this.#beganAt = monotonic;
  }

  isOverdue(monotonic: number): boolean {
    return monotonic - this.#beganAt >= this.version.definition.timeoutSec * 1000 + this.#graceMs;
  }

  whenSettled(tell: () => void): void {
    this.#tell = tell;
  }

  /** Whether anybody is to be told what became of the outcome. */
  get isFollowed(): boolean {
    return this.trace !== null || this.#tell !== null;
  }

  /** What became of the outcome. */
  settled(state: RunState | 'STALE'): void {
    this.trace?.settled(state);
    this.#tell?.();
  }

  get stoppedAt(): number | null {
    return this.#stoppedAt;
  }

  /** Asks the sender to end the attempt; the first reason counts. */
  stop(reason: Error, monotonic: number): void {
    this.#stoppedAt ??= monotonic;
    this.#stop.stop(reason);
  }

  /** The run's record while the attempt is under way. */
  recordRunning(): SettledRun {
    return this.record(
      { state: 'RUNNING', reason: null, attempts: this.run.attempts, retryAt: null },
      this.departure.at,
    );
  }

  /** The run's record once the attempt has ended at `endedAt`. */
  record(end: FlightEnd, endedAt: number): SettledRun {
    const { run, claim, departure } = this;
    return {
      key: run.key,
      lease: claim.lease,
      tenantId: run.version.tenantId,
      version: run.version.version,
      state: end.state,
      reason: end.reason,
      cause: run.cause,
      attempts: boundedAttempts(end.attempts),
      payload: run.payload,
      due: run.due,
      startedAt: run.startedAt ?? departure.at,
      endedAt,
      retryAt: end.retryAt,
      freshAt: this.isShown ? null : run.freshAt,
      lane: laneOf({ cause: run.cause, attempts: end.attempts }),
      endMatters: end.reason === 'GONE' || run.version.endOfRunMatters,
    };
  }
}

/** The number of the attempt that follows those a run has had; 1 for the first. */
export function nextAttempt(run: ClaimedRun): number {
  return attemptNumberAfter(run.attempts);
}

/** A run of a claim, at the place where it waits. */
export function waitingFor(run: ClaimedRun, claim: HeldClaim, claimedAt: number): Waiting {
  const place = { tenantId: run.version.tenantId, lane: laneOf(run), destination: destinationOf(run.version) };
  return { run, claim, claimedAt, place };
}
