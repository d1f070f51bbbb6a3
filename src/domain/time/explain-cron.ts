import { type CronFields, parseCron } from './cron-parse.ts';
import { timesInWords } from './explain-times.ts';
import {
  counted,
  distinct,
  listed,
  monthName,
  names,
  numbers,
  ordinal,
  sentence,
  weekdayName,
  weekOrder,
} from './words.ts';

/** `At 09:00, Monday through Friday`. Throws DomainError INVALID_TRIGGER. */
export function explainCron(text: string): string {
  const fields = parseCron(text);
  const times = timesInWords({
    hours: distinct(fields.hour),
    minutes: distinct(fields.minute),
    seconds: distinct(fields.second),
  });
  return sentence(
    [times, daysInWords(fields), monthsInWords(distinct(fields.month))].filter((part) => part !== '').join(', '),
  );
}

function daysInWords({ monthDays, weekdays }: CronFields): string {
  const byDay = monthDays.restricted ? monthDaysInWords(monthDays) : '';
  const byWeekday = weekdays.restricted ? weekdaysInWords(weekdays, byDay !== '') : '';
  return byDay !== '' && byWeekday !== '' ? `${byDay} or ${byWeekday}` : byDay + byWeekday;
}

function monthDaysInWords({ days, beforeEnd, nearest, lastWorkday }: CronFields['monthDays']): string {
  const parts: string[] = [];
  if (days.length > 0) parts.push(`${counted('day', distinct(days))} of the month`);
  for (const before of distinct(beforeEnd)) {
    if (before > 0) parts.push(`the day ${before === 1 ? '1 day' : `${before} days`} before the last day of the month`);
    else parts.push('the last day of the month');
  }
  if (nearest.length > 0) parts.push(`the weekday nearest to day ${numbers(distinct(nearest))} of the month`);
  if (lastWorkday) parts.push('the last weekday of the month');
  return `on ${listed(parts)}`;
}

function weekdaysInWords({ days, nth }: CronFields['weekdays'], joined: boolean): string {
  const plain = weekOrder(days);
  const parts = nth.map(({ weekday, n }) => `the ${n < 0 ? 'last' : ordinal(n)} ${weekdayName(weekday)} of the month`);
  if (parts.length === 0 && plain.length === 7) return joined ? 'on any day of the week' : '';
  if (plain.length > 0) parts.unshift(names(plain, (weekday) => weekdayName(weekday % 7)));
  const isRange = nth.length === 0 && plain.length >= 3 && (plain.at(-1) ?? 0) - (plain[0] ?? 0) === plain.length - 1;
  return isRange && !joined ? listed(parts) : `on ${listed(parts)}`;
}

function monthsInWords(months: readonly number[]): string {
  return months.length === 12 ? '' : `in ${names(months, monthName)}`;
}
