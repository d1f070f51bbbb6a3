import { type Outcome, settleAttempt } from '../entities/run.ts';
import { encodeRunId } from '../ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClaimedRun, SettledRun } from '../ports/engine-store.ts';
import type { FireTrace, Journal } from '../ports/journal.ts';
import type { Delivery, Sender, Senders } from '../ports/sender.ts';
import { FairQueue } from './fair-queue.ts';
import { Flight, nextAttempt, type Waiting } from './flight.ts';
import type { HeldClaim } from './held-claim.ts';

/** How many deliveries may be in flight, and how many more may be claimed ahead of them. */
export interface DeliveryLimits {
  readonly concurrency: number;
  readonly ahead: number;
}

/** An attempt that ended, waiting to be settled. */
export interface EndedDelivery {
  readonly claim: HeldClaim;
  readonly settled: SettledRun;
  readonly trace: FireTrace | null;
  /** Monotonic. */
  readonly endedAt: number;
  /** Of this attempt; null where none was made. */
  readonly durationMs: number | null;
}

/** Settlement is woken by the first ended attempt, then at each full group. */
const RING_EVERY = 1000;

/** What a sender says, or what was made of a sender that broke its word and threw. */
const SENDER_THREW: Outcome = { kind: 'unanswered', attempt: 'FAILED', reason: 'the sender failed' };
const NOT_ANNOUNCED: Outcome = { kind: 'aborted', attempt: 'ABORTED', reason: 'its start could not be written down' };
/** A sender that was told to stop has this long; then its attempt ends without it. */
const STOP_MS = 2000;
const SENDER_DEAF: Outcome = {
  kind: 'unanswered',
  attempt: 'TIMEOUT',
  reason: 'the sender did not stop',
  possibleDuplicate: true,
};

/** Delivers claimed runs, fairly over tenants, each attempt with a total deadline; hands ended attempts to settlement. */
export class DeliveryService {
  readonly #senders: Senders;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #random: () => number;
  readonly #limits: DeliveryLimits;
  readonly #queue: FairQueue<Waiting>;
  readonly #flights = new Set<Flight>();
  #ended: EndedDelivery[] = [];
  #unsettled = 0;
  #isDraining = false;
  /** Called when an attempt has ended, when room for more has come, and when the first attempt is under way. */
  onEnded: (waiting: number) => void = () => undefined;
  onRoom: () => void = () => undefined;
  onFlight: () => void = () => undefined;
  /** Writes down that the attempt at a suspect run begins, before it does. */
  announce: (run: SettledRun) => Promise<void> = async () => undefined;

  constructor(parts: {
    senders: Senders;
    clock: Clock;
    journal: Journal;
    random: () => number;
    limits: DeliveryLimits;
  }) {
    this.#senders = parts.senders;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#random = parts.random;
    this.#limits = parts.limits;
    this.#queue = new FairQueue(Math.max(1, Math.ceil(parts.limits.concurrency / 5)));
  }

