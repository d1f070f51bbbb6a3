import { neverReached } from '../never.ts';
import { type DayRule, nextInDays } from './day-rule.ts';
import { nextInRealTime, type RealTimeRule } from './real-time-rule.ts';
import { nextInSets, type SetRule } from './set-rule.ts';

/** When a trigger matches, in wall time: seconds since 1970 as if the zone were UTC. */
export type WallRule = DayRule | SetRule | RealTimeRule;

/** One search's state: the clock it runs on, and what it may still spend. */
export interface WallSearch {
  /** What is looked for lies after this second. */
  afterSec: number;
  /** Seconds the clock is ahead of UTC. Only rules that step in real time look at it and at `limit`. */
  offset: number;
  /** Where this clock ends, exclusive, in wall time. */
  limit: number;
  /** Turns left; below 0 the search gave up. */
  turns: number;
}

/** Turns one search may take, some 3 ms. Every rule that is not empty needed less in 10,000 random ones. */
export const WORK_BUDGET = 20_000;

export function newSearch(): WallSearch {
  return { afterSec: 0, offset: 0, limit: 0, turns: WORK_BUDGET };
}

/** The first match after `fromWall`, NONE when there is none before the horizon (for a rule that steps in real time: before the limit). */
export function nextWall(rule: WallRule, fromWall: number, search: WallSearch): number {
  switch (rule.kind) {
    case 'DAYS':
      return nextInDays(rule, fromWall);
    case 'SETS':
      return nextInSets(rule, fromWall);
    case 'REAL_TIME':
      return nextInRealTime(rule, fromWall, search);
    default:
      return neverReached(rule);
  }
}
