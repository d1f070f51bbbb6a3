import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Notes } from './contend.ts';
import { nodeOptions } from './node-options.ts';
import type { BenchServers, Usage } from './servers.ts';

/** What one round of a contender took in its own process, and what the servers used meanwhile. */
export interface Round extends Usage {
  readonly jobs: number;
  /** From the start signal to the last durable end of a job, ms. */
  readonly wallMs: number;
  /** CPU of the node process during the round, ms. */
  readonly nodeCpuMs: number;
  /** What the contender itself counted, before and after. */
  readonly notes: Notes;
}

/** Ours: it runs as the service does, with what `npm start` gives to Node. */
const OURS = 'scheduler';

/** What a contender is started with: a file of bench/contenders, and its variables. */
export interface ContenderPlan {
  readonly name: string;
  readonly file: string;
  readonly environment: Readonly<Record<string, string>>;
}

type Measured = Pick<Round, 'jobs' | 'wallMs' | 'nodeCpuMs'>;

const UP_MS = 30_000;
/** The first preparation creates every schedule through the service. */
const PREPARE_MS = 240_000;
const ROUND_MS = 120_000;
const REST_MS = 60_000;

/** The orchestrator's side of one contender process. Every wait is bounded; disposing it ends the process. */
export class Contender implements AsyncDisposable {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    this.#ended = once(child, 'exit').then(([code, signal]: unknown[]) => {
      throw new Error(`contender ${name} ended by itself (${String(code ?? signal)}); its own words are above`);
    });
    this.#ended.catch(() => undefined);
  }

  static async start({ name, file, environment }: ContenderPlan): Promise<Contender> {
    const path = fileURLToPath(new URL(`../contenders/${file}.ts`, import.meta.url));
    const child = fork(path, [], {
      env: { ...process.env, ...environment },
      execArgv: [...process.execArgv, ...(name === OURS ? nodeOptions() : [])],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const contender = new Contender(name, child);
    try {
      await contender.#answer('up', UP_MS);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    return contender;
  }

  /** Prepares, runs and calms down: one round, and what the stores used during it. */
  async turn(servers: BenchServers): Promise<Round> {
    const before = await this.#ask('prepare', 'prepared', PREPARE_MS);
    const from = await servers.usage();
    const measured = (await this.#ask('go', 'measured', ROUND_MS))['round'] as Measured;
    const used = await servers.usedSince(from);
    const after = await this.#ask('rest', 'rested', REST_MS);
    return { ...measured, ...used, notes: { ...(before['notes'] as Notes), ...(after['notes'] as Notes) } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.send({ kind: 'close' }, () => undefined);
    await Promise.race([once(this.#child, 'exit'), delay(REST_MS, undefined, { ref: false })]);
    this.#child.kill('SIGKILL');
  }

  #ask(question: string, answer: string, withinMs: number): Promise<Readonly<Record<string, unknown>>> {
    this.#child.send({ kind: question });
    return this.#answer(answer, withinMs);
  }

  async #answer(kind: string, withinMs: number): Promise<Readonly<Record<string, unknown>>> {
    const patience = new AbortController();
    const late = delay(withinMs, undefined, { signal: patience.signal }).then(() => {
      this.#child.kill('SIGKILL');
      throw new Error(`contender ${this.name} did not answer "${kind}" within ${withinMs / 1000} s`);
    });
    late.catch(() => undefined);
    try {
      const heard = once(this.#child, 'message', { signal: patience.signal });
      const [message] = (await Promise.race([heard, this.#ended, late])) as [Readonly<Record<string, unknown>>];
      if (message['kind'] !== kind)
        throw new Error(`contender ${this.name} said "${String(message['kind'])}" instead of "${kind}"`);
      return message;
    } finally {
      patience.abort();
    }
  }
}
