import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { findBinary, freePort, withoutOrphans } from '../support/external-services.ts';
import { until } from '../support/until.ts';
import type { Published } from './history.ts';

/** A NATS server of our own that can be killed and started again on the same data. */
export class Broker implements AsyncDisposable {
  readonly url: string;
  readonly #binary: string;
  readonly #dir: string;
  readonly #port: number;
  #server: ChildProcess | null = null;

  private constructor(binary: string, dir: string, port: number) {
    this.#binary = binary;
    this.#dir = dir;
    this.#port = port;
    this.url = `nats://127.0.0.1:${port}`;
  }

  /** Not started yet; null where no server is installed. */
  static async prepare(): Promise<Broker | null> {
    const binary = findBinary('nats-server');
    if (binary === undefined) return null;
    return new Broker(binary, await mkdtemp(join(tmpdir(), `scheduler-tests-${process.pid}-nats-`)), await freePort());
  }

  /** Does nothing while it runs. */
  async start(): Promise<void> {
    if (this.#isRunning) return;
    const args = `-a 127.0.0.1 -p ${this.#port} -js -sd ${this.#dir}`.split(' ');
    const [command, ...rest] = withoutOrphans(this.#binary, args);
    this.#server = spawn(command, rest, { stdio: 'ignore' });
    await until('NATS answers', () => answers(this.#port));
  }

  /** Null while it does not run. */
  get pid(): number | null {
    return this.#isRunning ? (this.#server?.pid ?? null) : null;
  }

  get #isRunning(): boolean {
    return this.#server !== null && this.#server.exitCode === null && this.#server.signalCode === null;
  }

  async kill(): Promise<void> {
    const server = this.#server;
    if (server === null || !this.#isRunning) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  }

  /** Every message that the streams of the service keep. */
  async messages(): Promise<readonly Published[]> {
    const connection = await connectNats({ servers: this.url });
    try {
      const manager = await jetstreamManager(connection);
      const published: Published[] = [];
      for await (const { config, state } of manager.streams.list()) {
        published.push(...(await this.#read(manager, config.name, state.first_seq, state.last_seq)));
      }
      return published;
    } finally {
      await connection.close();
    }
  }

  async #read(
    manager: Awaited<ReturnType<typeof jetstreamManager>>,
    stream: string,
    first: number,
    last: number,
  ): Promise<readonly Published[]> {
    const published: Published[] = [];
    for (let seq = first; seq <= last; seq += 1) {
      const message = await manager.streams.getMessage(stream, { seq }).catch(() => null);
      if (message === null) continue;
      published.push({ runId: message.header.get('Nats-Msg-Id'), at: message.time.getTime() });
    }
    return published;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}
