import type { Instant } from './instant.ts';

/**
 * Milliseconds by which a slot's due time is moved: the same on every node and after every restart, spread evenly over [0, maxMs),
 * or over the time up to the next slot where that is shorter. The slot itself does not move.
 */
export function jitterMs(scheduleId: string, slot: Instant, maxMs: number, nextSlot: Instant | null): number {
  const room = nextSlot === null ? maxMs : Math.min(maxMs, nextSlot - slot);
  return room > 0 ? Math.min(Math.floor(fractionOf(scheduleId, slot) * room), Math.ceil(room) - 1) : 0;
}

/** A number in [0, 1) from a 32-bit hash: murmur3's block step over the characters and the slot, then its finaliser. Stored due times depend on it. */
function fractionOf(scheduleId: string, slot: Instant): number {
  let hash = 0x9747_b28c;
  for (let index = 0; index < scheduleId.length; index++) hash = mixIn(hash, scheduleId.charCodeAt(index));
  hash = mixIn(hash, (slot % 2 ** 32) | 0);
  hash = mixIn(hash, Math.floor(slot / 2 ** 32) | 0);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

function mixIn(hash: number, word: number): number {
  const block = Math.imul(word, 0xcc9e_2d51);
  const mixed = hash ^ Math.imul((block << 15) | (block >>> 17), 0x1b87_3593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe654_6b64) | 0;
}
