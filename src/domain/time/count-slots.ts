import { NONE } from './instant.ts';
import { evenSteps, isEven, type RealTimeRule } from './real-time-rule.ts';
import { includes, type Recurrence } from './rrule.ts';
import { countWalls } from './rrule-count.ts';
import { newSearch, type WallRule } from './wall-rule.ts';
import { type Clock, nextOnClock, partsOf } from './zone.ts';

/** Up to here every count is exact. */
const EXACT = 100_000;
/** Slots, or runs of them an even step apart, that are asked for one by one where there are more. */
const MOST_ASKED = 20_000;

/** How many slots of a rule lie in (afterSec, upToSec]; null where there are more than 100,000 and arithmetic does not reach. */
export function countOnClock(rule: WallRule, clock: Clock, afterSec: number, upToSec: number): number | null {
  if (rule.kind === 'REAL_TIME') return countInRealTime(rule, clock, afterSec, upToSec);
  let count = 0;
  let asked = 0;
  for (const { fromSec, toSec, walls } of partsOf(clock, afterSec, upToSec)) {
    if (walls !== null) {
      count += countWalls(rule, walls.from, walls.to);
      continue;
    }
    for (let at = next(rule, clock, fromSec - 1); at !== NONE && at <= toSec; at = next(rule, clock, at)) {
      count += 1;
      asked += 1;
      if (asked > MOST_ASKED && count > EXACT) return null;
    }
  }
  return count;
}

/** As `countOnClock`, of the rule within its bounds, with the added slots and without the removed ones. */
export function countInRecurrence(set: Recurrence, afterSec: number, upToSec: number): number | null {
  const { rule, clock } = set;
  const after = Math.max(afterSec, set.startSec - 1);
  const upTo = Math.min(upToSec, set.untilSec);
  const ofRule = rule === null || after >= upTo ? 0 : countOnClock(rule, clock, after, upTo);
  if (ofRule === null) return null;
  const isOfRule = (at: number): boolean =>
    rule !== null && at > after && at <= upTo && next(rule, clock, at - 1) === at;
  const removed = set.removed.filter(isOfRule).length;
  const isMore = (at: number): boolean => at > afterSec && at <= upToSec && !isOfRule(at);
  return ofRule - removed + set.added.filter((at) => isMore(at) && !includes(set.removed, at)).length;
}

function countInRealTime(rule: RealTimeRule, clock: Clock, afterSec: number, upToSec: number): number | null {
  if (isEven(rule) && clock.gap === 'SKIP' && clock.fold === 'BOTH') {
    const upTo = (sec: number): number => Math.max(Math.floor((sec - rule.baseSec) / rule.stepSec) + 1, 0);
    return upTo(upToSec) - upTo(afterSec);
  }
  let count = 0;
  let last = afterSec;
  for (let asked = 0; asked <= MOST_ASKED || count <= EXACT; asked++) {
    const search = newSearch();
    const at = nextOnClock(rule, clock, last, search);
    if (at === NONE || at > upToSec) return count;
    const even = clock.gap === 'SKIP' ? evenSteps(rule, at + search.offset, search.limit) : 0;
    const run = Math.min(even, Math.floor((upToSec - at) / rule.stepSec));
    count += 1 + run;
    last = at + run * rule.stepSec;
  }
  return null;
}

function next(rule: WallRule, clock: Clock, afterSec: number): number {
  return nextOnClock(rule, clock, afterSec, newSearch());
}
