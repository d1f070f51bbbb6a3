import { LANES, type Lane } from '../ports/run-repository.ts';
import type { Destinations } from './destinations.ts';
import { LANE_WEIGHTS } from './lanes.ts';
import { Line } from './line.ts';

interface LaneState<T> {
  readonly lane: Lane;
  /** By destination; {@link NO_DESTINATION} for what has none. */
  readonly lines: Map<string, DestinationLine<T>>;
  /** Lines from which an item may be taken, in the order of their turns. */
  readonly ready: DestinationLine<T>[];
  credit: number;
}

interface DestinationLine<T> {
  readonly of: LaneState<T>;
  readonly destination: string;
  readonly items: Line<T>;
}

interface Landing<T> {
  inFlight: number;
  /** Lines that wait until one of its deliveries has ended. */
  parked: DestinationLine<T>[] | null;
}

const NO_DESTINATION = '';
const NO_LANES = Object.values(LANES).map(() => undefined);

/**
 * What waits of one tenant: lanes taken by weight, within a lane destinations in turns, within a destination in order. A
 * destination that has as many in flight as it may is passed over, at no cost to those that ask.
 */
export class TenantLanes<T> {
  readonly #mostPerDestination: number;
  readonly #destinations: Destinations;
  readonly #onReady: () => void;
  /** By lane, those in which something has waited. */
  readonly #lanes: (LaneState<T> | undefined)[] = [...NO_LANES];
  readonly #landings = new Map<string, Landing<T>>();
  inFlight = 0;
  #size = 0;

  /** `onReady` is called when something may be taken again that could not. */
  constructor(parts: {
    readonly mostPerDestination: number;
    readonly destinations: Destinations;
    readonly onReady: () => void;
  }) {
    this.#mostPerDestination = parts.mostPerDestination;
    this.#destinations = parts.destinations;
    this.#onReady = parts.onReady;
  }

  get size(): number {
    return this.#size;
  }

  put(item: T, lane: Lane, destination: string | null): void {
    this.#size += 1;
    const of = this.#laneOf(lane);
    const name = destination ?? NO_DESTINATION;
    const known = of.lines.get(name);
    if (known !== undefined) {
      known.items.put(item);
      return;
    }
    const line = { of, destination: name, items: new Line(item) };
    of.lines.set(name, line);
    of.ready.push(line);
  }

  /** The next item, in flight until {@link done}; undefined while all that waits goes to destinations at their limit. */
  take(): T | undefined {
    for (let lane = this.#nextLane(); lane !== undefined; lane = this.#nextLane()) {
      const line = lane.ready.shift();
      if (line === undefined) return undefined;
      if (!this.#mayTakeOff(line)) continue;
      const item = line.items.take();
      if (line.items.size > 0) lane.ready.push(line);
      else lane.lines.delete(line.destination);
      this.#size -= 1;
      this.inFlight += 1;
      return item;
    }
    return undefined;
  }

  /** A delivery to the destination is no longer in flight. */
  done(destination: string | null): void {
    this.inFlight -= 1;
    const name = destination ?? NO_DESTINATION;
    const landing = this.#landings.get(name);
    if (landing === undefined) return;
    landing.inFlight -= 1;
    const line = landing.parked?.shift();
    if (line !== undefined) this.#unpark(line);
    else if (landing.inFlight === 0) this.#landings.delete(name);
    this.#destinations.land(name);
  }

  /** All that waits, which no longer does. */
  drain(): T[] {
    const lanes = this.#lanes.filter((lane) => lane !== undefined);
    const left = lanes.flatMap((lane) => [...lane.lines.values()].flatMap((line) => line.items.drain()));
    this.#lanes.fill(undefined);
    for (const landing of this.#landings.values()) landing.parked = null;
    this.#size = 0;
    return left;
  }

  /** Counts the line's destination as one more in flight; or parks the line where that is too many, of this tenant's or of all. */
  #mayTakeOff(line: DestinationLine<T>): boolean {
    const { destination } = line;
    if (destination === NO_DESTINATION) return true;
    const landing = this.#landingAt(destination);
    if (landing.inFlight >= this.#mostPerDestination) {
      landing.parked ??= [];
      landing.parked.push(line);
      return false;
    }
    if (!this.#destinations.admits(destination, landing.inFlight)) {
      this.#destinations.whenOneLands(destination, landing, () => this.#unpark(line));
      return false;
    }
    landing.inFlight += 1;
    this.#destinations.takeOff(destination);
    return true;
  }

  #laneOf(lane: Lane): LaneState<T> {
    const known = this.#lanes[lane];
    if (known !== undefined) return known;
    const made: LaneState<T> = { lane, lines: new Map(), ready: [], credit: 0 };
    this.#lanes[lane] = made;
    return made;
  }

  #landingAt(destination: string): Landing<T> {
    const known = this.#landings.get(destination);
    if (known !== undefined) return known;
    const landing: Landing<T> = { inFlight: 0, parked: null };
    this.#landings.set(destination, landing);
    return landing;
  }

  #unpark(line: DestinationLine<T>): void {
    line.of.ready.push(line);
    this.#onReady();
  }

  /** Smooth weighted round robin: each lane that waits gains its weight, the richest is taken and pays what all have gained. */
  #nextLane(): LaneState<T> | undefined {
    let richest: LaneState<T> | undefined;
    let gained = 0;
    for (const lane of this.#lanes) {
      if (lane === undefined) continue;
      if (lane.ready.length === 0) {
        lane.credit = 0;
        continue;
      }
      lane.credit += LANE_WEIGHTS[lane.lane];
      gained += LANE_WEIGHTS[lane.lane];
      if (richest === undefined || lane.credit > richest.credit) richest = lane;
    }
    if (richest !== undefined) richest.credit -= gained;
    return richest;
  }
}
