import type { RruleCase } from './random-rrule.ts';

/**
 * RFC 5545 §3.3.10 followed to the letter and to no other end: every date of every period is asked on its own, the whole set of a period is built
 * and sorted, BYSETPOS picks from it. Local times without a zone. It trusts its input, and answers null when 20,000 periods were not enough.
 */
export function naiveRrule({ rule, start }: RruleCase, count: number, lastYear: number): string[] | null {
  const parts = new Map(rule.split(';').map((part) => part.split('=') as [string, string]));
  const dtstart = Temporal.PlainDateTime.from(start);
  const found: string[] = [];
  const limit = Math.min(count, Number(parts.get('COUNT') ?? Infinity));
  const freq = parts.get('FREQ') ?? '';
  const interval = Number(parts.get('INTERVAL') ?? 1);
  const unit = `${freq === 'DAILY' ? 'day' : freq.slice(0, -2).toLowerCase()}s`;
  const origin = startOfPeriod(dtstart, freq, parts.get('WKST') ?? 'MO');
  for (let turn = 0; turn < 20_000; turn++) {
    const period = origin.add({ [unit]: turn * interval });
    if (period.year >= lastYear) return found;
    const set = instancesOf(period, freq, parts, dtstart);
    for (const instance of pickPositions(set, parts.get('BYSETPOS'))) {
      if (instance < start || instance >= `${lastYear}`) continue;
      found.push(instance);
      if (found.length >= limit) return found;
    }
  }
  return null;
}

const DAYS = ['', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];

function startOfPeriod(at: Temporal.PlainDateTime, freq: string, weekStart: string): Temporal.PlainDateTime {
  const midnight = at.with({ hour: 0, minute: 0, second: 0 });
  switch (freq) {
    case 'YEARLY':
      return midnight.with({ month: 1, day: 1 });
    case 'MONTHLY':
      return midnight.with({ day: 1 });
    case 'WEEKLY':
      return midnight.subtract({ days: (at.dayOfWeek - DAYS.indexOf(weekStart) + 7) % 7 });
    case 'DAILY':
      return midnight;
    case 'HOURLY':
      return at.with({ minute: 0, second: 0 });
    case 'MINUTELY':
      return at.with({ second: 0 });
    default:
      return at;
  }
}

type Parts = ReadonlyMap<string, string>;

function instancesOf(
  period: Temporal.PlainDateTime,
  freq: string,
  parts: Parts,
  dtstart: Temporal.PlainDateTime,
): string[] {
  const times = (name: string, field: 'hour' | 'minute' | 'second', fixed: boolean): number[] => {
    const listed = parts.get(name)?.split(',').map(Number);
    if (fixed) return listed === undefined || listed.includes(period[field]) ? [period[field]] : [];
    return listed ?? [dtstart[field]];
  };
  const days = { YEARLY: period.daysInYear, MONTHLY: period.daysInMonth, WEEKLY: 7 }[freq] ?? 1;
  const hours = times('BYHOUR', 'hour', ['HOURLY', 'MINUTELY', 'SECONDLY'].includes(freq));
  const minutes = times('BYMINUTE', 'minute', ['MINUTELY', 'SECONDLY'].includes(freq));
  const seconds = times('BYSECOND', 'second', freq === 'SECONDLY');
  if (hours.length * minutes.length * seconds.length === 0) return [];
  const set = new Set<string>();
  for (let index = 0; index < days; index++) {
    const date = period.toPlainDate().add({ days: index });
    if (!dateMatches(date, freq, parts, dtstart)) continue;
    for (const hour of hours) {
      for (const minute of minutes) {
        for (const second of seconds)
          set.add(date.toPlainDateTime({ hour, minute, second }).toString({ smallestUnit: 'second' }));
      }
    }
  }
  return [...set].sort();
}

function dateMatches(date: Temporal.PlainDate, freq: string, parts: Parts, dtstart: Temporal.PlainDateTime): boolean {
  const list = (name: string): string[] | undefined => parts.get(name)?.split(',');
  const months = list('BYMONTH');
  const weeks = list('BYWEEKNO');
  const yearDays = list('BYYEARDAY');
  const monthDays = list('BYMONTHDAY');
  const weekdays = list('BYDAY');
  if (months !== undefined && !months.includes(String(date.month))) return false;
  if (yearDays !== undefined && !signed(yearDays, date.dayOfYear, date.daysInYear)) return false;
  if (monthDays !== undefined && !signed(monthDays, date.day, date.daysInMonth)) return false;
  if (weeks !== undefined && !weekMatches(date, weeks, DAYS.indexOf(parts.get('WKST') ?? 'MO'))) return false;
  const inYear = freq === 'YEARLY' && months === undefined;
  if (weekdays !== undefined) return weekdays.some((item) => weekdayMatches(date, item, inYear));
  if (monthDays !== undefined || yearDays !== undefined) return true;
  if (freq === 'WEEKLY' || weeks !== undefined) return date.dayOfWeek === dtstart.dayOfWeek;
  if (freq === 'MONTHLY' || (freq === 'YEARLY' && months !== undefined)) return date.day === dtstart.day;
  return freq !== 'YEARLY' || (date.day === dtstart.day && date.month === dtstart.month);
}

function signed(list: readonly string[], value: number, size: number): boolean {
  return list.some((item) => Number(item) === value || Number(item) === value - size - 1);
}

function weekdayMatches(date: Temporal.PlainDate, item: string, inYear: boolean): boolean {
  if (DAYS[date.dayOfWeek] !== item.slice(-2)) return false;
  const rank = Number(item.slice(0, -2));
  const [day, size] = inYear ? [date.dayOfYear, date.daysInYear] : [date.day, date.daysInMonth];
  return rank === 0 || rank === Math.ceil(day / 7) || -rank === Math.ceil((size - day + 1) / 7);
}

/** The week belongs to the year that has its fourth day. */
function weekMatches(date: Temporal.PlainDate, weeks: readonly string[], weekStart: number): boolean {
  const monday = (day: Temporal.PlainDate): Temporal.PlainDate =>
    day.subtract({ days: (day.dayOfWeek - weekStart + 7) % 7 });
  const start = monday(date);
  const year = start.add({ days: 3 }).year;
  const first = monday(Temporal.PlainDate.from({ year, month: 1, day: 4 }));
  const next = monday(Temporal.PlainDate.from({ year: year + 1, month: 1, day: 4 }));
  return signed(weeks, first.until(start).days / 7 + 1, first.until(next).days / 7);
}

function pickPositions(set: readonly string[], positions: string | undefined): string[] {
  if (positions === undefined) return [...set];
  const wanted = new Set(
    positions
      .split(',')
      .map((position) => (Number(position) > 0 ? Number(position) - 1 : set.length + Number(position))),
  );
  return set.filter((_, index) => wanted.has(index));
}
