import { crashPoint } from '#crash-point';
import type { Clock } from '../ports/clock.ts';
import type { ClaimedRun, EngineStore, FiredBatch, Lease } from '../ports/engine-store.ts';
import type { Journal } from '../ports/journal.ts';
import { LANES } from '../ports/run-repository.ts';
import { ClaimRoom, MAX_BATCH, roomIn } from './claim-room.ts';
import type { DeliveryService } from './delivery-service.ts';
import { decideAll, firedRuns } from './fired-batch.ts';
import { HeldClaim } from './held-claim.ts';
import { countByLane, laneRoom } from './lanes.ts';
import { Pace } from './pace.ts';
import { reportSchedulesOver } from './schedules-over.ts';

/** Who this process is to the claims it holds, and how long a lease lasts. */
export interface FiringIdentity {
  readonly owner: string;
  readonly leaseMs: number;
}

/** Late slots take at most this part of the room beside the live ones. */
const LATE_PART = 4;
const CATCH_UP_PER_SEC = 1000;
/** After a claim that found work, the next waits this long, so that slots gather into batches. */
const COALESCE_MS = 5;
/** While there is more than there is room for, room gathers for so long. */
const ROOM_TICK_MS = 25;
/** When another process holds due timers, look again after this long: it may die before it commits. */
const LOOK_AGAIN_MS = 500;
/** How long claims of slots pause while this process must not compute any. */
const HELD_MS = 1_000;
/** The longest sleep, unless a lease is shorter: a lost hint costs no more than a lost process. */
const LONGEST_SLEEP_MS = 15_000;
/** A lease counts as over this much earlier here than in the database. */
const LEASE_MARGIN = 0.2;

/** Turns due timers, waiting runs and orphaned claims into runs under a lease of this process, and keeps the leases. */
export class FiringService {
  readonly #store: EngineStore;
  readonly #delivery: DeliveryService;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #newId: () => string;
  readonly #identity: FiringIdentity;
  readonly #held = new Map<string, HeldClaim>();
  /** True while this process must leave slots to others: see ZoneDataService. */
  holdsSlots: () => boolean = () => false;
  /** Late slots, and backfilled and redriven runs, are claimed at this pace. */
  readonly #latePace: Pace;
  readonly #waitingPace: Pace;
  /** For slots, and for waiting runs. */
  readonly #due: ClaimRoom;
  readonly #waiting: ClaimRoom;

  constructor(parts: {
    store: EngineStore;
    delivery: DeliveryService;
    clock: Clock;
    journal: Journal;
    newId: () => string;
    identity: FiringIdentity;
    /** How many late slots a second, and as many backfilled and redriven runs, this process starts. */
    catchUpPerSec?: number;
  }) {
    this.#store = parts.store;
    this.#delivery = parts.delivery;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#newId = parts.newId;
    this.#identity = parts.identity;
    this.#due = new ClaimRoom(parts.delivery.occupancy);
    this.#waiting = new ClaimRoom(parts.delivery.occupancy);
    const perSec = parts.catchUpPerSec ?? CATCH_UP_PER_SEC;
    this.#latePace = new Pace(perSec);
    this.#waitingPace = new Pace(perSec);
  }

  /** True while claims of slots wait for room, or a tenant that was left out has room again. */
  get lacksSlots(): boolean {
    return this.#due.isWanted;
  }

  /** The same of claims of waiting runs. */
  get lacksWaiting(): boolean {
    return this.#waiting.isWanted;
  }

