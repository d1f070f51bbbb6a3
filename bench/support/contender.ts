import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What one round of a contender measured, in its own process. */
export interface Round {
  readonly jobs: number;
  /** From the start signal to the last durable end of a job, ms. */
  readonly wallMs: number;
  /** CPU of the node process during the round, ms. */
  readonly nodeCpuMs: number;
  readonly extra?: Readonly<Record<string, number>>;
}

/** A contender's side: prepares, waits for each start, answers each round. Called once by the contender's file. */
export async function contend(contender: { prepare(): Promise<void>; round(): Promise<{ jobs: number; extra?: Record<string, number> }>; close(): Promise<void> }): Promise<void> {
  const send = (message: unknown): void => {
    process.send?.(message);
  };
  process.on('message', (message: { readonly kind: string }) => {
    const act = async (): Promise<void> => {
      if (message.kind === 'prepare') {
        await contender.prepare();
        send({ kind: 'prepared' });
      } else if (message.kind === 'go') {
        const cpu = process.cpuUsage();
        const startedAt = performance.now();
        const { jobs, extra } = await contender.round();
        const wallMs = performance.now() - startedAt;
        const used = process.cpuUsage(cpu);
        send({ kind: 'round', round: { jobs, wallMs, nodeCpuMs: (used.user + used.system) / 1000, ...(extra !== undefined && { extra }) } });
      } else {
        await contender.close();
        process.exit(0);
      }
    };
    act().catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
  send({ kind: 'up' });
}

/** The orchestrator's side of one contender process. */
export class Contender {
  readonly name: string;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
  }

  static async start(name: string, environment: Readonly<Record<string, string>>): Promise<Contender> {
    const file = fileURLToPath(new URL(`../contenders/${name}.ts`, import.meta.url));
    const child = fork(file, [], { env: { ...process.env, ...environment }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const contender = new Contender(name, child);
    await contender.#answer('up');
    return contender;
  }

  async prepare(): Promise<void> {
    this.#child.send({ kind: 'prepare' });
    await this.#answer('prepared');
  }

  async round(): Promise<Round> {
    this.#child.send({ kind: 'go' });
    return (await this.#answer('round'))['round'] as Round;
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.send({ kind: 'close' });
    await gone;
  }

  async #answer(kind: string): Promise<Record<string, unknown>> {
    const failed = once(this.#child, 'exit').then(([code]: unknown[]) => {
      throw new Error(`${this.name} ended with ${String(code)}`);
    });
    failed.catch(() => undefined);
    for (;;) {
      const [message] = (await Promise.race([once(this.#child, 'message'), failed])) as [Record<string, unknown>];
      if (message['kind'] === kind) return message;
    }
  }
}
