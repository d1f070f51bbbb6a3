import { dayNumber, monthLength } from './calendar.ts';
import { type IcalLine, refuseIcal, shown } from './ical-lines.ts';
import { DAY_SEC } from './instant.ts';
import { canonicalZone, wallAt } from './zone.ts';
import { zoneTable } from './zone-table.ts';

/** A DATE or DATE-TIME as it was written: the wall clock in seconds since 1970 as if in UTC. */
export interface IcalTime {
  readonly wallSec: number;
  readonly isDate: boolean;
  readonly isUtc: boolean;
}

const TIME = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?$/;
const DURATION = /^\+?P(?:(\d{1,5})W|(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,11})S)?)?)$/;

/** The times of a line such as `EXDATE;TZID=Europe/Berlin:20261225T090000,20261226T090000`. Throws VALIDATION_FAILED. */
export function icalTimes(line: IcalLine): readonly IcalTime[] {
  return line.value.split(',').map((text) => readTime(line, text.trim()));
}

/** The only time of a line. Throws VALIDATION_FAILED. */
export function icalTime(line: IcalLine): IcalTime {
  const [time, ...others] = icalTimes(line);
  if (time === undefined || others.length > 0) refuseIcal(line.number, `${line.name} is one time`);
  return time;
}

/** The zone that a line names, where the zone database has it; other names are taken as local time. */
export function icalZone(line: IcalLine): string | null {
  const name = line.parameters.get('TZID');
  return name === undefined ? null : canonicalZone(name);
}

/** The wall clock of `zone` at that time: of UTC itself without a zone. */
export function wallOf(time: IcalTime, zone: string | null): number {
  return time.isUtc && zone !== null ? wallAt(zoneTable(zone), time.wallSec) : time.wallSec;
}

/** Seconds of a DURATION. Throws VALIDATION_FAILED. */
export function icalDurationSec(line: IcalLine): number {
  const parts = DURATION.exec(line.value.trim());
  if (parts === null || /[PT]$/.test(line.value.trim()))
    refuseIcal(line.number, `${shown(line.value)} is not a duration such as P1D or PT2H`);
  const [weeks, days, hours, minutes, seconds] = parts.slice(1).map((digits) => Number(digits ?? 0));
  return ((weeks ?? 0) * 7 + (days ?? 0)) * DAY_SEC + (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}

function readTime(line: IcalLine, text: string): IcalTime {
  const [, year, month, day, hour, minute, second, z] = TIME.exec(text) ?? [];
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  const time = Number(hour ?? 0) * 3600 + Number(minute ?? 0) * 60 + Math.min(Number(second ?? 0), 59);
  const exists = year !== undefined && m >= 1 && m <= 12 && d >= 1 && d <= monthLength(y, m) && time < DAY_SEC;
  if (!exists || Number(minute ?? 0) > 59 || Number(second ?? 0) > 60)
    refuseIcal(line.number, `${line.name} ${shown(text)} is no date or time such as 20261225 or 20261225T090000`);
  const isDate = hour === undefined;
  if (line.parameters.get('VALUE') === 'DATE' && !isDate)
    refuseIcal(line.number, `${line.name} says VALUE=DATE, but ${shown(text)} is a time`);
  return { wallSec: dayNumber(y, m, d) * DAY_SEC + time, isDate, isUtc: z !== undefined };
}
