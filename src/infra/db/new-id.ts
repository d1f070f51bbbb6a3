import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const BYTES = 16;
/** Random bytes for many ids: to draw them costs five times what else an id does. */
const pool = new Uint8Array(BYTES * 256);
let drawn = pool.length;
let msecs = 0;
let seq = 0;

/** A fresh UUID v7. Those of one process ascend, also within a millisecond and when the clock goes back. */
export function newId(): string {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  const random = pool.subarray(drawn, drawn + BYTES);
  drawn += BYTES;
  const now = Date.now();
  if (now > msecs) {
    msecs = now;
    // Half of the counter's range is left to count in.
    seq = Buffer.from(random.buffer, random.byteOffset, 4).readUInt32BE() >>> 1;
  } else seq += 1;
  return v7({ random, msecs, seq });
}
