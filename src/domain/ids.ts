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

/** The tenant that SYSTEM schedules live in; platform tokens alone act in it. */
export const SYSTEM_TENANT = 'system' as TenantId;

/** A fresh id space for one manual run: neither 0 nor 1. `random` is in [0, 1). */
export function manualSpace(random: number): number {
  return 2 + Math.floor(random * 0x7ffffffd);
}

/** Lower-case base32 (order-keeping alphabet) of slot (6 bytes), space (4), schedule (16): sorts by time, finds its partition. */
export function encodeRunId(key: RunKey): RunId {
  const bytes = runKeyBytes(key);
  let bits = 0;
  let value = 0;
  let digit = 0;
  for (let at = 0; at < RUN_ID_BYTES; at += 1) {
    value = ((value & 31) << 8) | (bytes[at] ?? 0);
    bits += 8;
    for (; bits >= 5; bits -= 5) RUN_ID_CODES[digit++] = ALPHABET.charCodeAt((value >>> (bits - 5)) & 31);
  }
  RUN_ID_CODES[digit] = ALPHABET.charCodeAt((value << (5 - bits)) & 31);
  return String.fromCharCode(...RUN_ID_CODES) as RunId;
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

/** The W3C trace id of a run: 32 hex digits, the same on every node and over every attempt. */
export function traceIdOf(key: RunKey): string {
  writeTraceId(key, TRACE_ID_CODES, 0);
  return String.fromCharCode(...TRACE_ID_CODES);
}

/** The W3C `traceparent` of a run's trace that nobody records, with the two words, not both zero, as its span. */
export function unsampledTraceparent(key: RunKey, spanHigh: number, spanLow: number): string {
  writeTraceId(key, TRACEPARENT_CODES, 3);
  writeHex(TRACEPARENT_CODES, 36, spanHigh);
  writeHex(TRACEPARENT_CODES, 44, spanLow);
  return String.fromCharCode(...TRACEPARENT_CODES);
}

/** FNV-like lanes, murmur3 finish; never all zero, which is no trace id. */
function writeTraceId(key: RunKey, codes: number[], from: number): void {
  const bytes = runKeyBytes(key);
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let d = 0x6a09e667;
  for (let at = 0; at < RUN_ID_BYTES; at += 1) {
    const byte = bytes[at] ?? 0;
    a = Math.imul(a ^ byte, 0x01000193) ^ (a >>> 15);
    b = Math.imul(b ^ byte, 0x5cd1eb27) ^ (b >>> 15);
    c = Math.imul(c ^ byte, 0x38a3d4bb) ^ (c >>> 15);
    d = Math.imul(d ^ byte, 0x1475be4f) ^ (d >>> 15);
  }
  const last = finalMix(d);
  const isZero = (finalMix(a) | finalMix(b) | finalMix(c) | last) === 0;
  writeHex(codes, from, finalMix(a));
  writeHex(codes, from + 8, finalMix(b));
  writeHex(codes, from + 16, finalMix(c));
  writeHex(codes, from + 24, isZero ? 1 : last);
}

/** One buffer for all: what is read from it is read at once. */
const KEY_BYTES = new Uint8Array(RUN_ID_BYTES);
/** As texts are put together: from codes all at once, as one that grows digit by digit costs a string for each. */
const RUN_ID_CODES: number[] = new Array(42).fill(0);
const TRACE_ID_CODES: number[] = new Array(32).fill(0);
const TRACEPARENT_CODES: number[] = Array.from(`00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`, (char) =>
  char.charCodeAt(0),
);
/** Where the hex digits of each byte of a UUID stand in its text. */
const HEX_AT = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

function runKeyBytes({ slot, space, scheduleId }: RunKey): Uint8Array {
  const high = Math.floor(slot / 2 ** 32);
  KEY_BYTES[0] = high >>> 8;
  KEY_BYTES[1] = high;
  writeWord(2, slot);
  writeWord(6, space);
  for (let at = 0; at < 16; at += 1) {
    const digit = HEX_AT[at] ?? 0;
    KEY_BYTES[10 + at] = (nibble(scheduleId.charCodeAt(digit)) << 4) | nibble(scheduleId.charCodeAt(digit + 1));
  }
  return KEY_BYTES;
}

function writeWord(at: number, value: number): void {
  const word = value % 2 ** 32;
  KEY_BYTES[at] = word >>> 24;
  KEY_BYTES[at + 1] = word >>> 16;
  KEY_BYTES[at + 2] = word >>> 8;
  KEY_BYTES[at + 3] = word;
}

/** Of a lower-case hex digit. */
function nibble(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}

function writeHex(codes: number[], at: number, word: number): void {
  for (let digit = 0; digit < 8; digit += 1)
    codes[at + digit] = '0123456789abcdef'.charCodeAt((word >>> (28 - digit * 4)) & 15);
}

function finalMix(lane: number): number {
  let mixed = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
