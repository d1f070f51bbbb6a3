import { pipelined } from '../db/client.ts';

/** Writes of one transaction that were sent and whose answers nobody waits for before it ends. */
export class SentWrites {
  readonly #sent: Promise<unknown>[] = [];

  /** `sending` is told by `allStored`, or by the statement after it, which then fails too. */
  add(sending: Promise<unknown>): void {
    sending.catch(() => undefined);
    this.#sent.push(sending);
  }

  /** Resolves once `commit` has, and all that was sent before it. Throws the error of the first that failed. */
  async committed(commit: Promise<void>): Promise<void> {
    await pipelined([...this.#sent, commit]);
  }

  /** What `work` answers or throws; where a write failed, the statements after it only say that the transaction is aborted. */
  async toldFirst<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await pipelined(this.#sent);
      throw error;
    }
  }
}
