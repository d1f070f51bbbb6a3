import { type CronFields, parseCron } from './cron-parse.ts';
import type { DayRule } from './day-rule.ts';
import type { MonthDays } from './month-days.ts';
import { remembered } from './remembered.ts';
import { bits64, timesOfDay } from './times-of-day.ts';

/** A cron expression as a rule in wall time. */
export interface CronRule {
  readonly rule: DayRule;
  /** Holds `*`, `?` or `/` in its second, minute or hour. */
  readonly wild: boolean;
}

/** A new schedule's expression is compiled twice: when it is checked, and for its first slot. */
const known = remembered<CronRule>();

/** Throws DomainError INVALID_TRIGGER. */
export function compileCron(text: string): CronRule {
  return known(text, () => compiled(text));
}

function compiled(text: string): CronRule {
  const fields = parseCron(text);
  const rule: DayRule = {
    kind: 'DAYS',
    days: { months: bits64(fields.month).low, days: monthDaysOf(fields), grid: null },
    times: timesOfDay(bits64(fields.hour).low, bits64(fields.minute), bits64(fields.second)),
    fromWall: -Infinity,
    untilWall: Infinity,
  };
  return { rule, wild: fields.wild };
}

function monthDaysOf({ monthDays, weekdays }: CronFields): MonthDays {
  return {
    monthDays: bits64(monthDays.days).low,
    fromEnd: monthDays.beforeEnd,
    nearest: monthDays.nearest,
    lastWorkday: monthDays.lastWorkday,
    weekdays: bits64(weekdays.days).low,
    nth: weekdays.nth,
    namesMonthDay: monthDays.restricted,
    namesWeekday: weekdays.restricted,
    join: 'EITHER',
  };
}
