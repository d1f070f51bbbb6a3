/** What has gathered unused is at most this many seconds' worth, so that nothing comes in a peak. */
const BURST_SEC = 0.1;

/** So many a second, evenly: a token bucket. Instants are monotonic ms. */
export class Pace {
  readonly #perSec: number;
  readonly #most: number;
  #left: number;
  #at = Number.NEGATIVE_INFINITY;

  constructor(perSec: number) {
    this.#perSec = perSec;
    this.#most = Math.max(1, perSec * BURST_SEC);
    this.#left = this.#most;
  }

  /** How many may be taken at `now`. */
  available(now: number): number {
    if (now > this.#at) {
      const gained = this.#at === Number.NEGATIVE_INFINITY ? 0 : ((now - this.#at) / 1000) * this.#perSec;
      this.#left = Math.min(this.#most, this.#left + gained);
      this.#at = now;
    }
    return Math.max(0, Math.floor(this.#left));
  }

  take(count: number): void {
    this.#left -= count;
  }

  /** Milliseconds until as many have gathered as fit. */
  get waitMs(): number {
    return Math.ceil(((this.#most - this.#left) / this.#perSec) * 1000);
  }
}
