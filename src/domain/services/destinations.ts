import { mayTakeMore } from './dynamic-threshold.ts';

/** A tenant that waits for a place, with as many as it has in flight there, and what to call. */
interface WaitingTenant {
  readonly own: { readonly inFlight: number };
  readonly ready: () => void;
}

interface Destination {
  inFlight: number;
  /** The longest waiting first. A set: one is taken out for nearly every delivery that lands. */
  readonly waiting: Set<WaitingTenant>;
}

/**
 * The places at each destination, which the deliveries of all tenants share: as many as there are connections, so that nothing
 * that has begun waits for one behind other tenants.
 */
export class Destinations {
  readonly #places: number;
  readonly #known = new Map<string, Destination>();

  constructor(places: number) {
    this.#places = places;
  }

  /** Whether a tenant with `own` in flight to it may have another. */
  admits(name: string, own: number): boolean {
    return mayTakeMore(own, this.#freeAt(this.#known.get(name)));
  }

  takeOff(name: string): void {
    this.#of(name).inFlight += 1;
  }

  /** One is no longer in flight: calls those that may have another now, no more than there are places. */
  land(name: string): void {
    const destination = this.#known.get(name);
    if (destination === undefined) return;
    destination.inFlight -= 1;
    if (destination.inFlight > 0) {
      if (destination.waiting.size > 0) this.#callWaiting(destination);
      return;
    }
    // Nobody else lands here who could call those that are left: all are, and wait again where the places do not suffice.
    this.#known.delete(name);
    for (const { ready } of destination.waiting) ready();
  }

  /** `ready` is called once, when another has landed there. Only while some are in flight. */
  whenOneLands(name: string, own: WaitingTenant['own'], ready: () => void): void {
    this.#of(name).waiting.add({ own, ready });
  }

  /** Calls nobody who waits now. */
  forgetWaiting(): void {
    for (const destination of this.#known.values()) destination.waiting.clear();
  }

  /** Who may have no more is passed over: with so few places free, hardly more than there are places are so large. */
  #callWaiting(destination: Destination): void {
    const free = this.#freeAt(destination);
    for (let called = 0; called < free; called += 1) {
      const next = nextOf(destination.waiting, free);
      if (next === undefined) return;
      next.ready();
    }
  }

  #freeAt(destination: Destination | undefined): number {
    return this.#places - (destination?.inFlight ?? 0);
  }

  #of(name: string): Destination {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const made: Destination = { inFlight: 0, waiting: new Set() };
    this.#known.set(name, made);
    return made;
  }
}

/** Takes out the one that has waited longest of those that may have another where so many places are free. */
function nextOf(waiting: Set<WaitingTenant>, free: number): WaitingTenant | undefined {
  for (const tenant of waiting) {
    if (!mayTakeMore(tenant.own.inFlight, free)) continue;
    waiting.delete(tenant);
    return tenant;
  }
  return undefined;
}
