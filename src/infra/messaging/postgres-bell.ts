import type postgres from 'postgres';
import type { Bell } from '../../domain/ports/bell.ts';

const CHANNEL = 'scheduler_due';

/** Rings through LISTEN and NOTIFY, on connections of its own; rings made while one is on its way go out as one. */
export class PostgresBell implements Bell {
  readonly #sql: postgres.Sql;
  readonly #failed: (error: unknown) => void;
  readonly #listeners = new Set<(due: number) => void>();
  #pending: number | null = null;
  #isSending = false;
  #isListening = false;

  /** `sql`: a small pool that nothing else uses. `failed` hears of lost rings; the longest sleep makes up for them. */
  constructor(sql: postgres.Sql, failed: (error: unknown) => void) {
    this.#sql = sql;
    this.#failed = failed;
  }

  ring(due: number): void {
    for (const heard of this.#listeners) heard(due);
    this.#pending = this.#pending === null ? due : Math.min(this.#pending, due);
    if (!this.#isSending) void this.#send();
  }

  listen(heard: (due: number) => void, signal: AbortSignal): void {
    this.#listeners.add(heard);
    signal.addEventListener('abort', () => this.#listeners.delete(heard), { once: true });
    if (this.#isListening) return;
    this.#isListening = true;
    this.#sql
      .listen(CHANNEL, (payload) => {
        for (const listener of this.#listeners) listener(Number(payload));
      })
      .catch((error: unknown) => {
        this.#isListening = false;
        this.#failed(error);
      });
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    while (this.#pending !== null) {
      const due = this.#pending;
      this.#pending = null;
      try {
        await this.#sql.notify(CHANNEL, String(due));
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#isSending = false;
  }
}
