import type { TenantId } from '../../domain/ids.ts';

/** How far below the last claimed due time a claim looks; dead index entries before it cost nothing. */
const MARGIN_MS = 2000;
/** How often a claim looks at all due times nevertheless … */
const FULL_SCAN_EVERY_MS = 5000;
/** … unless that takes long, as with many due slots of tenants that are left out: then at most this part of the time. */
const FULL_SCAN_PART = 20;

/** One claim under way, and from where it looks, epoch ms: `low` for live slots, `lateLow` for late ones. */
export interface Scan {
  readonly low: number;
  readonly lateLow: number;
  readonly isFull: boolean;
  readonly excluded: readonly TenantId[];
  /** The earliest due time in the past that a claim which ended meanwhile has written. */
  movedTo: number;
}

/** What a claim found. Instants are epoch ms; an `upTo` is the last one looked at, null where nothing was looked for. */
export interface Findings {
  readonly live: { readonly count: number; readonly upTo: number };
  readonly late: { readonly upTo: number } | null;
  /** The earliest of the due times that the claim wrote, else Infinity. */
  readonly movedTo: number;
  readonly tookMs: number;
}

interface Mark {
  readonly low: number;
  readonly lateLow: number;
}

/**
 * Where claims of due slots begin to look. What is due below a mark was claimed, is held by another node, or belongs to
 * tenants that were left out when the mark was set: such a mark holds only while these are left out still. Without it a
 * claim would pass over all due slots of a crowding tenant each time. A full scan, now and then, finds what was written behind.
 */
export class Watermarks {
  readonly #monotonic: () => number;
  readonly #scans = new Set<Scan>();
  #all: Mark = { low: 0, lateLow: 0 };
  #others: (Mark & { readonly excluded: readonly TenantId[] }) | null = null;
  #scannedAt = Number.NEGATIVE_INFINITY;
  #fullScanMs = 0;
  /** The last claim found nothing above the mark: the next one looks below it too. */
  #mayBeBelow = false;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  begin(excluded: readonly TenantId[]): Scan {
    const scan = { ...this.#start(excluded), excluded, movedTo: Number.POSITIVE_INFINITY };
    this.#scans.add(scan);
    return scan;
  }

  /** The claim has failed: nothing was learnt. */
  giveUp(scan: Scan): void {
    this.#scans.delete(scan);
  }

  /** The claim has committed. Answers whether more may lie below what it looked at. No mark passes a timer that a claim wrote back meanwhile. */
  end(scan: Scan, findings: Findings): boolean {
    this.#scans.delete(scan);
    for (const other of this.#scans) other.movedTo = Math.min(other.movedTo, findings.movedTo);
    this.#learn(scan, { ...findings, movedTo: Math.min(scan.movedTo, findings.movedTo) - MARGIN_MS });
    return this.#mayBeBelow;
  }

  #start(excluded: readonly TenantId[]): Pick<Scan, 'low' | 'lateLow' | 'isFull'> {
    const everyMs = Math.max(FULL_SCAN_EVERY_MS, this.#fullScanMs * FULL_SCAN_PART);
    if (this.#mayBeBelow || this.#monotonic() - this.#scannedAt >= everyMs) return { low: 0, lateLow: 0, isFull: true };
    const others = this.#others;
    const isHolding =
      others !== null && excluded.length > 0 && others.excluded.every((tenantId) => excluded.includes(tenantId));
    const { low, lateLow } = isHolding ? others : this.#all;
    return { low, lateLow, isFull: false };
  }

  #learn(scan: Scan, { live, late, movedTo, tookMs }: Findings): void {
    if (scan.isFull) {
      this.#scannedAt = this.#monotonic();
      this.#fullScanMs = tookMs;
    }
    const lateLow = Math.min(late === null ? scan.lateLow : late.upTo - MARGIN_MS, movedTo);
    if (scan.excluded.length > 0) {
      const low = Math.min(live.upTo - MARGIN_MS, movedTo);
      this.#others = { low, lateLow, excluded: scan.excluded };
      this.#all = { low: Math.min(this.#all.low, movedTo), lateLow: Math.min(this.#all.lateLow, movedTo) };
      this.#mayBeBelow = false;
      return;
    }
    const low = Math.min(live.count > 0 ? live.upTo - MARGIN_MS : this.#all.low, movedTo);
    this.#all = { low: Math.max(0, low), lateLow: Math.max(0, lateLow) };
    this.#mayBeBelow = live.count === 0 && !scan.isFull;
  }
}
