import { type CompiledTrigger, nextSlot, slotsBetween } from '../time/compile.ts';

/** Skipped slots are counted exactly up to here. */
export const COUNT_CAP = 100_000;

/** The latest slot before `slot`, from the slot `from` on; `from` where there is none. */
export function lastBefore(compiled: CompiledTrigger, from: number, slot: number): number {
  return slotsBetween(compiled, from, slot - 1, COUNT_CAP).last ?? from;
}

/** The latest slots from `first` to `last` (both slots), at most `keep`: by halving, however many lie before them. */
export function latestSlots(compiled: CompiledTrigger, first: number, last: number, keep: number): readonly number[] {
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