  /** Claims and fires due slots. Answers the milliseconds until it should be called again. */
  async fireDue(): Promise<number> {
    if (this.holdsSlots()) return HELD_MS;
    const limit = this.#due.look();
    if (limit === 0) return this.#roomlessSleep();
    const askedAt = this.#clock.monotonic();
    const claimId = this.#newId();
    const late = Math.min(this.#latePace.available(askedAt), Math.ceil(limit / LATE_PART));
    const room = { live: limit, late, excluded: this.#due.excluded };
    using _reserved = this.#delivery.occupancy.reserve(limit + late);
    const batch = await this.#store.fireDue(room, this.#claimant(claimId), decideAll);
    if (batch.due.length > 0) crashPoint('claim.after-commit');
    this.#clock.observe(batch.now, askedAt);
    this.#latePace.take(batch.late);
    const runs = firedRuns(batch);
    reportSchedulesOver(this.#journal, batch.over);
    if (batch.due.length > 0) this.#report(claimId, batch, runs.length, this.#clock.monotonic() - askedAt);
    if (runs.length > 0) this.#hold({ claimId, fence: 1, recoveries: 0 }, runs, askedAt);
    if (batch.isFull) return limit < MAX_BATCH ? ROOM_TICK_MS : 0;
    const sleepMs = Math.min(this.#sleepUntil(batch), batch.isLateLeft ? this.#latePace.waitMs : LONGEST_SLEEP_MS);
    if (batch.due.length === 0) return sleepMs;
    return batch.isBehind ? COALESCE_MS : Math.max(COALESCE_MS, sleepMs);
  }

  /** Claims waiting runs (retries, manual, buffered, backfilled, redriven) whose time has come, each lane by its weight. */
  async fireWaiting(): Promise<number> {
    const limit = this.#waiting.look();
    if (limit === 0) return this.#roomlessSleep();
    const askedAt = this.#clock.monotonic();
    const claimId = this.#newId();
    const lanes = laneRoom(limit, this.#waitingPace.available(askedAt));
    using _reserved = this.#delivery.occupancy.reserve(limit);
    const { excluded } = this.#waiting;
    const claimed = await this.#store.claimWaiting({ lanes, excluded }, this.#claimant(claimId));
    if (!claimed.isBehind) this.#waiting.foundAll();
    const { now, runs } = claimed;
    this.#clock.observe(now, askedAt);
    if (runs.length > 0) {
      crashPoint('retry.after-commit');
      this.#journal.retriesClaimed({ claimId, runs: runs.length });
      this.#hold({ claimId, fence: 1, recoveries: 0 }, runs, askedAt);
    }
    const counts = countByLane(runs);
    const paced = counts[LANES.catchUp] + counts[LANES.redrive];
    this.#waitingPace.take(paced);
    if (counts[LANES.live] >= lanes[LANES.live] || counts[LANES.retry] >= lanes[LANES.retry]) return 0;
    return Math.min(this.#sleepUntil(claimed), paced > 0 ? Math.max(1, this.#waitingPace.waitMs) : LONGEST_SLEEP_MS);
  }

  /** Takes over claims whose holder let the lease expire; without room, one at a time. Called twice a lease, and when the next lease ends. */
  async recover(): Promise<number> {
    const pause = Math.min(this.#identity.leaseMs / 2, 2000);
    const room = roomIn(this.#delivery.occupancy);
    const held = [...this.#held.values()];
    if (room === 0 && held.some((claim) => claim.lease.fence > 1)) return pause;
    const askedAt = this.#clock.monotonic();
    using _reserved = this.#delivery.occupancy.reserve(room);
    const { claims, poisoned, isMoreLeft, nextInMs, over } = await this.#store.recover(this.#claimant(this.#newId()), {
      room,
      held: held.map((claim) => claim.lease.claimId),
      newId: this.#newId,
    });
    if (claims.length > 0) crashPoint('recover.after-commit');
    for (const { lease, runs } of claims) this.#hold(lease, runs, askedAt);
    reportSchedulesOver(this.#journal, over);
    if (claims.length > 0 || poisoned > 0) {
      const runs = claims.reduce((sum, claim) => sum + claim.runs.length, 0);
      this.#journal.claimsRecovered({ claims: claims.length, runs, poisoned });
    }
    return isMoreLeft && room > 0 ? 0 : Math.min(pause, Math.ceil(nextInMs) + 1);
  }

  /** Prolongs every lease held; gives up those that were taken over. Called three times a lease. */
  async renew(): Promise<number> {
    const held = [...this.#held.values()].filter((claim) => !claim.isLost);
    if (held.length > 0) {
      crashPoint('renew.before-write');
      const askedAt = this.#clock.monotonic();
      const kept = await this.#store.renew(
        held.map((claim) => claim.lease),
        this.#identity.leaseMs,
      );
      crashPoint('renew.after-write');
      for (const claim of held) {
        if (kept.has(claim.lease.claimId)) claim.actUntil = this.#actUntil(askedAt);
        else if (!claim.isClosing && this.#held.has(claim.lease.claimId)) this.#lose(claim);
      }
    }
    const flown = this.#delivery.inFlightLongerThan(1000);
    const ended = flown.length > 0 ? await this.#store.endedElsewhere(flown) : [];
    if (ended.length > 0) crashPoint('cancel.before-abort');
    this.#delivery.cancel(ended);
    return this.#identity.leaseMs / 3;
  }

  /** `count` runs of the claim are settled. Answers true when the claim has none left and its row can go. */
  settled(claim: HeldClaim, count: number): boolean {
    claim.settled(count);
    return claim.unsettled <= 0;
  }

  /** The claim's row is gone. */
  forget(claim: HeldClaim): void {
    this.#held.delete(claim.lease.claimId);
  }

  #hold(lease: Lease, runs: readonly ClaimedRun[], askedAt: number): void {
    const claim = new HeldClaim(lease, runs.length, this.#actUntil(askedAt));
    this.#held.set(lease.claimId, claim);
    this.#delivery.accept(claim, runs);
  }

  #lose(claim: HeldClaim): void {
    claim.isLost = true;
    this.forget(claim);
    this.#journal.leaseLost(claim.lease.claimId);
  }

  #claimant(claimId: string): { owner: string; claimId: string; leaseMs: number } {
    return { ...this.#identity, claimId };
  }

  #actUntil(askedAt: number): number {
    return askedAt + this.#identity.leaseMs * (1 - LEASE_MARGIN);
  }

  #sleepUntil(next: { readonly nextDue: number; readonly isBehind: boolean }): number {
    const wait = Math.max(1, next.nextDue - this.#clock.now());
    return Math.min(wait, next.isBehind ? LOOK_AGAIN_MS : this.#longestSleep());
  }

  /** Who ends gives room back and rings; a claim that brings less than it might does not. */
  #roomlessSleep(): number {
    return this.#delivery.occupancy.isReserved ? COALESCE_MS : this.#longestSleep();
  }

  #longestSleep(): number {
    return Math.min(LONGEST_SLEEP_MS, this.#identity.leaseMs);
  }

  #report(claimId: string, batch: FiredBatch, fired: number, tookMs: number): void {
    const skipped = batch.decisions.filter((decision) => decision.skipped !== null).length;
    const oldest = batch.due[0]?.timer.due ?? batch.now;
    this.#journal.slotsClaimed({ claimId, fired, skipped, oldestLateMs: batch.now - oldest, tookMs });
  }
}
