import { refuseAt } from './refuse.ts';
import type { RruleParts } from './rrule-parse.ts';

/** The combinations that RFC 5545 rules out (the table in §3.3.10), in a rule that stands at `offset` of what was given. Throws DomainError INVALID_TRIGGER. */
export function checkCombination(parts: RruleParts, text: string, offset: number): void {
  const clash = (part: string, message: string): never =>
    refuseAt('rrule', { text: part, offset: offset + `;${text}`.indexOf(`;${part}=`) }, message);
  const { freq, byDay } = parts;
  const numbered = (byDay ?? []).some(({ n }) => n !== 0);
  if (parts.byWeekNo !== null && freq !== 'YEARLY') clash('BYWEEKNO', 'goes with FREQ=YEARLY only');
  if (parts.byYearDay !== null && (freq === 'DAILY' || freq === 'WEEKLY' || freq === 'MONTHLY')) {
    clash('BYYEARDAY', `does not go with FREQ=${freq}: use FREQ=YEARLY`);
  }
  if (parts.byMonthDay !== null && freq === 'WEEKLY')
    clash('BYMONTHDAY', 'does not go with FREQ=WEEKLY: use FREQ=MONTHLY or DAILY');
  if (numbered && freq !== 'MONTHLY' && freq !== 'YEARLY')
    clash('BYDAY', `takes no numbers with FREQ=${freq}: use FREQ=MONTHLY or YEARLY`);
  if (numbered && parts.byWeekNo !== null) clash('BYDAY', 'takes no numbers together with BYWEEKNO');
  if (byDay?.some(({ n }) => Math.abs(n) > 5) && (freq === 'MONTHLY' || parts.byMonth !== null)) {
    clash('BYDAY', 'counts to 5 within a month');
  }
  if (parts.bySetPos !== null && !hasSet(parts)) clash('BYSETPOS', 'needs another part that begins with BY');
}

function hasSet(parts: RruleParts): boolean {
  const { bySecond, byMinute, byHour, byDay, byMonthDay, byYearDay, byWeekNo, byMonth } = parts;
  return [bySecond, byMinute, byHour, byDay, byMonthDay, byYearDay, byWeekNo, byMonth].some((list) => list !== null);
}
