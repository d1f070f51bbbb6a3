import { crashPoint } from '#crash-point';
import type { Outcome } from '../entities/run.ts';
import type { RunKey, TenantId } from '../ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClaimedRun, SettledRun } from '../ports/engine-store.ts';
import type { Journal } from '../ports/journal.ts';
import type { Senders } from '../ports/sender.ts';
import { CircuitBreakers } from './circuit-breakers.ts';
import { type EndedDelivery, endedFlight, handedBack, MISTAKE, postponed, SENDER_DEAF } from './ended-delivery.ts';
import { FairQueue, type FlightLimits } from './fair-queue.ts';
import { type Departure, Flight, type Waiting, waitingFor } from './flight.ts';
import { Flights } from './flights.ts';
import type { HeldClaim } from './held-claim.ts';
import { Occupancy } from './occupancy.ts';

/** How many deliveries may be in flight, and how many more may be claimed ahead of them. */
export interface DeliveryLimits extends Pick<FlightLimits, 'ofTenant'> {
  readonly concurrency: number;
  readonly ahead: number;
}

/** While others wait, a tenant has at most this part of the places in flight. */
const TENANT_SHARE = 5;
/** Attempts in flight to one destination, all tenants together; as many connections to it are kept. */
export const PLACES_AT_DESTINATION = 160;
/** A destination of a tenant has at most this part of the window, and no more than leaves others some of its places. */
const DESTINATION_SHARE = 8;
const MOST_PER_DESTINATION = 128;

/** Settlement is woken by the first ended attempt, then at each full group. */
const RING_EVERY = 1000;

