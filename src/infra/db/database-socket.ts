import { EventEmitter } from 'node:events';
import { isIP, Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { TlsMode } from './tls-mode.ts';

/** Where to connect, as postgres.js has parsed it. */
export interface Address {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false | undefined;
}

const TLS_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const TLS_ACCEPTED = 0x53;
/** How the server's last message begins when it is done: ReadyForQuery. Its last byte says whether a transaction is open. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5]);
const IDLE = 0x49;
/** Bytes; statements are held back while more waits to be sent. What Node takes for much, 64 KiB, is less than a claim writes in one go. */
const MOST_UNSENT = 1 << 20;

/**
 * What postgres.js takes for its socket. It makes up for two things that postgres.js 3.4 does not do:
 * - It gives itself up when an answer does not come. postgres.js waits forever on a socket whose other end vanished without a
 *   word, and the server's `statement_timeout` does not reach us then.
 * - It tells of its end without the mark of an error, with what was about to be written out of the way. Otherwise the driver
 *   writes to a socket that it has forgotten, which ends the process (porsager/postgres#1154, #1208), or keeps half a message
 *   for the next connection, which then never speaks; and an unanswered query is not rejected.
 * TLS is negotiated here too, so that all of it holds under TLS.
 */
export class DatabaseSocket extends EventEmitter {
  /** postgres.js names the server by these in errors. */
  host: string | undefined;
  port: number | undefined;
  readonly #raw = new Socket();
  readonly #answerWithinMs: number;
  /** Speaks the protocol once TLS is settled; until then writes are kept. */
  #open: Socket | TLSSocket | null = null;
  #kept: { readonly chunk: Uint8Array; readonly done: (() => void) | undefined }[] = [];
  #sent = 0;
  /** How much had been sent when the server last said that it is idle. */
  #answered = -1;
  #hasFailed = false;

  constructor(answerWithinMs: number, tls: TlsMode) {
    super();
    this.#answerWithinMs = answerWithinMs;
    this.#raw.setNoDelay(true);
    this.#raw.setTimeout(answerWithinMs, () => this.#checkAnswer());
    this.#raw.on('error', (error) => this.#fail(error));
    this.#raw.on('close', () => setImmediate(() => this.#end()));
    this.#raw.once('connect', () => (tls.isWanted ? this.#negotiate(tls) : this.#begin(this.#raw)));
  }

  get readyState(): Socket['readyState'] {
    return this.#raw.readyState;
  }

  connect({
    host,
    port,
    path,
  }: {
    readonly host: string;
    readonly port: number;
    readonly path: string | undefined;
  }): this {
    this.host = host;
    this.port = port;
    if (path === undefined) this.#raw.connect(port, host);
    else this.#raw.connect(path);
    return this;
  }

  write(chunk: Uint8Array, done?: () => void): boolean {
    this.#sent += chunk.length;
    if (this.#open !== null) return this.#writeGathered(this.#open, chunk, done);
    this.#kept.push({ chunk, done });
    return true;
  }

  /** What is written in one turn goes out together: a statement of more than 1 KiB would else be a write of its own. */
  #writeGathered(open: Socket | TLSSocket, chunk: Uint8Array, done: (() => void) | undefined): boolean {
    if (open.writableCorked === 0) {
      open.cork();
      process.nextTick(() => open.uncork());
    }
    open.write(chunk, done);
    return open.writableLength < MOST_UNSENT;
  }

  end(chunk: Uint8Array): void {
    (this.#open ?? this.#raw).end(chunk);
  }

  destroy(error?: Error): void {
    this.#raw.destroy(error);
  }

  setKeepAlive(isOn: boolean, delayMs: number): void {
    this.#raw.setKeepAlive(isOn, delayMs);
  }

  #negotiate(tls: TlsMode): void {
    this.#raw.once('data', (answer) => {
      // One byte and no more: anything behind it was not sent by the server (CVE-2021-23222).
      if (answer.length !== 1) this.destroy(new Error('the database said more than it was asked for before TLS'));
      else if (answer[0] === TLS_ACCEPTED) this.#secure(tls);
      else if (tls.isRequired) this.destroy(new Error('the database does not speak TLS'));
      else this.#begin(this.#raw);
    });
    this.#raw.write(TLS_REQUEST);
  }

  #secure({ options }: TlsMode): void {
    const named = this.host !== undefined && isIP(this.host) === 0 ? { servername: this.host } : {};
    const secured = connectTls({ socket: this.#raw, ...named, ...options });
    secured.on('error', (error) => this.#fail(error));
    secured.once('secureConnect', () => this.#begin(secured));
  }

  #begin(open: Socket | TLSSocket): void {
    this.#open = open;
    open.on('data', (chunk: Buffer) => {
      const ready = chunk.lastIndexOf(READY);
      const status = ready < 0 ? undefined : chunk[ready + READY.length];
      if (status === IDLE && ready + READY.length === chunk.length - 1) this.#answered = this.#sent;
      this.emit('data', chunk);
    });
    open.on('drain', () => this.emit('drain'));
    for (const { chunk, done } of this.#kept) open.write(chunk, done);
    this.#kept = [];
  }

  #checkAnswer(): void {
    if (this.#answered === this.#sent) return;
    this.destroy(
      Object.assign(new Error(`the database was silent for ${this.#answerWithinMs} ms`), { code: 'ETIMEDOUT' }),
    );
  }

  #fail(error: Error): void {
    this.#hasFailed = true;
    if (this.listenerCount('error') > 0) this.emit('error', error);
    this.#raw.destroy();
  }

  #end(): void {
    // postgres.js would dial again at once and for ever where a server closes the door during the greeting.
    if (!this.#hasFailed && this.#answered < 0)
      this.#fail(Object.assign(new Error('the database closed the connection'), { code: 'ECONNRESET' }));
    withCancelledWritesDone(() => this.emit('close', false));
  }
}

/**
 * postgres.js gathers what it writes and sends it in an immediate. When its socket closes it clears the immediate, but goes on
 * believing that one is under way, so that the connection never writes again: not even its next greeting (3.4.9). No moment is
 * free of a statement that has just been gathered, so what it clears while `work` tells it of the end is run instead; the
 * socket, which it still has then, drops what it is given.
 */
function withCancelledWritesDone(work: () => void): void {
  const clear = globalThis.clearImmediate;
  globalThis.clearImmediate = (scheduled) => {
    globalThis.clearImmediate = clear;
    runNow(scheduled);
    clear(scheduled);
  };
  try {
    work();
  } finally {
    globalThis.clearImmediate = clear;
  }
}

/** Calls what an immediate would call; Node keeps it in a field without a name for others. */
function runNow(scheduled: object | null | undefined): void {
  if (scheduled !== null && scheduled !== undefined && '_onImmediate' in scheduled) {
    const immediate: { readonly _onImmediate: unknown } = scheduled;
    if (typeof immediate._onImmediate === 'function') immediate._onImmediate();
  }
}

/** Makes the `socket` option of postgres.js: each call dials, the next of the hosts when there are several. */
export function databaseSockets(answerWithinMs: number, tls: TlsMode): (address: Address) => DatabaseSocket {
  let turn = 0;
  return ({ host, port, path }) => {
    const at = turn++ % host.length;
    return new DatabaseSocket(answerWithinMs, tls).connect({
      host: host[at] ?? 'localhost',
      port: port[at] ?? port[0] ?? 5432,
      path: typeof path === 'string' ? path : undefined,
    });
  };
}
