import type { Random } from './random.ts';

export interface RruleCase {
  readonly rule: string;
  readonly start: string;
}

const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
const FREQUENCIES = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY', 'SECONDLY'];

/** A rule that RFC 5545 allows, of any shape, and a DTSTART between 1990 and 2026. */
export function randomRrule({ below, chance, list, pick }: Random): RruleCase {
  const signed = (most: number): number => (1 + below(most)) * (chance(0.4) ? -1 : 1);
  const freq = pick(FREQUENCIES);
  const parts = [`FREQ=${freq}`];
  const coarse = freq === 'YEARLY' || freq === 'MONTHLY';
  const real = freq === 'HOURLY' || freq === 'MINUTELY' || freq === 'SECONDLY';
  if (chance(0.5)) parts.push(`INTERVAL=${1 + below(real ? 100 : 14)}`);
  if (chance(0.3)) parts.push(`WKST=${pick(WEEKDAYS)}`);
  if (chance(freq === 'YEARLY' ? 0.4 : 0.2)) parts.push(`BYMONTH=${list(4, () => 1 + below(12))}`);
  const inMonth = parts.some((part) => part.startsWith('BYMONTH='));
  const weekNo = freq === 'YEARLY' && chance(0.25);
  if (weekNo) parts.push(`BYWEEKNO=${list(3, () => signed(53))}`);
  if ((freq === 'YEARLY' || real) && chance(0.15)) parts.push(`BYYEARDAY=${list(6, () => signed(366))}`);
  if (freq !== 'WEEKLY' && chance(coarse ? 0.35 : 0.15)) parts.push(`BYMONTHDAY=${list(4, () => signed(31))}`);
  const ranks = freq === 'MONTHLY' || inMonth ? 5 : 53;
  const numbered = coarse && !weekNo && chance(0.5);
  if (chance(0.4)) parts.push(`BYDAY=${list(4, () => `${numbered ? signed(ranks) : ''}${pick(WEEKDAYS)}`)}`);
  if (chance(0.3)) parts.push(`BYHOUR=${list(3, () => below(24))}`);
  if (chance(0.3)) parts.push(`BYMINUTE=${list(3, () => below(60))}`);
  if (chance(0.2)) parts.push(`BYSECOND=${list(3, () => below(60))}`);
  if (parts.some((part) => part.startsWith('BY')) && chance(0.25)) parts.push(`BYSETPOS=${list(3, () => signed(8))}`);
  if (chance(0.2)) parts.push(`COUNT=${1 + below(15)}`);
  const start = new Date(Date.UTC(1990 + below(37), below(12), 1 + below(28), below(24), below(60), below(60)));
  return { rule: parts.join(';'), start: start.toISOString().slice(0, 19) };
}
