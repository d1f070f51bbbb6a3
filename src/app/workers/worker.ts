import type { Post } from '../../domain/ports/courier.ts';
import type { ParcelService } from '../../domain/services/parcel-service.ts';
import { Alarm } from './alarm.ts';
import type { Loops } from './loops.ts';

/** How long a shutdown lets attempts end by themselves, and how long after that it waits for their outcomes to be handed over. */
const DRAIN_MS = 25_000;
const HAND_OVER_MS = 2_000;
const LOOK_EVERY_MS = 20;

/** A process that makes attempts for engines: takes parcels from the post as there are places. */
export class Worker implements AsyncDisposable {
  readonly #post: Post;
  readonly #parcels: Pick<ParcelService, 'deliver'>;
  readonly #loops: Loops;
  readonly #taking = new AbortController();

  constructor(parts: { readonly post: Post; readonly parcels: Pick<ParcelService, 'deliver'>; readonly loops: Loops }) {
    this.#post = parts.post;
    this.#parcels = parts.parcels;
    this.#loops = parts.loops;
  }

  start(): void {
    const { signal } = this.#taking;
    const step = async (): Promise<number> => {
      await this.#post.take((parcel, stop) => this.#parcels.deliver(parcel, stop), signal);
      return 0;
    };
    void this.#loops.run({ name: 'courier', step, alarm: new Alarm() }, signal);
  }

  /** Takes nothing more, lets attempts end, then ends them. What is still not handed over goes to another worker. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#taking.abort();
    await this.#emptyWithin(DRAIN_MS);
    this.#post.abortAll();
    await this.#emptyWithin(HAND_OVER_MS);
  }

  async #emptyWithin(ms: number): Promise<void> {
    const never = new AbortController().signal;
    for (let waited = 0; waited < ms && this.#post.open > 0; waited += LOOK_EVERY_MS)
      await new Alarm().sleep(LOOK_EVERY_MS, never);
  }
}
