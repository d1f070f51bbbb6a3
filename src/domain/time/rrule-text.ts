import { HORIZON_SEC, instantText, readWrittenTime, wallText } from './instant.ts';
import { refuse, refuseAt } from './refuse.ts';
import type { Trigger } from './trigger.ts';
import { canonicalZone, wallAt } from './zone.ts';
import { zoneTable } from './zone-table.ts';

export type RruleTrigger = Extract<Trigger, { type: 'RRULE' }>;

/** A time of DTSTART, EXDATE, RDATE or UNTIL: the wall clock in seconds since 1970 as if in UTC, of UTC itself when `utc`, else of a zone. */
export interface RruleTime {
  readonly wallSec: number;
  readonly utc: boolean;
  /** From TZID or `[Zone]`; null: the schedule's. */
  readonly zone: string | null;
  readonly dateOnly: boolean;
}

const MAX_BLOCK = 65_536;
const PROPERTY = /^([A-Z]+)((?:;[^:;]+)*):(.*)$/i;
const BASIC = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?$/i;

/** Splits a block of `DTSTART:…`, `RRULE:…`, `EXDATE:…`, `RDATE:…` lines into the fields of the trigger. The rule comes back in upper case. */
export function splitBlock(trigger: RruleTrigger): RruleTrigger {
  if (trigger.rrule.length > MAX_BLOCK) refuse('rrule', `longer than ${MAX_BLOCK} characters`);
  const lines = trigger.rrule
    .replace(/\r?\n[ \t]/g, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  let rule: string | undefined;
  let dtstart = trigger.dtstart;
  const exdates = [...(trigger.exdates ?? [])];
  const rdates = [...(trigger.rdates ?? [])];
  for (const line of lines) {
    const [, property = 'RRULE', parameters = '', value = line] = PROPERTY.exec(line) ?? [];
    const name = property.toUpperCase();
    const at = { text: line, offset: Math.max(trigger.rrule.lastIndexOf(line), 0) };
    if (name === 'RRULE')
      rule =
        rule === undefined ? value.toUpperCase() : refuseAt('rrule', at, 'one RRULE only: make a schedule for each');
    else if (name === 'DTSTART')
      dtstart = dtstart === undefined ? zoned(value, parameters) : refuse('dtstart', 'stands there twice');
    else if (name === 'EXDATE') exdates.push(...value.split(',').map((time) => zoned(time, parameters)));
    else if (name === 'RDATE') rdates.push(...value.split(',').map((time) => zoned(time, parameters)));
    else refuseAt('rrule', at, 'not a line of a recurrence: DTSTART, RRULE, EXDATE and RDATE are');
  }
  if (rule === undefined) refuse('rrule', 'no rule at offset 0: write for example FREQ=DAILY;BYHOUR=9');
  return { type: 'RRULE', rrule: rule, ...(dtstart === undefined ? {} : { dtstart }), exdates, rdates };
}

/**
 * Reads `2026-03-29T09:00:00`, the same with an offset, `Z` or `[Europe/Berlin]` behind it, `2026-03-29`, and iCalendar's `20260329T090000`,
 * `20260329T090000Z`, `20260329`. Throws DomainError INVALID_TRIGGER under `path`.
 */
export function readRruleTime(text: string, path: string): RruleTime {
  const [, written = '', zoneName] = /^(.*?)(?:\[([^\]]+)\])?$/s.exec(text.trim()) ?? [];
  const zone = zoneName === undefined ? null : canonicalZone(zoneName);
  if (zoneName !== undefined && zone === null)
    refuse(path, `${JSON.stringify(zoneName.slice(0, 64))} is not a zone of the IANA database`);
  const [, year, month, day, hour = '00', minute = '00', second = '00', z = ''] = BASIC.exec(written) ?? [];
  const dateOnly = /^\d{4}-?\d\d-?\d\d$/.test(written);
  const extended =
    year === undefined
      ? dateOnly
        ? `${written}T00:00:00`
        : written
      : `${year}-${month}-${day}T${hour}:${minute}:${second}${z}`;
  const time = readWrittenTime(extended);
  if (time === null)
    refuse(
      path,
      `${JSON.stringify(text.slice(0, 64))} is not a time: write "2026-01-01T09:00:00" (local) or "2026-01-01T08:00:00Z"`,
    );
  if (time.fractionMs !== 0) refuse(path, 'whole seconds only');
  if (time.offsetSec !== null && zone !== null) refuse(path, 'an offset or a zone, not both');
  const wallSec = time.wallSec - (time.offsetSec ?? 0);
  if (wallSec < 0 || wallSec >= HORIZON_SEC)
    refuse(path, `${JSON.stringify(text.slice(0, 64))} is outside of 1970 to 2099`);
  return { wallSec, utc: time.offsetSec !== null, zone, dateOnly };
}

/** The one way a time is stored: UTC with milliseconds, or local, with its zone behind it where that is not the rule's. */
export function rruleTimeText(time: RruleTime): string {
  if (time.utc) return instantText(time.wallSec * 1000);
  return time.zone === null ? wallText(time.wallSec) : `${wallText(time.wallSec)}[${time.zone}]`;
}

/** The wall clock that a time shows in `zone`. */
export function wallIn(time: RruleTime, zone: string): number {
  return time.utc ? wallAt(zoneTable(zone), time.wallSec) : time.wallSec;
}

function zoned(value: string, parameters: string): string {
  for (const parameter of parameters.split(';').slice(1)) {
    const [name = '', setting = ''] = parameter.split('=');
    if (/^TZID$/i.test(name)) return `${value}[${setting.replace(/^"|"$/g, '')}]`;
    if (!/^VALUE=(?:DATE|DATE-TIME)$/i.test(parameter))
      refuse('rrule', `${JSON.stringify(parameter)}: TZID and VALUE=DATE are the parameters read here`);
  }
  return value;
}
