/** How far below the last claimed due time a claim looks; dead index entries before it cost nothing. */
const MARGIN_MS = 2000;
/** How often a claim looks at all due times nevertheless: what another process left behind lies below. */
const FULL_SCAN_EVERY_MS = 5000;

/** One claim under way: what it looks at, and the earliest due time that a claim which ended meanwhile has left. */
export interface ClaimTurn {
  readonly low: number;
  readonly isFullScan: boolean;
  left: number;
}

/**
 * Below which due time (epoch ms) a claim need not look. It follows the batches claimed here, but never passes a timer that
 * one of them wrote back: a schedule that catches up is due in the past again.
 */
export class ClaimWatermark {
  readonly #monotonic: () => number;
  readonly #turns = new Set<ClaimTurn>();
  #low = Number.NEGATIVE_INFINITY;
  #scannedAt = Number.NEGATIVE_INFINITY;
  /** The last claim found nothing above the watermark: the next one looks below it too. */
  #mayBeBelow = false;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  begin(): ClaimTurn {
    const isFullScan = this.#mayBeBelow || this.#monotonic() - this.#scannedAt >= FULL_SCAN_EVERY_MS;
    const turn = { low: isFullScan ? 0 : Math.max(0, this.#low), isFullScan, left: Number.POSITIVE_INFINITY };
    this.#turns.add(turn);
    return turn;
  }

  /** The claim has failed: nothing was learnt. */
  giveUp(turn: ClaimTurn): void {
    this.#turns.delete(turn);
  }

  /** The claim has committed: `last` is the latest due time it took, null for none, `next` those it wrote back. Answers whether more may lie below. */
  end(turn: ClaimTurn, last: number | null, next: readonly number[]): boolean {
    this.#turns.delete(turn);
    const left = next.reduce((earliest, due) => Math.min(earliest, due), Number.POSITIVE_INFINITY);
    for (const other of this.#turns) other.left = Math.min(other.left, left);
    if (turn.isFullScan) this.#scannedAt = this.#monotonic();
    if (last !== null) this.#low = Math.min(last, left, turn.left) - MARGIN_MS;
    this.#mayBeBelow = last === null && !turn.isFullScan;
    return this.#mayBeBelow;
  }
}
