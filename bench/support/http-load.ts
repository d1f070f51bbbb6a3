import { once } from 'node:events';
import { connect } from 'node:net';

/** One request as it goes over the wire. */
export interface WireRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token: string;
  readonly body?: string | undefined;
}

export interface Load {
  readonly perSecond: number;
  readonly medianMs: number;
}

const HEAD_END = '\r\n\r\n';

/**
 * Keeps `connections` sockets busy for `ms`, one request at a time on each. Written for as little CPU of its own as can be, as it shares the
 * machine with who is measured. Throws for an answer that is no 2xx.
 */
export async function load(
  port: number,
  requestOf: (index: number) => WireRequest,
  { connections, ms }: { readonly connections: number; readonly ms: number },
): Promise<Load> {
  const startedAt = performance.now();
  const endsAt = startedAt + ms;
  const tookMs: number[] = [];
  let index = 0;
  const worker = async (): Promise<void> => {
    const client = await WireClient.open(port);
    while (performance.now() < endsAt) {
      const sentAt = performance.now();
      await client.send(requestOf(index++));
      tookMs.push(performance.now() - sentAt);
    }
    client.close();
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const sorted = tookMs.toSorted((left, right) => left - right);
  const elapsedSec = (performance.now() - startedAt) / 1000;
  return { perSecond: tookMs.length / elapsedSec, medianMs: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN };
}

/** One kept-alive connection. */
export class WireClient {
  readonly #socket: ReturnType<typeof connect>;
  #heard = '';
  #answered: { resolve: (body: string) => void; reject: (error: Error) => void } | null = null;

  private constructor(socket: ReturnType<typeof connect>) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text: string) => this.#hear(text));
    socket.on('close', () => this.#answered?.reject(new Error('the server closed the connection')));
    socket.on('error', () => undefined);
  }

  static async open(port: number): Promise<WireClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new WireClient(socket);
  }

  /** The body of the answer. */
  send({ method, path, token, body }: WireRequest): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    if (this.#socket.destroyed) reject(new Error('the server closed the connection'));
    this.#answered = { resolve, reject };
    const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n`;
    const rest =
      body === undefined
        ? '\r\n'
        : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    this.#socket.write(head + rest, 'utf8');
    return promise;
  }

  close(): void {
    this.#answered = null;
    this.#socket.destroy();
  }

  #hear(text: string): void {
    this.#heard += text;
    const headLength = this.#heard.indexOf(HEAD_END);
    if (headLength < 0) return;
    const bodyLength = Number(/content-length: (\d+)/i.exec(this.#heard.slice(0, headLength))?.[1] ?? 0);
    const length = headLength + HEAD_END.length + bodyLength;
    if (this.#heard.length < length) return;
    const answer = this.#heard;
    this.#heard = '';
    if (answer.startsWith('HTTP/1.1 2')) this.#answered?.resolve(answer.slice(headLength + HEAD_END.length));
    else this.#answered?.reject(new Error(answer.slice(0, 1000)));
  }
}
