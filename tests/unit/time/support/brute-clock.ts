import type { DstPolicy } from '../../../../src/domain/time/trigger.ts';
import type { NaiveCron } from './naive-cron.ts';

/*
 * What fires around a clock change, by brute force: every wall time of the days around it is tried against every offset that
 * the clock has there. It shares no code with the product and asks Temporal for the changes alone.
 */

/** A change of a zone's clock, and the changes near it, itself included: seconds, and seconds ahead of UTC from there on. */
export interface ClockChange {
  readonly at: number;
  readonly before: number;
  readonly near: readonly { readonly at: number; readonly offset: number }[];
}

const DAY_SEC = 86_400;
const NEAR_SEC = 5 * DAY_SEC;
const LONGEST_GAP_SEC = 3 * 3600;

/** All changes of a zone's clock within some years. */
export function clockChanges(tz: string, fromYear: number, toYear: number): ClockChange[] {
  const all: { at: number; offset: number }[] = [];
  let moment: Temporal.ZonedDateTime | null = Temporal.Instant.fromEpochMilliseconds(
    Date.UTC(fromYear, 0, 1) - NEAR_SEC * 1000,
  ).toZonedDateTimeISO(tz);
  const first = moment.offsetNanoseconds / 1e9;
  while (moment !== null && moment.year <= toYear) {
    moment = moment.getTimeZoneTransition('next');
    if (moment !== null) all.push({ at: moment.epochMilliseconds / 1000, offset: moment.offsetNanoseconds / 1e9 });
  }
  return all.flatMap((change, index): ClockChange[] => {
    const near = all.filter(({ at }) => Math.abs(at - change.at) <= NEAR_SEC);
    const earliest = all.indexOf(near[0] ?? change);
    const before = all[earliest - 1]?.offset ?? first;
    const year = new Date(change.at * 1000).getUTCFullYear();
    return year >= fromYear && year <= toYear && all[index - 1]?.offset !== change.offset
      ? [{ at: change.at, before, near }]
      : [];
  });
}

/** The seconds in (change − window, change + window] at which the expression fires, rising. */
export function firesAround(
  change: ClockChange,
  cron: NaiveCron,
  policy: Required<DstPolicy>,
  windowSec: number,
): number[] {
  const fires = new Set<number>();
  const firstDay = Math.floor((change.at - windowSec) / DAY_SEC) - 2;
  const lastDay = Math.floor((change.at + windowSec) / DAY_SEC) + 2;
  for (let day = firstDay; day <= lastDay; day++) {
    if (!cron.matchesDate(Temporal.PlainDate.from('1970-01-01').add({ days: day }))) continue;
    for (const { hour, minute, second } of cron.times)
      for (const at of instantsAt(change, day * DAY_SEC + hour * 3600 + minute * 60 + second, policy)) fires.add(at);
  }
  return [...fires]
    .filter((at) => at > change.at - windowSec && at <= change.at + windowSec)
    .sort((left, right) => left - right);
}

function instantsAt(change: ClockChange, wall: number, { gap, fold }: Required<DstPolicy>): number[] {
  const offsets = new Set([change.before, ...change.near.map(({ offset }) => offset)]);
  const shown = [...offsets].map((offset) => wall - offset).filter((at) => at + offsetAt(change, at) === wall);
  if (shown.length > 0) {
    const [first, last] = [Math.min(...shown), Math.max(...shown)];
    return { FIRST: [first], SECOND: [last], BOTH: shown }[fold ?? 'FIRST'];
  }
  let before = change.before;
  for (const { at, offset } of change.near) {
    if (wall >= at + before && wall < at + offset) {
      if (gap === 'SKIP' || offset - before > LONGEST_GAP_SEC) return [];
      return gap === 'SHIFT' ? [wall - before] : [at];
    }
    before = offset;
  }
  throw new Error(`no clock shows ${wall}, and no change skips it`);
}

function offsetAt({ before, near }: ClockChange, atSec: number): number {
  return near.findLast(({ at }) => at <= atSec)?.offset ?? before;
}
