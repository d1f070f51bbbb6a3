import type { Lease } from '../ports/engine-store.ts';

/** A claim this process holds: how many of its runs are still to be settled, and until when it may act for them. */
export class HeldClaim {
  readonly lease: Lease;
  /** Monotonic instant after which this process must no longer act. */
  actUntil: number;
  isLost = false;
  /** Its last outcomes are being written, and its row goes with them: that a renewal does not find it means nothing. */
  isClosing = false;
  /** Its only run may have killed the process before: that this one began it is written down first. */
  readonly isSuspect: boolean;
  #unsettled: number;

  constructor(lease: Lease, runs: number, actUntil: number) {
    this.lease = lease;
    this.isSuspect = lease.recoveries > 0 && runs === 1;
    this.#unsettled = runs;
    this.actUntil = actUntil;
  }

  get unsettled(): number {
    return this.#unsettled;
  }

  /** `count` runs have been settled, durably. */
  settled(count: number): void {
    this.#unsettled -= count;
  }

  mayAct(monotonic: number): boolean {
    return !this.isLost && monotonic < this.actUntil;
  }
}
