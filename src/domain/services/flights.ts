import { encodeRunId, type RunKey } from '../ids.ts';
import type { Flight } from './flight.ts';

/** A sender that was told to stop has this long; then its attempt ends without it. */
const STOP_MS = 2000;

/** The attempts under way in this process. `now` is monotonic ms. */
export class Flights {
  readonly #flights = new Set<Flight>();
  readonly #mistaken: (error: unknown) => void;

  /** `mistaken` hears of a sender that throws when it is told to stop; its attempt ends as of one that does not stop. */
  constructor(mistaken: (error: unknown) => void) {
    this.#mistaken = mistaken;
  }

  get size(): number {
    return this.#flights.size;
  }

  add(flight: Flight): void {
    this.#flights.add(flight);
  }

  /** False where it has ended before. */
  land(flight: Flight): boolean {
    return this.#flights.delete(flight);
  }

  /** Stops those past their deadline or their lease. Answers those that were told to stop and did not. */
  stopOverdue(now: number): readonly Flight[] {
    for (const flight of this.#flights) {
      if (!flight.claim.mayAct(now)) this.#stop(flight, new Error('the lease was lost'), now);
      else if (flight.isOverdue(now))
        this.#stop(flight, new DOMException('the attempt timed out', 'TimeoutError'), now);
    }
    return [...this.#flights].filter(({ stoppedAt }) => stoppedAt !== null && now - stoppedAt > STOP_MS);
  }

  /** Those under way for `ms` or longer that have no row to show for it. */
  unshownFor(ms: number, now: number): readonly Flight[] {
    return [...this.#flights].filter(({ isShown, departure }) => !isShown && now - departure.monotonic >= ms);
  }

  /** The runs under way for longer than `ms`. */
  longerThan(ms: number, now: number): readonly RunKey[] {
    return [...this.#flights].filter(({ departure }) => departure.monotonic < now - ms).map(({ key }) => key);
  }

  /** Stops the attempts at these runs. */
  stop(keys: readonly RunKey[], reason: Error, now: number): void {
    const names = new Set(keys.map(encodeRunId));
    for (const flight of this.#flights) if (names.has(flight.runId)) this.#stop(flight, reason, now);
  }

  stopAll(reason: Error, now: number): void {
    for (const flight of this.#flights) this.#stop(flight, reason, now);
  }

  /** One that throws hinders no other. */
  #stop(flight: Flight, reason: Error, now: number): void {
    try {
      flight.stop(reason, now);
    } catch (error) {
      this.#mistaken(error);
    }
  }
}
