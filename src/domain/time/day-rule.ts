import { type DaySet, nextDay } from './day-set.ts';
import { DAY_SEC, NONE } from './instant.ts';
import { firstTime, type TimesOfDay, timeFrom } from './times-of-day.ts';

/** Days, and the times of each: every cron expression, and RRULEs that step in days or more without BYSETPOS. */
export interface DayRule {
  readonly kind: 'DAYS';
  readonly days: DaySet;
  readonly times: TimesOfDay;
  readonly fromWall: number;
  readonly untilWall: number;
}

/** The first match after `fromWall`, NONE when there is none before the horizon. */
export function nextInDays(rule: DayRule, fromWall: number): number {
  const earliest = Math.max(fromWall + 1, rule.fromWall);
  const today = Math.floor(earliest / DAY_SEC);
  let day = nextDay(rule.days, today);
  let time = NONE;
  if (day === today) {
    time = timeFrom(rule.times, earliest - today * DAY_SEC);
    if (time === NONE) day = nextDay(rule.days, today + 1);
  }
  if (day === NONE) return NONE;
  const wall = day * DAY_SEC + (time === NONE ? firstTime(rule.times) : time);
  return wall <= rule.untilWall ? wall : NONE;
}
