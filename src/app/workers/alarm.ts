/** Wakes one loop. A ring during a step cancels the sleep that follows, so no ring is lost. */
export class Alarm {
  #isRung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Resolves after `ms`, at a ring, or when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#isRung || signal.aborted || ms <= 0) {
      this.#isRung = false;
      return new Promise((resolve) => setImmediate(resolve));
    }
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#wake = null;
        this.#isRung = false;
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake, { once: true });
      this.#wake = wake;
    });
  }
}
