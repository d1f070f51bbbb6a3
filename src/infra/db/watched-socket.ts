import { Socket } from 'node:net';

/** Where to connect, as postgres.js has parsed it. */
export interface Address {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false | undefined;
  readonly ssl?: unknown;
}

/** How the server's last message ends when it is done and no transaction is open: ReadyForQuery, idle. */
const IDLE = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/**
 * A connection to the database that gives itself up when an answer does not come. postgres.js waits forever on a socket whose
 * other end vanished without a word, and the server's `statement_timeout` does not reach us then. Under TLS answers cannot be
 * told from silence, so a quiet connection is given up as well; the pool opens another one when it needs it.
 */
export class WatchedSocket extends Socket {
  /** postgres.js names the server by these, in TLS and in errors. */
  host: string | undefined;
  port: number | undefined;
  readonly #answerWithinMs: number;
  readonly #isSecure: boolean;
  /** Bytes sent when the server last said that it is idle. */
  #answered = -1;

  constructor(answerWithinMs: number, isSecure: boolean) {
    super();
    this.#answerWithinMs = answerWithinMs;
    this.#isSecure = isSecure;
    this.setTimeout(answerWithinMs);
    this.setNoDelay(true);
  }

  // Overridden rather than listened to: postgres.js removes all listeners before it speaks TLS.
  override emit(event: string | symbol, ...values: unknown[]): boolean {
    const [chunk] = values;
    if (event === 'data' && chunk instanceof Buffer && chunk.subarray(-IDLE.length).equals(IDLE)) this.#answered = this.bytesWritten;
    if (event === 'timeout' && (this.#isSecure || this.#answered !== this.bytesWritten)) {
      this.destroy(Object.assign(new Error(`the database was silent for ${this.#answerWithinMs} ms`), { code: 'ETIMEDOUT' }));
    }
    return super.emit(event, ...values);
  }
}

/** Makes the `socket` option of postgres.js: each call connects, to the next of the hosts when there are several. */
export function watchedSockets(answerWithinMs: number): (address: Address) => WatchedSocket {
  let turn = 0;
  return ({ host, port, path, ssl }) => {
    const socket = new WatchedSocket(answerWithinMs, ssl !== undefined && ssl !== false);
    if (typeof path === 'string') return socket.connect(path);
    const at = turn++ % host.length;
    socket.host = host[at] ?? 'localhost';
    socket.port = port[at] ?? port[0] ?? 5432;
    return socket.connect(socket.port, socket.host);
  };
}
