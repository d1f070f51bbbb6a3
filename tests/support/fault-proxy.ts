import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What a proxy does with what passes through it. `blackhole` swallows both ways without a word, `deaf` what the client sends,
 * `mute` what the server answers; `reset` breaks what is connected and refuses what comes; `delay` holds every byte back;
 * `cut` breaks a connection after so many bytes from the server, often in the middle of an answer.
 */
export type ProxyMode =
  | { readonly kind: 'pass' | 'blackhole' | 'deaf' | 'mute' | 'reset' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'cut'; readonly bytes: number };

/** A TCP proxy on loopback between a client and a server, whose network can be broken in many ways. */
export class FaultProxy implements AsyncDisposable {
  #mode: ProxyMode = { kind: 'pass' };
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<Pair>();

  private constructor(target: URL) {
    this.#target = { host: target.hostname, port: Number(target.port) };
    this.#server = createServer((client) => this.#let(client));
  }

  static async to(url: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(new URL(url));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** The same address, through this proxy. */
  through(url: string): string {
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String((this.#server.address() as AddressInfo).port);
    return through.href;
  }

  /** From now on; connections that lost bytes to the mode before never speak again. */
  set mode(mode: ProxyMode) {
    for (const pair of this.#pairs) if (mode.kind === 'reset' || pair.hasLost) pair.break();
    this.#mode = mode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of this.#pairs) pair.break();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #let(client: Socket): void {
    if (this.#mode.kind === 'reset') {
      client.resetAndDestroy();
      return;
    }
    const pair = new Pair(client, connect(this.#target.port, this.#target.host), () => this.#mode);
    this.#pairs.add(pair);
    client.once('close', () => this.#pairs.delete(pair));
  }
}

/** A client's connection and ours to the server. */
class Pair {
  hasLost = false;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #mode: () => ProxyMode;
  readonly #held = { up: [] as Buffer[], down: [] as Buffer[] };
  #answered = 0;

  constructor(client: Socket, server: Socket, mode: () => ProxyMode) {
    this.#client = client;
    this.#server = server;
    this.#mode = mode;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
    }
    client.on('data', (chunk: Buffer) => this.#pass(chunk, 'up'));
    server.on('data', (chunk: Buffer) => this.#pass(chunk, 'down'));
    client.once('close', () => this.#closed(server));
    server.once('close', () => this.#closed(client));
  }

  break(): void {
    this.#client.resetAndDestroy();
    this.#server.destroy();
  }

  #pass(chunk: Buffer, way: 'up' | 'down'): void {
    const mode = this.#mode();
    const to = way === 'up' ? this.#server : this.#client;
    switch (mode.kind) {
      case 'blackhole':
        this.hasLost = true;
        return;
      case 'deaf':
      case 'mute':
        if ((mode.kind === 'deaf') === (way === 'up')) this.hasLost = true;
        else to.write(chunk);
        return;
      case 'delay':
        this.#hold(chunk, to, way, mode.ms);
        return;
      case 'cut':
        this.#cut(chunk, to, way === 'down' ? mode.bytes : Number.POSITIVE_INFINITY);
        return;
      case 'pass':
      case 'reset':
        if (this.#held[way].length > 0) this.#hold(chunk, to, way, 0);
        else to.write(chunk);
    }
  }

  /** Bytes never overtake each other: whichever timer fires first sends what has waited longest. */
  #hold(chunk: Buffer, to: Socket, way: 'up' | 'down', ms: number): void {
    const held = this.#held[way];
    held.push(chunk);
    const send = (): void => {
      const first = held.shift();
      if (first !== undefined) to.write(first);
    };
    setTimeout(send, ms);
  }

  #cut(chunk: Buffer, to: Socket, most: number): void {
    this.#answered += most === Number.POSITIVE_INFINITY ? 0 : chunk.length;
    const surplus = this.#answered - most;
    to.write(surplus > 0 ? chunk.subarray(0, Math.max(0, chunk.length - surplus)) : chunk);
    if (surplus > 0) setImmediate(() => this.break());
  }

  /** While the network swallows, nobody learns that the other side has gone. */
  #closed(other: Socket): void {
    const { kind } = this.#mode();
    if (kind !== 'blackhole' && kind !== 'deaf' && kind !== 'mute') other.destroy();
    else this.hasLost = true;
  }
}
