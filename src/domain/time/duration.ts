/** A length of time: calendar parts, which follow the wall clock, and a fixed part, which does not. */
export interface Duration {
  readonly months: number;
  readonly days: number;
  readonly ms: number;
}

const ISO_8601 =
  /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,3}))?S)?)?$/i;
const SHORT = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const MAX_MONTHS = 12_000;
const MAX_DAYS = 365_250;
const MAX_MS = 31_557_600_000_000;

/** Reads `PT6H`, `P1M`, `P1DT12H` (ISO 8601) and `15m`, `1h30m`, `2d` (weeks to milliseconds, longest first). Null for anything else, and past 1000 years. */
export function parseDuration(text: string): Duration | null {
  if (text.length > 64) return null;
  return /^p/i.test(text) ? parseIso(text) : parseShort(text);
}

/** Milliseconds of a duration without calendar parts; null for others and for what cannot be read. */
export function durationMs(text: string): number | null {
  const duration = parseDuration(text);
  return duration === null || duration.months > 0 || duration.days > 0 ? null : duration.ms;
}

function parseIso(text: string): Duration | null {
  const parts = ISO_8601.exec(text);
  if (parts === null || /[pt]$/i.test(text)) return null;
  const [years, months, weeks, days, hours, minutes, seconds] = parts.slice(1, 8).map(wholeNumber);
  const fraction = Number((parts[8] ?? '').padEnd(3, '0'));
  return bounded(
    (years ?? 0) * 12 + (months ?? 0),
    (weeks ?? 0) * 7 + (days ?? 0),
    ((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1000 + fraction,
  );
}

function parseShort(text: string): Duration | null {
  const parts = text === '' ? null : SHORT.exec(text);
  if (parts === null) return null;
  const [weeks, days, hours, minutes, seconds, ms] = parts.slice(1).map(wholeNumber);
  return bounded(
    0,
    (weeks ?? 0) * 7 + (days ?? 0),
    ((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1000 + (ms ?? 0),
  );
}

function wholeNumber(digits: string | undefined): number {
  return digits === undefined ? 0 : Number(digits);
}

function bounded(months: number, days: number, ms: number): Duration | null {
  return months <= MAX_MONTHS && days <= MAX_DAYS && ms <= MAX_MS ? { months, days, ms } : null;
}
