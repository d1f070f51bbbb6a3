import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { nodeOptions } from './node-options.ts';

/** What an engine process says of itself. Fires and lateness since the last reading, the rest since its start. */
export interface Reading {
  readonly fired: number;
  /** Lateness in whole ms, and how many started so late. */
  readonly lateness: readonly (readonly [number, number])[];
  readonly pid: number;
  readonly cpuMs: number;
  /** Bytes. */
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly claims: number;
  /** Time all of them took. */
  readonly claimMs: number;
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const STOP_MS = 40_000;
const LOOK_MS = 20;
const ANSWER_MS = 60_000;

/** A process of the product as `npm start` runs it, with the engine role and a COMMAND `noop`. */
export class EngineProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** `more`: variables of the service that differ from its defaults; `main`: the program, left out: from source. */
  static async start(
    url: string,
    more: Readonly<Record<string, string>> = {},
    main: string = MAIN,
  ): Promise<EngineProcess> {
    const opsPort = await freePort();
    const commands = fileURLToPath(new URL('../contenders/engine.ts', import.meta.url));
    const own = {
      POSTGRES_URL: url,
      ROLES: 'engine',
      LOG_LEVEL: 'warn',
      OPS_PORT: String(opsPort),
      COMMANDS_MODULE: commands,
    };
    const env = { ...process.env, HOST: '127.0.0.1', HTTP_ALLOW_PRIVATE_NETWORKS: 'true', ...own, ...more };
    const child = fork(main, [], { env, execArgv: [...process.execArgv, ...nodeOptions()] });
    const endIt = (): void => void child.kill('SIGKILL');
    process.once('exit', endIt);
    child.once('exit', () => process.off('exit', endIt));
    const engine = new EngineProcess(child);
    await engine.#ready(opsPort);
    return engine;
  }

  async read(): Promise<Reading> {
    this.#child.send('read');
    return (await this.#heard()) as Reading;
  }

  /** As a crash would, with nothing drained. */
  async kill(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await Promise.race([gone, delay(STOP_MS, undefined, { ref: false })]);
    this.#child.kill('SIGKILL');
  }

  async #ready(opsPort: number): Promise<void> {
    const until = performance.now() + ANSWER_MS;
    while (!(await isReady(opsPort))) {
      if (this.#child.exitCode !== null) throw new Error('an engine process ended by itself; its own words are above');
      if (performance.now() > until) throw new Error(`an engine process was not ready within ${ANSWER_MS / 1000} s`);
      await delay(LOOK_MS);
    }
  }

  async #heard(): Promise<unknown> {
    const patience = new AbortController();
    try {
      const answer = once(this.#child, 'message', { signal: patience.signal });
      const ended = once(this.#child, 'exit', { signal: patience.signal }).then(() => {
        throw new Error('an engine process ended by itself; its own words are above');
      });
      const late = delay(ANSWER_MS, undefined, { signal: patience.signal }).then(() => {
        throw new Error(`an engine process did not answer within ${ANSWER_MS / 1000} s`);
      });
      const [message] = await Promise.race([answer, ended, late]);
      return message;
    } finally {
      patience.abort();
    }
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/ready`)).status === 200;
  } catch {
    return false;
  }
}

/** The lateness that this share of the starts did not exceed, ms. */
export function latenessAt(readings: readonly Reading[], share: number): number {
  const counted = new Map<number, number>();
  for (const [ms, count] of readings.flatMap((reading) => reading.lateness))
    counted.set(ms, (counted.get(ms) ?? 0) + count);
  const all = [...counted.values()].reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (const [ms, count] of [...counted].toSorted(([left], [right]) => left - right)) {
    seen += count;
    if (seen >= all * share) return ms;
  }
  return Number.NaN;
}
