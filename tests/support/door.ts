import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A door between a client and a server on this machine. `open` passes everything on; `silent` swallows it without a word, as a
 * network does that lost its way; `shut` breaks what is connected and refuses what comes.
 */
export class Door implements AsyncDisposable {
  #state: 'open' | 'silent' | 'shut' = 'open';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #muted = new WeakSet<Socket>();

  private constructor(target: URL) {
    this.#server = createServer((client) => this.#let(client, target));
  }

  static async to(url: string): Promise<Door> {
    const door = new Door(new URL(url));
    await new Promise<void>((resolve) => door.#server.listen(0, '127.0.0.1', resolve));
    return door;
  }

  set state(state: 'open' | 'silent' | 'shut') {
    // What a silent door swallowed is lost: its connections never speak again.
    if (state === 'shut' || this.#state === 'silent') for (const socket of this.#sockets) socket.destroy();
    this.#state = state;
  }

  /** What is connected now falls silent for good, as when the other side lost its power; what comes later passes. */
  muteConnected(): void {
    for (const socket of this.#sockets) this.#muted.add(socket);
  }

  /** The same address, through this door. */
  through(url: string): string {
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String((this.#server.address() as AddressInfo).port);
    return through.href;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #let(client: Socket, target: URL): void {
    if (this.#state === 'shut') {
      client.destroy();
      return;
    }
    const server = connect(Number(target.port === '' ? 5432 : target.port), target.hostname);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (chunk) => this.#isSilent(from) || to.write(chunk));
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        if (!this.#isSilent(from)) to.destroy();
      });
    }
  }

  #isSilent(from: Socket): boolean {
    return this.#state === 'silent' || this.#muted.has(from);
  }
}
