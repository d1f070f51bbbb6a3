import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { crashPoint } from '#crash-point';
import type { Outcome } from '../../domain/entities/run.ts';
import type { StopSignal } from '../../domain/ports/sender.ts';
import { endedBySignal } from './ended-attempt.ts';
import { outcomeOfAnswer } from './http-answer.ts';

/** A success is read to its end or to here, so that the connection can be used again. */
const MAX_READ_BYTES = 64 * 1024;
/** Of a failure's body, this much is kept. */
const MAX_KEPT_BYTES = 4 * 1024;
/** Nobody reads it: one for all, as making an error costs more than the rest of an exchange. */
const STOPPED = new Error('the exchange has ended');

const NO_HEADERS: IncomingHttpHeaders = {};

/**
 * One request and its answer, as undici's dispatcher calls it back. Settles exactly once, at the latest when the signal
 * aborts; after that nothing of the answer is read and the request is stopped even if it still waits for a connection.
 */
export class HttpExchange implements Dispatcher.DispatchHandler {
  readonly outcome: Promise<Outcome>;
  readonly #signal: StopSignal;
  readonly #now: () => number;
  readonly #told: (outcome: Outcome) => Outcome;
  readonly #settle: (outcome: Outcome) => void;
  readonly #reject: (error: unknown) => void;
  #isSettled = false;
  #controller: Dispatcher.DispatchController | null = null;
  /** The whole request was handed to the socket: from here on the target may have acted on it. */
  #isSent = false;
  #status = 0;
  #headers: IncomingHttpHeaders = NO_HEADERS;
  #readBytes = 0;
  #keptBytes = 0;
  #beginning: Buffer[] | null = null;

  /** `now` is epoch ms; `told`: an outcome that is no success, as it may be told. */
  constructor(signal: StopSignal, now: () => number, told: (outcome: Outcome) => Outcome) {
    this.#signal = signal;
    this.#now = now;
    this.#told = told;
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    this.outcome = promise;
    this.#settle = resolve;
    this.#reject = reject;
    signal.addEventListener('abort', this, { once: true });
  }

  /** The signal aborted. A failure's status is an answer even when its body never ends. */
  handleEvent(): void {
    this.#stop(() => (this.#isRefusal() ? this.#answered() : endedBySignal(this.#signal, this.#isSent)));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isSettled) controller.abort(STOPPED);
  }

  onRequestSent(): void {
    this.#isSent = true;
    crashPoint('deliver.after-request');
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number, headers: IncomingHttpHeaders): void {
    if (statusCode < 200) return;
    this.#status = statusCode;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#readBytes += chunk.byteLength;
    const isRefusal = this.#isRefusal();
    if (isRefusal && this.#keptBytes < MAX_KEPT_BYTES) {
      const kept = Buffer.from(chunk.subarray(0, MAX_KEPT_BYTES - this.#keptBytes));
      this.#beginning ??= [];
      this.#beginning.push(kept);
      this.#keptBytes += kept.byteLength;
    }
    if (this.#readBytes >= MAX_READ_BYTES) this.#stop(() => this.#answered());
  }

  onResponseEnd(): void {
    this.#end(() => this.#answered());
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#end(() => (this.#isRefusal() ? this.#answered() : outcomeOfError(error, this.#isSent)));
  }

  #isRefusal(): boolean {
    return this.#status >= 300;
  }

  #answered(): Outcome {
    return outcomeOfAnswer(
      { status: this.#status, headers: this.#headers, beginning: this.#beginning ?? [] },
      this.#now(),
    );
  }

  #stop(outcome: () => Outcome): void {
    this.#end(outcome);
    this.#controller?.abort(STOPPED);
  }

  /** What goes wrong in telling the outcome rejects it: undici, which calls, would take it for a failure of the answer. */
  #end(make: () => Outcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#signal.removeEventListener('abort', this);
    try {
      const outcome = make();
      this.#settle(outcome.kind === 'accepted' ? outcome : this.#told(outcome));
    } catch (error) {
      this.#reject(error);
    }
  }
}

/** What went wrong between the two ends, in words that hold no address. */
const NETWORK_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name lookup failed',
  ETIMEDOUT: 'connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
  UND_ERR_MAX_ORIGINS_REACHED: 'too many destinations at once',
  UND_ERR_HEADERS_OVERFLOW: 'response headers too large',
  UND_ERR_SOCKET: 'connection closed before an answer came',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'response shorter or longer than it said',
};

function outcomeOfError(error: Error, possibleDuplicate: boolean): Outcome {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'EGRESS_DENIED')
    return { kind: 'refused', attempt: 'EGRESS_DENIED', why: 'EGRESS', reason: error.message };
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
    return {
      kind: 'refused',
      attempt: 'REFUSED',
      why: 'REFUSED',
      reason: `the request cannot be made: ${error.message}`,
    };
  }
  if (code.startsWith('HPE_'))
    return { kind: 'unanswered', attempt: 'NETWORK', reason: 'the answer is not HTTP', possibleDuplicate };
  const reason = NETWORK_REASONS[code] ?? (/^[A-Z0-9_]{3,60}$/.test(code) ? `network error ${code}` : 'network error');
  return { kind: 'unanswered', attempt: 'NETWORK', reason, possibleDuplicate };
}
