import { type CompiledTrigger, nextSlot, slotsBetween } from '../time/compile.ts';
import type { SkippedSlots } from './timer.ts';

/** Skipped slots are counted exactly up to here. */
export const COUNT_CAP = 100_000;

/** The slots that have come due, from the first on: the latest ones, and the stretch before them. */
export interface DueSlots {
  readonly latest: readonly number[];
  readonly before: Omit<SkippedSlots, 'reason'> | null;
}

/** The slots from `first` (itself a due slot) up to `upTo` that are due, at most the `keep` latest. No slot's due time reaches the next slot. */
export function dueSlots(
  compiled: CompiledTrigger,
  { first, upTo, keep }: { readonly first: number; readonly upTo: number; readonly keep: number },
  isDue: (slot: number) => boolean,
): DueSlots {
  const { last: open } = upTo > first ? slotsBetween(compiled, first, upTo, COUNT_CAP) : { last: null };
  const last = open === null || isDue(open) ? (open ?? first) : lastBefore(compiled, first, open);
  const latest = latestSlots(compiled, first, last, keep);
  const [kept] = latest;
  if (kept === first) return { latest, before: null };
  const later = first === last ? 0 : slotsBetween(compiled, first, last, COUNT_CAP).count;
  const to = kept === undefined ? last : lastBefore(compiled, first, kept);
  return { latest, before: { from: first, to, count: later === null ? null : later + 1 - latest.length } };
}

/** The latest slot before `slot`, from the slot `from` on; `from` where there is none. */
function lastBefore(compiled: CompiledTrigger, from: number, slot: number): number {
  return slotsBetween(compiled, from, slot - 1, COUNT_CAP).last ?? from;
}

/** The latest slots from `first` to `last` (both slots), at most `keep`: by halving, however many lie before them. */
function latestSlots(compiled: CompiledTrigger, first: number, last: number, keep: number): readonly number[] {
  if (keep === 0) return [];
  if (keep === 1 || first === last) return [last];
  let from = first - 1;
  let enough = last;
  while (enough - from > 1000) {
    const middle = Math.floor((from + enough) / 2);
    const { count } = slotsBetween(compiled, middle, last, keep);
    if (count === null || count >= keep) from = middle;
    else enough = middle;
  }
  const slots: number[] = [];
  for (let slot = nextSlot(compiled, from); slot !== null && slot <= last; slot = nextSlot(compiled, slot)) {
    slots.push(slot);
  }
  return slots.slice(-keep);
}
