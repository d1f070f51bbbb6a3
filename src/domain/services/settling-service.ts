import { crashPoint } from '#crash-point';
import { encodeRunId } from '../ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { EngineStore } from '../ports/engine-store.ts';
import type { Journal } from '../ports/journal.ts';
import type { DeliveryService } from './delivery-service.ts';
import type { EndedDelivery } from './ended-delivery.ts';
import type { FiringService } from './firing-service.ts';
import type { HeldClaim } from './held-claim.ts';
import { reportSchedulesOver } from './schedules-over.ts';

/** Outcomes are committed in groups: so many, or as soon as the oldest has waited so long. */
const GROUP_SIZE = 1000;
const GROUP_WAIT_MS = 4;
/** While so many runs are open that nobody waits for a group, groups gather for longer. */
const BUSY_OPEN = 2 * GROUP_SIZE;
const BUSY_WAIT_MS = 25;
const GROUP_FACTOR = 10;
/** A run in flight for this long gets a RUNNING row. */
const SHOWN_AFTER_MS = 1000;
const WATCH_EVERY_MS = 250;
const NOTHING_SETTLED = { stale: [], nextDue: Number.POSITIVE_INFINITY, over: [] } as const;

/** Writes what became of deliveries, guarded by their claim's fence. */
export class SettlingService {
  readonly #store: EngineStore;
  readonly #delivery: DeliveryService;
  readonly #firing: FiringService;
  readonly #clock: Clock;
  readonly #journal: Journal;
  /** Smaller after a failure, so that an outcome which cannot be written holds up nobody but itself. */
  #groupSize = GROUP_SIZE;
  /** Claims with nothing left to settle whose row is still there. */
  #closable: HeldClaim[] = [];
  /** Called with the instant (epoch ms) at which something that this process wrote falls due. */
  onDue: (due: number) => void = () => undefined;

  constructor(parts: {
    store: EngineStore;
    delivery: DeliveryService;
    firing: FiringService;
    clock: Clock;
    journal: Journal;
  }) {
    this.#store = parts.store;
    this.#delivery = parts.delivery;
    this.#firing = parts.firing;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#delivery.announce = async (run) => {
      crashPoint('announce.before-write');
      await this.#store.showRunning([run]);
      crashPoint('announce.after-write');
    };
  }

  /** Settles one group when it is full or old enough. Answers the milliseconds until it should be called again. */
  async settle(): Promise<number> {
    const { count, since } = this.#delivery.waiting;
    if (since === null && this.#closable.length === 0) return Number.POSITIVE_INFINITY;
    const groupWaitMs = this.#delivery.open >= BUSY_OPEN ? BUSY_WAIT_MS : GROUP_WAIT_MS;
    const waited = since === null ? groupWaitMs : this.#clock.monotonic() - since;
    if (count < GROUP_SIZE && waited < groupWaitMs) return groupWaitMs - waited;
    const ended = this.#delivery.takeEnded(this.#groupSize);
    const counts = countByClaim(ended);
    const closing = [
      ...this.#closable,
      ...[...counts].filter(([claim, settled]) => claim.unsettled === settled).map(([claim]) => claim),
    ];
    this.#closable = [];
    for (const claim of closing) claim.isClosing = true;
    try {
      crashPoint('settle.before-write');
      await this.#write(ended, closing);
      crashPoint('settle.after-commit');
    } catch (error) {
      this.#delivery.putBack(ended, this.#groupSize === 1 ? 'LAST' : 'FIRST');
      this.#groupSize = Math.max(1, Math.floor(this.#groupSize / GROUP_FACTOR));
      this.#closable = [...closing.filter((claim) => claim.unsettled === 0), ...this.#closable];
      for (const claim of closing) claim.isClosing = false;
      throw error;
    }
    this.#groupSize = Math.min(GROUP_SIZE, this.#groupSize * GROUP_FACTOR);
    for (const claim of closing) this.#firing.forget(claim);
    for (const [claim, settled] of counts)
      if (this.#firing.settled(claim, settled) && !closing.includes(claim)) this.#closable.push(claim);
    this.#delivery.release(ended);
    return this.#delivery.waiting.count >= this.#groupSize ? 0 : GROUP_WAIT_MS;
  }

  /** Ends attempts past their deadline and shows long ones as RUNNING. */
  async watch(): Promise<number> {
    const unshown = inKeyOrder(this.#delivery.watch(SHOWN_AFTER_MS));
    if (unshown.length > 0) {
      crashPoint('show.before-write');
      await this.#store.showRunning(unshown.map((flight) => flight.recordRunning()));
      crashPoint('show.after-write');
    }
    for (const flight of unshown) flight.isShown = true;
    return this.#delivery.flying > 0 ? WATCH_EVERY_MS : Number.POSITIVE_INFINITY;
  }

  async #write(ended: readonly EndedDelivery[], closing: readonly HeldClaim[]): Promise<void> {
    const live = ended.filter((delivery) => !delivery.claim.isLost);
    const dropped = ended.filter((delivery) => delivery.claim.isLost);
    const settled = inKeyOrder(live.map((delivery) => delivery.settled));
    const leases = closing.map((claim) => claim.lease);
    const { stale, nextDue, over } =
      settled.length + leases.length > 0 ? await this.#store.settle(settled, leases) : NOTHING_SETTLED;
    for (const delivery of dropped) this.#reportStale(delivery);
    this.#report(live, new Set(stale.map(encodeRunId)));
    reportSchedulesOver(this.#journal, over);
    const retryAt = live.reduce(
      (earliest, { settled: run }) => Math.min(earliest, run.retryAt ?? Number.POSITIVE_INFINITY),
      nextDue,
    );
    if (retryAt < Number.POSITIVE_INFINITY) this.onDue(retryAt);
  }

  #report(written: readonly EndedDelivery[], stale: ReadonlySet<string>): void {
    for (const delivery of written) {
      const { settled, flight, durationMs } = delivery;
      if (stale.size > 0 && stale.has(encodeRunId(settled.key))) {
        this.#reportStale(delivery);
        continue;
      }
      flight?.settled(settled.state);
      this.#journal.runSettled(settled, durationMs);
    }
  }

  #reportStale({ settled, flight }: EndedDelivery): void {
    flight?.settled('STALE');
    this.#journal.outcomeStale(settled);
  }
}

function countByClaim(ended: readonly EndedDelivery[]): ReadonlyMap<HeldClaim, number> {
  const counts = new Map<HeldClaim, number>();
  for (const { claim } of ended) counts.set(claim, (counts.get(claim) ?? 0) + 1);
  return counts;
}

/** Opposite orders of rows in two transactions deadlock. */
function inKeyOrder<T extends { readonly key: { readonly scheduleId: string; readonly slot: number } }>(
  runs: readonly T[],
): readonly T[] {
  return runs.toSorted((left, right) =>
    left.key.scheduleId < right.key.scheduleId
      ? -1
      : left.key.scheduleId > right.key.scheduleId
        ? 1
        : left.key.slot - right.key.slot,
  );
}
