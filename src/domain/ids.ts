declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A schedule's id: UUID v7, made by the server, never reused. */
export type ScheduleId = Branded<string, 'ScheduleId'>;
/** A tenant's id as its tokens name it. */
export type TenantId = Branded<string, 'TenantId'>;
/** A run's public id: see {@link encodeRunId}. */
export type RunId = Branded<string, 'RunId'>;

/** What identifies a run. `slot` is the nominal instant in epoch milliseconds; `space` keeps kinds of runs apart. */
export interface RunKey {
  readonly scheduleId: ScheduleId;
  readonly slot: number;
  readonly space: number;
}

/** The id space of a schedule's own slots. */
export const SLOT_SPACE = 0;
/** The id space of backfilled slots. */
export const BACKFILL_SPACE = 1;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TENANT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const RUN_ID = /^[0-9a-v]{42}$/;
const ALPHABET = '0123456789abcdefghijklmnopqrstuv';
const RUN_ID_BYTES = 26;
/** The end of the year 9999; no slot lies past 2100. */
const LAST_SLOT = 253_402_300_799_999;
const LAST_SPACE = 0x7fffffff;

/** The text as a schedule id, or null when it cannot be one. */
export function asScheduleId(text: string): ScheduleId | null {
  return UUID.test(text) ? (text as ScheduleId) : null;
}

/** The text as a tenant id, or null: 1 to 100 letters, digits, `.`, `_`, `-`, the first a letter or digit. */
export function asTenantId(text: string): TenantId | null {
  return TENANT.test(text) ? (text as TenantId) : null;
}

/** A fresh id space for one manual run: neither 0 nor 1. `random` is in [0, 1). */
export function manualSpace(random: number): number {
  return 2 + Math.floor(random * 0x7ffffffd);
}

/** Lower-case base32 (order-keeping alphabet) of slot (6 bytes), space (4), schedule (16): sorts by time, finds its partition. */
export function encodeRunId(key: RunKey): RunId {
  const bytes = runKeyBytes(key);
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET.charAt((value >>> bits) & 31);
    }
    value &= (1 << bits) - 1;
  }
  return (bits > 0 ? text + ALPHABET.charAt((value << (5 - bits)) & 31) : text) as RunId;
}

/** The key behind a run id, or null when the text is not one: each key has one spelling, and fits the columns it is looked up by. */
export function decodeRunId(text: string): RunKey | null {
  if (!RUN_ID.test(text)) return null;
  const bytes = new Uint8Array(RUN_ID_BYTES);
  let bits = 0;
  let value = 0;
  let at = 0;
  for (const char of text) {
    value = (value << 5) | ALPHABET.indexOf(char);
    bits += 5;
    if (bits >= 8 && at < RUN_ID_BYTES) {
      bits -= 8;
      bytes[at++] = (value >>> bits) & 255;
      value &= (1 << bits) - 1;
    }
  }
  const view = new DataView(bytes.buffer);
  const slot = view.getUint16(0) * 2 ** 32 + view.getUint32(2);
  const hex = Array.from(bytes.subarray(10), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const scheduleId = asScheduleId(
    `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
  );
  const space = view.getUint32(6);
  if (value !== 0 || slot > LAST_SLOT || space > LAST_SPACE || scheduleId === null) return null;
  return { scheduleId, slot, space };
}

/** The W3C trace id of a run: 32 hex digits, the same on every node and over every attempt (xmur3 and sfc32 mixing, 128 bits). */
export function traceIdOf(key: RunKey): string {
  const lanes = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667];
  for (const byte of runKeyBytes(key)) {
    lanes.forEach((lane, index) => {
      lanes[index] = Math.imul(lane ^ byte, 0x01000193 + index * 0x5bd1e994) ^ (lane >>> 15);
    });
  }
  const hex = lanes.map((lane) => finalMix(lane).toString(16).padStart(8, '0')).join('');
  return hex === '0'.repeat(32) ? '1'.padStart(32, '0') : hex;
}

function runKeyBytes(key: RunKey): Uint8Array {
  const bytes = new Uint8Array(RUN_ID_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(key.slot / 2 ** 32));
  view.setUint32(2, key.slot % 2 ** 32);
  view.setUint32(6, key.space);
  const hex = key.scheduleId.replaceAll('-', '');
  for (let index = 0; index < 16; index += 1)
    bytes[10 + index] = Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16);
  return bytes;
}

function finalMix(lane: number): number {
  let mixed = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
