import { setTimeout as delay } from 'node:timers/promises';
import type postgres from 'postgres';
import { v7 as newId } from 'uuid';
import type { Bell } from '../../domain/ports/bell.ts';

const CHANNEL = 'scheduler_due';
/** How often the bell makes sure that it hears, and how long it listens for itself. */
const BEAT_MS = 10_000;
const HEAR_MS = 5_000;

/**
 * Rings through LISTEN and NOTIFY, on connections of its own; rings made while one is on its way go out as one. Nobody answers on
 * a connection that only listens, so one that has died without a word looks like silence: therefore the bell rings for itself now
 * and then, and dials anew when it does not hear that.
 */
export class PostgresBell implements Bell, AsyncDisposable {
  readonly #open: () => postgres.Sql;
  readonly #failed: (error: unknown) => void;
  readonly #beatMs: number;
  readonly #hearMs: number;
  readonly #own = `scheduler_beat_${newId().replaceAll('-', '')}`;
  readonly #listeners = new Set<(due: number) => void>();
  #sql: postgres.Sql;
  #pending: number | null = null;
  #isSending = false;
  #isListening = false;
  #heardItself: () => void = () => undefined;

  /** `open`: a small pool that nothing else uses. `failed` hears of lost rings; the longest sleep makes up for them. */
  constructor(
    open: () => postgres.Sql,
    failed: (error: unknown) => void,
    { beatMs = BEAT_MS, hearMs = HEAR_MS }: { readonly beatMs?: number; readonly hearMs?: number } = {},
  ) {
    this.#open = open;
    this.#failed = failed;
    this.#beatMs = beatMs;
    this.#hearMs = hearMs;
    this.#sql = open();
  }

  ring(due: number): void {
    this.#tell(due);
    this.#pending = this.#pending === null ? due : Math.min(this.#pending, due);
    if (!this.#isSending) void this.#send();
  }

  listen(heard: (due: number) => void, signal: AbortSignal): void {
    this.#listeners.add(heard);
    signal.addEventListener('abort', () => this.#listeners.delete(heard), { once: true });
    if (this.#isListening) return;
    this.#isListening = true;
    void this.#keepListening(signal).finally(() => {
      this.#isListening = false;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql.end({ timeout: 1 });
  }

  async #keepListening(signal: AbortSignal): Promise<void> {
    let ears: postgres.Sql | null = null;
    while (!signal.aborted) {
      try {
        if (ears !== this.#sql) await this.#prickUp(this.#sql);
        ears = this.#sql;
        await this.#hearItself();
      } catch (error) {
        if (signal.aborted) return;
        this.#failed(error);
        this.#dialAnew();
      }
      await delay(this.#beatMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #prickUp(sql: postgres.Sql): Promise<void> {
    // What was rung before it listened, or listened again, was missed.
    const onListening = (): void => this.#tell(0);
    await sql.listen(CHANNEL, (payload) => this.#tell(Number(payload)), onListening);
    await sql.listen(this.#own, () => this.#heardItself());
  }

  async #hearItself(): Promise<void> {
    const { promise: isHeard, resolve } = Promise.withResolvers<true>();
    this.#heardItself = () => resolve(true);
    await this.#sql.notify(this.#own, '');
    const waiting = new AbortController();
    const isDeaf = delay(this.#hearMs, false, { signal: waiting.signal }).catch(() => false);
    const hears = await Promise.race([isHeard, isDeaf]);
    waiting.abort();
    if (!hears) throw new Error(`the bell did not hear itself within ${this.#hearMs} ms`);
  }

  #tell(due: number): void {
    for (const heard of this.#listeners) heard(due);
  }

  #dialAnew(): void {
    const lost = this.#sql;
    this.#sql = this.#open();
    lost.end({ timeout: 0 }).catch(() => undefined);
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
