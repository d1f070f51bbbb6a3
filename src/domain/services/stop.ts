import type { StopListener, StopSignal } from '../ports/sender.ts';

/** What stops one attempt, and the signal of it: an AbortController for each would cost several times as much. */
export class Stop implements StopSignal {
  #reason: Error | null = null;
  #listeners: StopListener[] = NONE;

  get aborted(): boolean {
    return this.#reason !== null;
  }

  get reason(): Error | null {
    return this.#reason;
  }

  addEventListener(_type: 'abort', listener: StopListener): void {
    if (this.#listeners === NONE) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: StopListener): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners = this.#listeners.length === 1 ? NONE : this.#listeners.toSpliced(at, 1);
  }

  /** Tells each listener once; the first reason counts. */
  stop(reason: Error): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    const told = this.#listeners;
    this.#listeners = NONE;
    for (const listener of told) {
      if (typeof listener === 'function') listener();
      else listener.handleEvent();
    }
  }
}

const NONE: StopListener[] = [];
