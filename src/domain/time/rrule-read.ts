import { DAY_SEC, type Instant, wallText } from './instant.ts';
import { refuse, refuseAt } from './refuse.ts';
import { checkCombination } from './rrule-limits.ts';
import { parseRrule, type RruleParts } from './rrule-parse.ts';
import { type RruleTime, type RruleTrigger, readRruleTime, rruleTimeText, splitBlock } from './rrule-text.ts';
import { clockOf, instantsOf, wallAt } from './zone.ts';
import { zoneTable } from './zone-table.ts';

/** An RRULE trigger, read: everything in it is in range and goes together. */
export interface RruleInput {
  readonly text: string;
  /** Where `text` stands in what was given. */
  readonly offset: number;
  readonly parts: RruleParts;
  readonly start: RruleTime;
  /** The zone of the rule: DTSTART's own, else the schedule's. */
  readonly zone: string;
  readonly exdates: readonly RruleTime[];
  readonly rdates: readonly RruleTime[];
}

const MAX_DATES = 1000;

/** The rule in upper case, DTSTART (local midnight of the day `now` lies in, if it has none) and the other dates in one spelling. Throws DomainError INVALID_TRIGGER. */
export function normaliseRrule(trigger: RruleTrigger, tz: string, now: Instant): RruleTrigger {
  const today = Math.floor(wallAt(zoneTable(tz), Math.floor(now / 1000)) / DAY_SEC);
  const input = readRrule(trigger, tz, wallText(today * DAY_SEC));
  if (splitBlock(trigger).dtstart !== undefined) checkEnd(input);
  const exdates = input.exdates.map((time) => rruleTimeText(time));
  const rdates = input.rdates.map((time) => rruleTimeText(time));
  return {
    type: 'RRULE',
    rrule: input.text,
    dtstart: rruleTimeText(input.start),
    ...(exdates.length === 0 ? {} : { exdates }),
    ...(rdates.length === 0 ? {} : { rdates }),
  };
}

/** Throws DomainError INVALID_TRIGGER. `defaultStart` stands in for a missing DTSTART. */
export function readRrule(trigger: RruleTrigger, tz: string, defaultStart?: string): RruleInput {
  const { rrule: text, dtstart = defaultStart, exdates = [], rdates = [] } = splitBlock(trigger);
  const offset = Math.max(trigger.rrule.toUpperCase().indexOf(text), 0);
  const parts = parseRrule(text, offset);
  checkCombination(parts, text, offset);
  if (dtstart === undefined) refuse('dtstart', 'missing');
  const start = readRruleTime(dtstart, 'dtstart');
  const zone = start.zone ?? tz;
  const datesFit = isMidnightRule(parts, start);
  checkUntil(parts, start, datesFit);
  const read = (list: readonly string[], path: string): RruleTime[] => {
    if (list.length > MAX_DATES) refuse(path, `more than ${MAX_DATES}`);
    return list.map((item, index) =>
      dateIn(readRruleTime(item, `${path}.${index}`), zone, datesFit, `${path}.${index}`),
    );
  };
  return { text, offset, parts, start, zone, exdates: read(exdates, 'exdates'), rdates: read(rdates, 'rdates') };
}

/** Whether every slot is at local midnight, so that a date alone says all. */
function isMidnightRule(parts: RruleParts, start: RruleTime): boolean {
  const subDaily = parts.freq === 'HOURLY' || parts.freq === 'MINUTELY' || parts.freq === 'SECONDLY';
  const named = parts.byHour !== null || parts.byMinute !== null || parts.bySecond !== null;
  return !start.utc && start.wallSec % DAY_SEC === 0 && !subDaily && !named;
}

function checkUntil({ until }: RruleParts, start: RruleTime, datesFit: boolean): void {
  if (until === null) return;
  if (until.dateOnly && !datesFit)
    refuseAt('rrule', until, `a date alone is unclear where slots have a time: write ${until.text}T235959`);
  if (start.utc && !until.utc)
    refuseAt('rrule', until, 'DTSTART is an instant, so UNTIL is one too: write it in UTC with a Z behind it');
}

/** A rule that ends before it starts has no slots of its own: a slip of the pen, unless dates are added to it. */
function checkEnd({ parts: { until }, start, zone, rdates }: RruleInput): void {
  if (until === null || rdates.length > 0) return;
  const [first = 0] =
    start.utc || !until.utc ? [start.wallSec] : instantsOf(clockOf(zone, false, undefined), start.wallSec);
  if (until.wallSec < first) refuseAt('rrule', until, `lies before DTSTART, ${rruleTimeText(start)}`);
}

/** A time of another zone becomes an instant: the rule knows one zone. */
function dateIn(time: RruleTime, zone: string, datesFit: boolean, path: string): RruleTime {
  if (time.dateOnly && !datesFit) refuse(path, 'a date alone is unclear where slots have a time: write the time too');
  if (time.zone === null || time.zone === zone) return { ...time, zone: null };
  const [atSec] = instantsOf(clockOf(time.zone, false, undefined), time.wallSec);
  return atSec === undefined
    ? refuse(path, `does not exist in ${time.zone}`)
    : { ...time, wallSec: atSec, utc: true, zone: null };
}