  /** How many more runs may be claimed now: what waits, flies or is not yet settled counts. */
  get room(): number {
    if (this.#isDraining) return 0;
    return Math.max(
      0,
      this.#limits.concurrency + this.#limits.ahead - this.#queue.size - this.#flights.size - this.#unsettled,
    );
  }

  /** Runs accepted and not yet settled. */
  get open(): number {
    return this.#queue.size + this.#flights.size + this.#unsettled;
  }

  get flying(): number {
    return this.#flights.size;
  }

  /** Takes over the runs of a claim; each ends in one {@link EndedDelivery}, unless the claim is lost. */
  accept(claim: HeldClaim, runs: readonly ClaimedRun[]): void {
    const claimedAt = this.#clock.now();
    for (const run of runs) this.#queue.put(run.version.tenantId, { run, claim, claimedAt });
    this.#pump();
  }

  /** Ended attempts, oldest first, at most `limit`; they count as unsettled until {@link release} or {@link putBack}. */
  takeEnded(limit: number): readonly EndedDelivery[] {
    return this.#ended.splice(0, limit);
  }

  /** When the oldest ended attempt ended (monotonic), and how many there are. */
  get waiting(): { readonly count: number; readonly since: number | null } {
    return { count: this.#ended.length, since: this.#ended[0]?.endedAt ?? null };
  }

  putBack(ended: readonly EndedDelivery[], place: 'FIRST' | 'LAST'): void {
    this.#ended = place === 'FIRST' ? [...ended, ...this.#ended] : [...this.#ended, ...ended];
  }

  release(count: number): void {
    this.#unsettled -= count;
    this.onRoom();
  }

  /** Ends attempts past their deadline or their lease; answers those that have flown for `shownAfterMs` without a row. */
  watch(shownAfterMs: number): readonly Flight[] {
    const now = this.#clock.monotonic();
    for (const flight of this.#flights) this.#stopIfOver(flight, now);
    return [...this.#flights].filter((flight) => !flight.isShown && now - flight.departure.monotonic >= shownAfterMs);
  }

  /** Runs in flight longer than `ms`: what a cancel elsewhere could have ended. */
  inFlightLongerThan(ms: number): readonly Delivery['key'][] {
    const before = this.#clock.monotonic() - ms;
    return [...this.#flights].filter((flight) => flight.departure.monotonic < before).map((flight) => flight.key);
  }

  /** Ends the attempts at these runs; their outcome will be stale. */
  cancel(keys: readonly Delivery['key'][]): void {
    const names = new Set(keys.map(encodeRunId));
    const now = this.#clock.monotonic();
    for (const flight of this.#flights)
      if (names.has(flight.runId)) flight.stop(new Error('the run was cancelled'), now);
  }

  /** Starts nothing more: what waits is handed back without an attempt. */
  beginDrain(): void {
    this.#isDraining = true;
    for (const waiting of this.#queue.drain()) this.#handBack(waiting);
  }

  /** Ends all attempts in flight as aborted: possible duplicates that use no attempt. */
  abortAll(): void {
    const now = this.#clock.monotonic();
    for (const flight of this.#flights) flight.stop(new Error('the process is shutting down'), now);
  }

  #pump(): void {
    while (this.#flights.size < this.#limits.concurrency) {
      const waiting = this.#queue.take();
      if (waiting === undefined) return;
      if (waiting.claim.mayAct(this.#clock.monotonic())) {
        this.#start(waiting);
        continue;
      }
      this.#queue.done(waiting.run.version.tenantId);
      if (waiting.claim.isLost) this.onRoom();
      else this.#handBack(waiting);
    }
  }

  #start(waiting: Waiting): void {
    const { run, claim, claimedAt } = waiting;
    const departure = { at: this.#clock.now(), monotonic: this.#clock.monotonic() };
    const named = { key: run.key, tenantId: run.version.tenantId };
    const trace = this.#journal.traceFire(named, { due: run.due, claimedAt, attempt: nextAttempt(run) });
    const flight = new Flight({ run, claim, claimedAt }, trace, departure);
    if (run.attempts.length === 0) this.#journal.attemptStarted(named, departure.at - run.due);
    this.#flights.add(flight);
    if (this.#flights.size === 1) this.onFlight();
    const ended = (outcome: Outcome): void => this.#end(flight, outcome);
    this.#send(this.#senders.of(flight.version.definition.target.kind), flight).then(ended, (error: unknown) => {
      this.#journal.loopFailed('deliver', error);
      ended(SENDER_THREW);
    });
  }

  async #send(sender: Sender, flight: Flight): Promise<Outcome> {
    if (flight.claim.isSuspect) {
      const isWritten = await this.announce(flight.recordRunning()).then(
        () => true,
        () => false,
      );
      if (!isWritten) return NOT_ANNOUNCED;
      flight.isShown = true;
    }
    return sender.send(flight, flight.abort.signal);
  }

  #stopIfOver(flight: Flight, now: number): void {
    if (flight.stoppedAt !== null && now - flight.stoppedAt > STOP_MS) this.#end(flight, SENDER_DEAF);
    else if (!flight.claim.mayAct(now)) flight.stop(new Error('the lease was lost'), now);
    else if (now - flight.departure.monotonic >= flight.version.definition.timeoutSec * 1000) {
      flight.stop(new DOMException('the attempt timed out', 'TimeoutError'), now);
    }
  }

  /** Only the first end of a flight counts. */
  #end(flight: Flight, outcome: Outcome): void {
    if (!this.#flights.delete(flight)) return;
    this.#queue.done(flight.tenantId);
    flight.trace?.attemptEnded(outcome);
    if (flight.claim.isLost) {
      flight.trace?.settled('STALE');
      this.onRoom();
    } else {
      const endedAt = this.#clock.now();
      const { run, departure, due: firstDue } = flight;
      const attempt = { before: run.attempts, startedAt: departure.at, endedAt, firstDue, outcome };
      const settlement = settleAttempt(run.version.definition.retry, attempt, this.#random());
      const settled = flight.record(settlement, endedAt);
      this.#finish({ claim: flight.claim, settled, trace: flight.trace, durationMs: endedAt - departure.at });
    }
    this.#pump();
  }

  #handBack(waiting: Waiting): void {
    const departure = { at: this.#clock.now(), monotonic: this.#clock.monotonic() };
    const end = { state: 'RETRYING', reason: null, attempts: waiting.run.attempts, retryAt: departure.at } as const;
    const settled = new Flight(waiting, null, departure).record(end, departure.at);
    this.#finish({ claim: waiting.claim, settled, trace: null, durationMs: null });
  }

  #finish(ended: Omit<EndedDelivery, 'endedAt'>): void {
    this.#unsettled += 1;
    this.#ended.push({ ...ended, endedAt: this.#clock.monotonic() });
    if (this.#ended.length === 1 || this.#ended.length % RING_EVERY === 0) this.onEnded(this.#ended.length);
  }
}
