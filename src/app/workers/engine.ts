import { crashPoint } from '#crash-point';
import type { Bell } from '../../domain/ports/bell.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { BackfillService } from '../../domain/services/backfill-service.ts';
import type { DeliveryService } from '../../domain/services/delivery-service.ts';
import type { FiringService } from '../../domain/services/firing-service.ts';
import type { RedriveService } from '../../domain/services/redrive-service.ts';
import type { SettlingService } from '../../domain/services/settling-service.ts';
import { Alarm } from './alarm.ts';
import type { Step } from './loop.ts';
import type { Loops } from './loops.ts';

/** How long a shutdown lets attempts in flight end by themselves. */
const DRAIN_MS = 25_000;
/** How long after that it waits for their outcomes to be written, and as long again for the loops to end. */
const SETTLE_MS = 2_000;
const LOOK_EVERY_MS = 20;

interface Parts {
  readonly firing: Pick<FiringService, 'fireDue' | 'fireWaiting' | 'recover' | 'renew' | 'lacksSlots' | 'lacksWaiting'>;
  readonly delivery: Pick<
    DeliveryService,
    'flying' | 'open' | 'beginDrain' | 'abortAll' | 'onEnded' | 'onRoom' | 'onFlight'
  >;
  readonly settling: Pick<SettlingService, 'settle' | 'watch' | 'onDue'>;
  readonly backfills: Pick<BackfillService, 'emit'>;
  readonly redrives: Pick<RedriveService, 'emit'>;
  readonly bell: Bell;
  readonly clock: Clock;
  readonly loops: Loops;
}

/** The background of a process: claim, deliver, settle, recover, renew, each a loop around one service call. */
export class Engine implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #fire = new Alarm();
  readonly #fireMore = new Alarm();
  readonly #waiting = new Alarm();
  readonly #settle = new Alarm();
  readonly #settleMore = new Alarm();
  readonly #watch = new Alarm();
  readonly #backfill = new Alarm();
  readonly #redrive = new Alarm();
  readonly #claiming = new AbortController();
  readonly #finishing = new AbortController();
  #claimers: readonly Promise<void>[] = [];
  #finishers: readonly Promise<void>[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Starts the loops. Under load a second claimer and a second settler overlap their round trips with the first's. */
  start(): void {
    const { firing, delivery, settling, backfills, redrives, bell } = this.#parts;
    delivery.onEnded = (waiting) => (waiting === 1 ? this.#settle : this.#settleMore).ring();
    delivery.onFlight = () => this.#watch.ring();
    delivery.onRoom = () => {
      if (firing.lacksSlots) this.#fire.ring();
      if (firing.lacksWaiting) this.#waiting.ring();
    };
    settling.onDue = () => this.#ringClaimers();
    bell.listen((due) => this.#heard(due), this.#claiming.signal);
    const stopClaiming = this.#claiming.signal;
    const stopFinishing = this.#finishing.signal;
    this.#claimers = [
      this.#run('fire', () => this.#fireFirst(), this.#fire, stopClaiming),
      this.#run('fire-more', () => this.#fireSecond(), this.#fireMore, stopClaiming),
      this.#run('waiting', () => firing.fireWaiting(), this.#waiting, stopClaiming),
      this.#run('recover', () => firing.recover(), new Alarm(), stopClaiming),
      this.#run('backfill', () => backfills.emit(), this.#backfill, stopClaiming),
      this.#run('redrive', () => redrives.emit(), this.#redrive, stopClaiming),
    ];
    this.#finishers = [
      this.#run('settle', () => settling.settle(), this.#settle, stopFinishing),
      this.#run('settle-more', () => settling.settle(), this.#settleMore, stopFinishing),
      this.#run('watch', () => settling.watch(), this.#watch, stopFinishing),
      this.#run('renew', () => firing.renew(), new Alarm(), stopFinishing),
    ];
  }

  /** Stops claiming, lets attempts end, settles them, gives the rest back; renewal stops last. Within 30 s, come what may. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#drain(this.#parts.clock.monotonic() + DRAIN_MS);
    } finally {
      // What could not be drained is left to the end of its lease.
      this.#claiming.abort();
      this.#finishing.abort();
    }
  }

  async #drain(deadline: number): Promise<void> {
    const { delivery, settling, bell } = this.#parts;
    crashPoint('shutdown.before-stop');
    this.#claiming.abort();
    await this.#until(this.#claimers, deadline);
    crashPoint('shutdown.after-claimers');
    // Nobody here claims any more: what is handed back is for the others, who hear of it as soon as it is written.
    settling.onDue = (due) => bell.ring(due);
    delivery.beginDrain();
    crashPoint('shutdown.after-handback');
    await this.#until(() => delivery.flying === 0, deadline);
    crashPoint('shutdown.after-flights');
    delivery.abortAll();
    await this.#until(() => delivery.open === 0, deadline + SETTLE_MS);
    crashPoint('shutdown.after-settle');
    this.#finishing.abort();
    await this.#until(this.#finishers, deadline + 2 * SETTLE_MS);
    crashPoint('shutdown.after-renewal');
  }

  /** A full batch calls the second claimer in. */
  async #fireFirst(): Promise<number> {
    const sleepMs = await this.#parts.firing.fireDue();
    if (sleepMs === 0) this.#fireMore.ring();
    return sleepMs;
  }

  /** Works while batches are full, then leaves the sleeping to the first claimer. */
  async #fireSecond(): Promise<number> {
    const isFirstTurn = this.#parts.delivery.open === 0;
    const sleepMs = isFirstTurn ? Number.POSITIVE_INFINITY : await this.#parts.firing.fireDue();
    if (sleepMs === 0) return 0;
    if (!isFirstTurn) this.#fire.ring();
    return Number.POSITIVE_INFINITY;
  }

  #run(name: string, step: Step, alarm: Alarm, signal: AbortSignal): Promise<void> {
    return this.#parts.loops.run({ name, step, alarm }, signal);
  }

  /** Something falls due at `due`: who sleeps beyond that wakes up. Backfills are due when they are asked for. */
  #heard(due: number): void {
    const { loops } = this.#parts;
    if (due < loops.wakesAt('fire')) this.#fire.ring();
    if (due < loops.wakesAt('waiting')) this.#waiting.ring();
    this.#backfill.ring();
    this.#redrive.ring();
  }

  #ringClaimers(): void {
    this.#fire.ring();
    this.#waiting.ring();
  }

  /** Resolves once the loops have ended or the fact is so, or at the deadline (monotonic). */
  async #until(what: readonly Promise<void>[] | (() => boolean), deadline: number): Promise<void> {
    let hasEnded = false;
    if (typeof what !== 'function') void Promise.all(what).then(() => (hasEnded = true));
    const isDone = typeof what === 'function' ? what : () => hasEnded;
    const never = new AbortController().signal;
    const check = async (): Promise<void> => {
      if (isDone() || this.#parts.clock.monotonic() > deadline) return;
      await new Alarm().sleep(LOOK_EVERY_MS, never);
      return check();
    };
    await check();
  }
}
