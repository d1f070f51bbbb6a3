import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import { Alarm } from './alarm.ts';
import { runLoop, type Step } from './loop.ts';

/** Loops whose last good turn is older than this, beyond their sleep, make the process unready. */
const STALE_AFTER_MS = 30_000;
/** A step under way at the end of the process is not waited for longer than this. */
const LAST_STEP_MS = 5_000;

/** The loops of a process by name: whether each still turns, and until when it sleeps. */
export class Loops {
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #freshUntil = new Map<string, number>();
  /** When a loop that sleeps will wake by itself, epoch ms. */
  readonly #wakesAt = new Map<string, number>();

  constructor(clock: Clock, journal: Journal) {
    this.#clock = clock;
    this.#journal = journal;
  }

  /** Runs one until the signal aborts; resolves once its last step has ended. */
  run(
    worker: { readonly name: string; readonly step: Step; readonly alarm: Alarm },
    signal: AbortSignal,
  ): Promise<void> {
    const { name, step, alarm } = worker;
    const clock = this.#clock;
    const watched = async (): Promise<number> => {
      this.#wakesAt.delete(name);
      const sleepMs = await step();
      this.#wakesAt.set(name, clock.now() + sleepMs);
      this.#freshUntil.set(name, clock.monotonic() + Math.min(sleepMs, 60_000) + STALE_AFTER_MS);
      return sleepMs;
    };
    this.#freshUntil.set(name, clock.monotonic() + STALE_AFTER_MS);
    return runLoop({ name, step: watched, alarm }, this.#journal, signal);
  }

  /** When the loop wakes by itself, epoch ms; Infinity while it is at work. */
  wakesAt(name: string): number {
    return this.#wakesAt.get(name) ?? Number.POSITIVE_INFINITY;
  }

  /** The loops that have not had a good turn for too long; empty when all is well. */
  get stale(): readonly string[] {
    const now = this.#clock.monotonic();
    return [...this.#freshUntil].filter(([, until]) => now > until).map(([name]) => name);
  }
}

/** Loops that nothing wakes before their time, from the start of a process to its end. */
export class SteadyLoops implements AsyncDisposable {
  readonly #loops: Loops;
  readonly #steps: Readonly<Record<string, Step>>;
  readonly #ending = new AbortController();
  #running: readonly Promise<void>[] = [];

  constructor(loops: Loops, steps: Readonly<Record<string, Step>>) {
    this.#loops = loops;
    this.#steps = steps;
  }

  start(): void {
    this.#running = Object.entries(this.#steps).map(([name, step]) =>
      this.#loops.run({ name, step, alarm: new Alarm() }, this.#ending.signal),
    );
  }

  /** Within 5 s, whatever a step waits for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LAST_STEP_MS);
    await Promise.race([late, Promise.all(this.#running)]);
    clearTimeout(timer);
  }
}
