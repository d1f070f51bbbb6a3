import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it reached the receiver; written down before it was answered. */
export interface Received {
  readonly at: number;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly status: number;
}

/** Decides the answer to a request, and when; a request is written down when it came, before it is answered. */
export type Behaviour = (request: {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}) => number | Promise<number>;

/** A webhook receiver on loopback that keeps all it gets. */
export class Receiver implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly #server: Server;

  private constructor(behaviour: Behaviour) {
    this.#server = createServer((request, response) => this.#take(request, response, behaviour));
  }

  static async start(behaviour: Behaviour = () => 200): Promise<Receiver> {
    const receiver = new Receiver(behaviour);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(request: IncomingMessage, response: ServerResponse, behaviour: Behaviour): void {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const at = Date.now();
      const body = Buffer.concat(chunks).toString();
      const { url: path = '/', headers } = request;
      const answer = (status: number): void => {
        this.received.push({ at, path, headers, body, status });
        response.writeHead(status).end();
      };
      const status = behaviour({ path, headers, body });
      if (typeof status === 'number') answer(status);
      else status.then(answer, (error: unknown) => response.destroy(error instanceof Error ? error : undefined));
    });
  }
}
