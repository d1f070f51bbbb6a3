/**
 * A cron expression read the slow way: every date is asked on its own, with the calendar of Temporal. It shares no code and no idea with the
 * product, and trusts its input.
 */
export interface NaiveCron {
  readonly matchesDate: (date: Temporal.PlainDate) => boolean;
  readonly times: readonly Temporal.PlainTime[];
  readonly wild: boolean;
}

const NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const MONTHS = ['', 'JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

export function naiveCron(expression: string): NaiveCron {
  const fields = expression.toUpperCase().split(' ');
  const [second = '', minute = '', hour = '', day = '', month = '', weekday = ''] =
    fields.length === 6 ? fields : ['0', ...fields];
  const free = (text: string): boolean => text === '*' || text === '?';
  const dayMatches = (date: Temporal.PlainDate): boolean => day.split(',').some((item) => monthDayIs(item, date));
  const weekdayMatches = (date: Temporal.PlainDate): boolean =>
    weekday.split(',').some((item) => weekdayIs(item, date));
  return {
    wild: /[*?/]/.test(`${second}${minute}${hour}`),
    times: timesOf(second, minute, hour),
    matchesDate: (date) => {
      if (!month.split(',').some((item) => holds(item, date.month, 1, 12))) return false;
      if (free(day) && free(weekday)) return true;
      if (free(day)) return weekdayMatches(date);
      return free(weekday) ? dayMatches(date) : dayMatches(date) || weekdayMatches(date);
    },
  };
}

function timesOf(second: string, minute: string, hour: string): Temporal.PlainTime[] {
  const values = (field: string, count: number): number[] =>
    Array.from({ length: count }, (_, value) => value).filter((value) =>
      field.split(',').some((item) => holds(item, value, 0, count - 1)),
    );
  const [hours, minutes, seconds] = [values(hour, 24), values(minute, 60), values(second, 60)];
  return hours.flatMap((h) => minutes.flatMap((m) => seconds.map((s) => new Temporal.PlainTime(h, m, s))));
}

function holds(item: string, value: number, min: number, max: number): boolean {
  const [range = '', step = '1'] = item.split('/');
  const [low, high] = range === '*' || range === '?' ? [min, max] : range.split('-').map((text) => numberOf(text, max));
  const end = high ?? (item.includes('/') ? max : low);
  return value >= (low ?? 0) && value <= (end ?? 0) && (value - (low ?? 0)) % Number(step) === 0;
}

function numberOf(text: string, max: number): number {
  const names = max === 12 ? MONTHS : NAMES;
  return names.includes(text) ? names.indexOf(text) : Number(text);
}

function monthDayIs(item: string, date: Temporal.PlainDate): boolean {
  const last = date.with({ day: date.daysInMonth });
  if (item === 'LW') return date.equals(nearestWorkday(last));
  if (item === 'L') return date.equals(last);
  if (item.startsWith('L-')) return date.equals(last.subtract({ days: Number(item.slice(2)) }));
  if (!item.endsWith('W')) return holds(item, date.day, 1, 31);
  const wanted = Number(item.slice(0, -1));
  return wanted <= date.daysInMonth && date.equals(nearestWorkday(date.with({ day: wanted })));
}

/** The working day of the month that is closest; two days are equally close to none. */
function nearestWorkday(date: Temporal.PlainDate): Temporal.PlainDate {
  const candidates = [0, -1, 1, -2, 2]
    .map((days) => date.add({ days }))
    .filter((day) => day.month === date.month && day.dayOfWeek <= 5);
  return candidates[0] ?? date;
}

function weekdayIs(item: string, date: Temporal.PlainDate): boolean {
  const day = date.dayOfWeek % 7;
  if (item.endsWith('L'))
    return numberOf(item.slice(0, -1), 7) % 7 === day && date.add({ days: 7 }).month !== date.month;
  const [name = '', rank] = item.split('#');
  if (rank !== undefined) return numberOf(name, 7) % 7 === day && Math.ceil(date.day / 7) === Number(rank);
  return holds(item, day, 0, 6) || (day === 0 && !/^[*?]/.test(item) && !/^\w+\//.test(item) && holds(item, 7, 0, 7));
}
