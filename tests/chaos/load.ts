import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Fault } from './history.ts';

const LOOK_EVERY_MS = 250;
/** More than so many threads that want each core: others use this machine, and what is late may be theirs. */
const CROWD = 4;

/** Notes when the machine is so busy that lateness says nothing of the service. Only where Linux tells how many threads wait. */
export class LoadWatch implements Disposable {
  readonly crowded: Fault[] = [];
  readonly #timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  #since: number | null = null;

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#close();
  }

  #look(): void {
    if (runnable() <= CROWD * availableParallelism()) this.#close();
    else this.#since ??= Date.now() - LOOK_EVERY_MS;
  }

  #close(): void {
    if (this.#since === null) return;
    this.crowded.push({ kind: 'load', what: 'the machine is crowded', node: null, from: this.#since, to: Date.now() });
    this.#since = null;
  }
}

function runnable(): number {
  try {
    return Number(readFileSync('/proc/loadavg', 'utf8').split(/[ /]/)[3]);
  } catch {
    return 0;
  }
}
