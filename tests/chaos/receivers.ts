import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Delivery, Plan, Temper } from './history.ts';

/** What a receiver does with one request. `after`: how long it waits; `LATE` and `HANG` outlast the attempt's deadline. */
interface Answer {
  readonly status: number;
  readonly how: 'WHOLE' | 'HANG' | 'DRIP' | 'RESET' | 'LATE';
  readonly afterMs: number;
  readonly retryAfterSec?: number;
}

/** A webhook receiver that writes each request down before it does what its plan's temper says. */
export class Receivers implements AsyncDisposable {
  readonly log: Delivery[] = [];
  /** While true the fickle receivers answer 503 to everything. */
  isDown = false;
  /** By plan: how often in a row it has failed. */
  readonly #failures = new Map<number, number>();
  readonly #server: Server;
  readonly #plans: readonly Plan[];
  readonly #seed: number;

  private constructor(plans: readonly Plan[], seed: number) {
    this.#plans = plans;
    this.#seed = seed;
    this.#server = createServer((request, response) => this.#take(request, response));
    this.#server.keepAliveTimeout = 60_000;
  }

  static async start(plans: readonly Plan[], seed: number): Promise<Receivers> {
    const receivers = new Receivers(plans, seed);
    await new Promise<void>((resolve) => receivers.#server.listen(0, '0.0.0.0', resolve));
    return receivers;
  }

  /** Where a plan's deliveries go, an origin of its own; the mark tells which definition sent them. */
  urlOf(plan: number, mark: number): string {
    const host = `127.1.${Math.floor(plan / 250)}.${1 + (plan % 250)}`;
    return `http://${host}:${(this.#server.address() as AddressInfo).port}/hook/${plan}/${mark}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const [, , plan = '', mark = ''] = (request.url ?? '').split('/');
      const header = (name: string): string => String(request.headers[name] ?? '');
      const attempt = Number(header('x-scheduler-attempt'));
      const runId = header('webhook-id');
      const answer = this.#answerTo(this.#plans[Number(plan)], runId, attempt);
      this.log.push({
        runId,
        scheduleId: header('x-scheduler-schedule-id'),
        slot: Date.parse(header('x-scheduler-scheduled-for')),
        attempt,
        plan: Number(plan),
        pathMark: Number(mark),
        body: Buffer.concat(chunks).toString(),
        at: Date.now(),
        status: answer.status,
        whole: answer.how === 'WHOLE',
      });
      setTimeout(() => act(response, answer), answer.afterMs);
    });
  }

  #answerTo(plan: Plan | undefined, runId: string, attempt: number): Answer {
    if (plan === undefined) return { status: 404, how: 'WHOLE', afterMs: 0 };
    if (this.isDown && plan.isFickle) return { status: 503, how: 'WHOLE', afterMs: 0 };
    const answer = TEMPERS[plan.temper](chance(`${this.#seed} ${runId} ${attempt}`), plan.timeoutSec * 1000);
    const failures = isFailure(answer) ? (this.#failures.get(plan.index) ?? 0) + 1 : 0;
    this.#failures.set(plan.index, failures > MOST_FAILURES ? 0 : failures);
    return failures > MOST_FAILURES ? { status: 200, how: 'WHOLE', afterMs: 0 } : answer;
  }
}

/** Fewer than open a breaker: those are for the outages of fickle receivers. */
const MOST_FAILURES = 3;

function isFailure({ status, how }: Answer): boolean {
  return how !== 'WHOLE' || status >= 500 || status === 429;
}

const whole = (status: number, afterMs = 0): Answer => ({ status, how: 'WHOLE', afterMs });

const TEMPERS: Readonly<Record<Temper, (dice: number, timeoutMs: number) => Answer>> = {
  good: () => whole(200),
  flaky: (dice) => {
    if (dice < 0.6) return whole(dice < 0.3 ? 200 : 204, dice * 50);
    return dice < 0.8 ? whole(503) : { ...whole(429), retryAfterSec: 1 };
  },
  slow: (dice) => whole(200, 100 + dice * 1_500),
  hostile: (dice, timeoutMs) => {
    if (dice < 0.6) return whole(200);
    if (dice < 0.7) return { status: 200, how: 'HANG', afterMs: 0 };
    if (dice < 0.8) return { status: 200, how: 'DRIP', afterMs: 0 };
    if (dice < 0.9) return { status: 200, how: 'RESET', afterMs: 0 };
    return { status: 200, how: 'LATE', afterMs: timeoutMs + 500 };
  },
  gone: (dice) => whole(dice < 0.1 ? 410 : 200),
  refusing: (dice) => whole(dice < 0.2 ? 400 : dice < 0.3 ? 302 : 200),
};

function act(response: ServerResponse, { status, how, afterMs, retryAfterSec }: Answer): void {
  const headers = retryAfterSec === undefined ? {} : { 'retry-after': String(retryAfterSec) };
  switch (how) {
    case 'HANG':
      return;
    case 'WHOLE':
    case 'LATE':
      response.writeHead(status, headers).end();
      return;
    case 'RESET':
      response.writeHead(status, { 'content-length': '100' }).write('half of it', () => response.destroy());
      return;
    case 'DRIP':
      drip(response, status, afterMs);
  }
}

function drip(response: ServerResponse, status: number, sent: number): void {
  if (sent === 0) response.writeHead(status, { 'content-length': '1000000' });
  if (response.destroyed || sent > 100) return;
  response.write('.');
  setTimeout(() => drip(response, status, sent + 1), 300);
}

/** In [0, 1), the same for the same text (FNV-1a, murmur3's finish). */
export function chance(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4_294_967_296;
}
