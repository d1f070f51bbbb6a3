import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { freePort } from '../../support/external-services.ts';

/** A way to a broker that a test can cut. */
export class BrokerProxy {
  /** The broker's, through here. */
  readonly url: string;
  /** How many connections there have been. */
  connections = 0;
  readonly #to: URL;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<Socket>();
  #isMuted = false;
  #cutAt: string | null = null;
  #answer: { readonly at: Buffer; readonly more: Buffer } | null = null;
  #server: Server | null = null;

  private constructor(to: URL, port: number) {
    this.#to = to;
    this.#port = port;
    const through = new URL(to);
    [through.hostname, through.port] = ['127.0.0.1', String(port)];
    this.url = through.href;
  }

  /** Ends with the test. */
  static async start(to: string): Promise<BrokerProxy> {
    const proxy = new BrokerProxy(new URL(to), await freePort());
    await proxy.start();
    onTestFinished(() => proxy.stop());
    return proxy;
  }

  /** How many connections are open. */
  get open(): number {
    return this.#clients.size;
  }

  async start(): Promise<void> {
    this.#server = createServer((client) => this.#let(client)).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Cuts every connection and takes no new one. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => (this.#server === null ? resolve(null) : this.#server.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Swallows what is sent from here on. */
  mute(): void {
    this.#isMuted = true;
  }

  /** Cuts a connection as soon as its client says this. */
  cutAt(text: string): void {
    this.#cutAt = text;
  }

  /** Once, as soon as the broker says the one, its client hears the other in the same breath. */
  answer(at: Buffer, more: Buffer): void {
    this.#answer = { at, more };
  }

  /** Says this to every client, as if the broker had. */
  inject(bytes: Buffer): void {
    for (const client of this.#clients) client.write(bytes);
  }

  #let(client: Socket): void {
    this.connections += 1;
    this.#clients.add(client);
    const upstream = connect(Number(this.#to.port), this.#to.hostname);
    for (const end of [client, upstream]) {
      this.#sockets.add(end);
      end.on('error', () => undefined).on('close', () => this.#sockets.delete(end));
    }
    client.on('data', (bytes) => {
      if (this.#cutAt !== null && bytes.includes(this.#cutAt)) client.destroy();
      else if (!this.#isMuted) upstream.write(bytes);
    });
    upstream.on('data', (bytes: Buffer) => {
      if (!this.#isMuted) client.write(this.#withAnswer(bytes));
    });
    client.on('close', () => this.#clients.delete(client)).on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  }

  #withAnswer(bytes: Buffer): Buffer {
    if (this.#answer === null || !bytes.includes(this.#answer.at)) return bytes;
    const { more } = this.#answer;
    this.#answer = null;
    return Buffer.concat([bytes, more]);
  }
}
