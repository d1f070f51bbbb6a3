import { type TimeSets, timesInWords } from './explain-times.ts';
import { DAY_SEC, instantText, wallText } from './instant.ts';
import type { NthWeekday } from './month-days.ts';
import { withDefaults } from './rrule-days.ts';
import type { Frequency, RruleParts } from './rrule-parse.ts';
import { type RruleInput, readRrule } from './rrule-read.ts';
import { isRealTime } from './rrule-real-time.ts';
import { type RruleTrigger, rruleTimeText, wallIn } from './rrule-text.ts';
import {
  counted,
  everyUnit,
  listed,
  monthName,
  names,
  numbers,
  place,
  sentence,
  weekdayName,
  weekOrder,
} from './words.ts';

const UNITS: Readonly<Record<Frequency, string>> = {
  SECONDLY: 'second',
  MINUTELY: 'minute',
  HOURLY: 'hour',
  DAILY: 'day',
  WEEKLY: 'week',
  MONTHLY: 'month',
  YEARLY: 'year',
};

/** `Every 2 weeks on Monday and Thursday, at 09:00, from 2026-01-05`. Takes a trigger with its DTSTART. Throws DomainError INVALID_TRIGGER. */
export function explainRrule(trigger: RruleTrigger, tz: string): string {
  const input = readRrule(trigger, tz);
  const { parts } = input;
  const realTime = isRealTime(parts.freq);
  const wall = wallIn(input.start, input.zone);
  const full = realTime ? parts : withDefaults(parts, Math.floor(wall / DAY_SEC));
  const clauses = [
    [everyUnit(parts.interval, UNITS[parts.freq]), ...daysInWords(full)].join(' '),
    realTime ? realTimesInWords(parts) : timesInWords(timeSets(parts, wall)),
    positionsInWords(parts),
    startInWords(input),
    endInWords(parts),
    ...datesInWords(input),
  ];
  return sentence(clauses.filter((clause) => clause !== '').join(', '));
}

function daysInWords(parts: RruleParts): string[] {
  const { byMonth, byWeekNo, byYearDay, byMonthDay, byDay } = parts;
  const words: string[] = [];
  const dates: string[] = [];
  if (byYearDay !== null) dates.push(`${signedInWords('day', byYearDay)} of the year`);
  if (byMonthDay !== null) dates.push(`${signedInWords('day', byMonthDay)} of the month`);
  if (byDay !== null)
    dates.push(weekdaysInWords(byDay, parts.freq === 'YEARLY' && byMonth === null ? 'year' : 'month'));
  if (dates.length > 0) words.push(`on ${dates.join(' where that is also ')}`);
  if (byWeekNo !== null) words.push(`in ${signedInWords('week', byWeekNo)} of the year`);
  if (byMonth !== null) words.push(`in ${names(byMonth, monthName)}`);
  return words;
}

/** `days 1 and 15`, `the last day`, `day 1 and the last day`. */
function signedInWords(noun: string, values: readonly number[]): string {
  const fromStart = values.filter((value) => value > 0);
  const fromEnd = values.filter((value) => value < 0).reverse();
  const words = fromStart.length === 0 ? [] : [counted(noun, fromStart)];
  return listed([...words, ...fromEnd.map((value) => `the ${place(value)} ${noun}`)]);
}

function weekdaysInWords(byDay: readonly NthWeekday[], period: string): string {
  const plain = weekOrder(byDay.filter(({ n }) => n === 0).map(({ weekday }) => weekday));
  const numbered = byDay
    .filter(({ n }) => n !== 0)
    .map(({ weekday, n }) => `the ${place(n)} ${weekdayName(weekday)} of the ${period}`);
  const words = plain.length === 0 ? [] : [names(plain, (weekday) => weekdayName(weekday % 7))];
  return listed([...words, ...numbered]);
}

function timeSets(parts: RruleParts, wall: number): TimeSets {
  const time = wall - Math.floor(wall / DAY_SEC) * DAY_SEC;
  return {
    hours: parts.byHour ?? [Math.trunc(time / 3600)],
    minutes: parts.byMinute ?? [Math.trunc(time / 60) % 60],
    seconds: parts.bySecond ?? [time % 60],
  };
}

/** Parts finer than the step name times within it; the others limit it. */
function realTimesInWords({ freq, byHour, byMinute, bySecond }: RruleParts): string {
  const words: string[] = [];
  if (bySecond !== null) words.push(counted('second', bySecond));
  if (byMinute !== null) words.push(counted('minute', byMinute));
  if (byHour !== null) words.push(counted('hour', byHour));
  const within = (bySecond !== null && freq !== 'SECONDLY') || (byMinute !== null && freq === 'HOURLY');
  return words.length === 0 ? '' : `${within ? 'at' : 'in'} ${words.join(' of ')}`;
}

function positionsInWords({ bySetPos, freq }: RruleParts): string {
  if (bySetPos === null) return '';
  const inOrder = [...bySetPos.filter((at) => at > 0), ...bySetPos.filter((at) => at < 0)];
  return `only the ${listed(inOrder.map(place))} of these in each ${UNITS[freq]}`;
}

/** Where a rule counts periods, or steps in real time, it matters from when. */
function startInWords({ parts, start, zone }: RruleInput): string {
  const from = isRealTime(parts.freq) ? rruleTimeText(start) : wallText(wallIn(start, zone)).slice(0, 10);
  const named = start.zone === null ? '' : `in the zone ${zone}`;
  if (parts.interval === 1 && !isRealTime(parts.freq)) return named;
  return named === '' || isRealTime(parts.freq) ? `from ${from}` : `from ${from}, ${named}`;
}

function endInWords({ count, until }: RruleParts): string {
  if (count !== null) return count === 1 ? 'once' : `${numbers([count])} times`;
  if (until === null) return '';
  return `until ${until.utc ? instantText(until.wallSec * 1000) : until.dateOnly ? wallText(until.wallSec).slice(0, 10) : wallText(until.wallSec)}`;
}

function datesInWords({ exdates, rdates }: RruleInput): string[] {
  const dates = (count: number): string => (count === 1 ? '1 time' : `${count} times`);
  return [
    rdates.length === 0 ? '' : `and ${dates(rdates.length)} more`,
    exdates.length === 0 ? '' : `except for ${dates(exdates.length)}`,
  ];
}