/** Delivers claimed runs, fairly over tenants, each attempt with a total deadline; hands ended attempts to settlement. */
export class DeliveryService {
  readonly #senders: Senders;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #random: () => number;
  readonly #limits: DeliveryLimits;
  readonly #queue: FairQueue<Waiting>;
  readonly #flights = new Flights((error) => this.#mistake(error));
  readonly #breakers: CircuitBreakers;
  #ended: EndedDelivery[] = [];
  #isPumping = false;
  /** What waits, flies or is not yet settled: it bounds what may be claimed. */
  readonly occupancy: Occupancy;
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
    this.#breakers = new CircuitBreakers(parts.journal);
    this.occupancy = new Occupancy(parts.limits.concurrency + parts.limits.ahead);
    const { concurrency: window, ofTenant } = parts.limits;
    const perDestination = Math.min(MOST_PER_DESTINATION, Math.ceil(window / DESTINATION_SHARE));
    const perTenant = Math.ceil(window / TENANT_SHARE);
    const atDestination = PLACES_AT_DESTINATION;
    this.#queue = new FairQueue({ window, perTenant, perDestination, atDestination, ofTenant });
  }

  /** Runs accepted and not yet settled; and those of them in flight. */
  get open(): number {
    return this.occupancy.open;
  }
  get flying(): number {
    return this.#flights.size;
  }

  /** Takes over the runs of a claim; each ends in one {@link EndedDelivery}, unless the claim is lost. */
  accept(claim: HeldClaim, runs: readonly ClaimedRun[]): void {
    const claimedAt = this.#clock.now();
    for (const run of runs) {
      this.occupancy.add(run.version.tenantId);
      this.#queue.put(waitingFor(run, claim, claimedAt));
    }
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

  release(settled: readonly EndedDelivery[]): void {
    for (const { settled: run } of settled) this.occupancy.remove(run.tenantId);
    this.onRoom();
  }

  /** Ends attempts past their deadline or their lease; answers those that have flown for `shownAfterMs` without a row. */
  watch(shownAfterMs: number): readonly Flight[] {
    const now = this.#clock.monotonic();
    for (const flight of this.#flights.stopOverdue(now)) this.#end(flight, SENDER_DEAF);
    return this.#flights.unshownFor(shownAfterMs, now);
  }

  /** Runs in flight longer than `ms`: what a cancel elsewhere could have ended. */
  inFlightLongerThan(ms: number): readonly RunKey[] {
    return this.#flights.longerThan(ms, this.#clock.monotonic());
  }

  /** Ends the attempts at these runs; their outcome will be stale. */
  cancel(keys: readonly RunKey[]): void {
    this.#flights.stop(keys, new Error('the run was cancelled'), this.#clock.monotonic());
  }

  /** Starts nothing more: what waits is handed back without an attempt. */
  beginDrain(): void {
    this.occupancy.close();
    const now = this.#now();
    for (const waiting of this.#queue.drain()) this.#finish(handedBack(waiting, now));
  }

  /** Ends all attempts in flight as aborted: possible duplicates that use no attempt. */
  abortAll(): void {
    this.#flights.stopAll(new Error('the process is shutting down'), this.#clock.monotonic());
  }

  /** An attempt that ends at once pumps while it is being started: the one pumping goes on. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      this.#startWaiting();
    } finally {
      this.#isPumping = false;
    }
  }

  #startWaiting(): void {
    while (this.#flights.size < this.#limits.concurrency) {
      const waiting = this.#queue.take();
      if (waiting === undefined) return;
      const now = this.#now();
      if (waiting.claim.mayAct(now.monotonic)) {
        this.#depart(waiting, now);
        continue;
      }
      this.#queue.done(waiting.place);
      if (waiting.claim.isLost) this.#drop(waiting.place.tenantId);
      else this.#finish(handedBack(waiting, now));
    }
  }

  /** Starts the attempt, unless the destination's breaker wants it later. */
  #depart(waiting: Waiting, now: Departure): void {
    const { tenantId, destination: origin } = waiting.place;
    const admission = origin === null ? null : this.#breakers.ask({ tenantId, origin }, now.monotonic);
    if (admission?.kind !== 'WAIT') {
      this.#start(waiting, now, admission?.kind === 'PROBE');
      return;
    }
    this.#queue.done(waiting.place);
    this.#journal.runPostponed();
    const until = now.at + admission.waitMs + this.#random() * admission.spreadMs;
    this.#finish(postponed(waiting, now, until));
  }

  #start(waiting: Waiting, departure: Departure, isProbe: boolean): void {
    const flight = new Flight(waiting, departure);
    flight.isProbe = isProbe;
    const sent = this.#send(flight, waiting.claimedAt);
    if (sent instanceof Promise) this.#follow(flight, sent);
    else this.#land(flight, sent);
  }

  #follow(flight: Flight, sent: Promise<Outcome>): void {
    this.#flights.add(flight);
    if (this.#flights.size === 1) this.onFlight();
    sent.then(
      (outcome) => this.#end(flight, outcome),
      (error: unknown) => this.#end(flight, this.#mistake(error)),
    );
  }

  /** Whatever throws from here on is a failed attempt. */
  #send(flight: Flight, claimedAt: number): Outcome | Promise<Outcome> {
    try {
      crashPoint('deliver.before-start');
      flight.begin(this.#journal, claimedAt);
      const sender = this.#senders.of(flight.version.definition.target.kind);
      return flight.claim.isSuspect ? flight.announceAndSend(this.announce, sender) : flight.sendBy(sender);
    } catch (error) {
      return this.#mistake(error);
    }
  }

  readonly #mistake = (error: unknown): Outcome => {
    this.#journal.loopFailed('deliver', error);
    return MISTAKE;
  };

  /** Only the first end of a flight counts. */
  #end(flight: Flight, outcome: Outcome): void {
    if (this.#flights.land(flight)) this.#land(flight, outcome);
  }

  #land(flight: Flight, outcome: Outcome): void {
    this.#queue.done(flight.place);
    const { tenantId, destination: origin } = flight.place;
    if (origin !== null)
      this.#breakers.ended({ tenantId, origin }, { outcome, isProbe: flight.isProbe }, this.#clock.monotonic());
    flight.trace?.attemptEnded(outcome);
    if (flight.claim.isLost) {
      flight.settled('STALE');
      this.#drop(tenantId);
    } else {
      const arrival = { at: this.#clock.now(), monotonic: this.#clock.monotonic(), random: this.#random() };
      this.#finish(endedFlight(flight, outcome, arrival, this.#mistake));
    }
    this.#pump();
  }

  /** A run of a claim that was lost is nobody's here any more. */
  #drop(tenantId: TenantId): void {
    this.occupancy.remove(tenantId);
    this.onRoom();
  }

  #now(): Departure {
    return { at: this.#clock.now(), monotonic: this.#clock.monotonic() };
  }

  #finish(ended: EndedDelivery): void {
    this.#ended.push(ended);
    if (this.#ended.length === 1 || this.#ended.length % RING_EVERY === 0) this.onEnded(this.#ended.length);
  }
}
