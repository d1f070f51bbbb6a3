/** Index of the lowest set bit of a word that is not 0. */
export function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** The set bits at `index` and above; `index` may be 32. */
export function bitsFrom(word: number, index: number): number {
  return index > 31 ? 0 : word & (-1 << index);
}

/** How many bits are set (Hacker's Delight, figure 5-2). */
export function countBits(word: number): number {
  let sum = word - ((word >>> 1) & 0x5555_5555);
  sum = (sum & 0x3333_3333) + ((sum >>> 2) & 0x3333_3333);
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** Index of the set bit that has `rank` set bits below it. */
export function bitAtRank(word: number, rank: number): number {
  let rest = word;
  for (let skipped = 0; skipped < rank; skipped++) rest &= rest - 1;
  return lowestBit(rest);
}
