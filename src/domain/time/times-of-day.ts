import { bitAtRank, bitsFrom, countBits, lowestBit } from './bits.ts';
import { NONE } from './instant.ts';

/** Every combination of some hours, minutes and seconds, as bit masks; minutes and seconds have one word for 0-31 and one for 32-59. */
export interface TimesOfDay {
  readonly hours: number;
  readonly minutesLow: number;
  readonly minutesHigh: number;
  readonly secondsLow: number;
  readonly secondsHigh: number;
  /** Of the first second of the first minute, in seconds. */
  readonly firstInHour: number;
  readonly firstSecond: number;
}

/** A set of numbers below 64 in two words. */
export interface Bits64 {
  readonly low: number;
  readonly high: number;
}

export function bits64(values: Iterable<number>): Bits64 {
  let low = 0;
  let high = 0;
  for (const value of values) {
    if (value < 32) low |= 1 << value;
    else high |= 1 << (value - 32);
  }
  return { low, high };
}

/** None of the three may be empty. */
export function timesOfDay(hours: number, minutes: Bits64, seconds: Bits64): TimesOfDay {
  const firstSecond = bit64From(seconds.low, seconds.high, 0);
  return {
    hours,
    minutesLow: minutes.low,
    minutesHigh: minutes.high,
    secondsLow: seconds.low,
    secondsHigh: seconds.high,
    firstInHour: bit64From(minutes.low, minutes.high, 0) * 60 + firstSecond,
    firstSecond,
  };
}

/** The first time at or after `fromSec` (seconds of the day), NONE when the day holds no more. */
export function timeFrom(times: TimesOfDay, fromSec: number): number {
  const hour = (fromSec / 3600) | 0;
  if ((times.hours >> hour) & 1) {
    const inHour = timeInHourFrom(times, fromSec - hour * 3600);
    if (inHour !== NONE) return hour * 3600 + inHour;
  }
  const later = bitsFrom(times.hours, hour + 1);
  return later === 0 ? NONE : lowestBit(later) * 3600 + times.firstInHour;
}

export function firstTime(times: TimesOfDay): number {
  return lowestBit(times.hours) * 3600 + times.firstInHour;
}

export function countTimes(times: TimesOfDay): number {
  return countBits(times.hours) * minutesCount(times) * secondsCount(times);
}

/** The longest stretch, an hour, a minute or a second, of which all times belong to the set or none. */
export function allWithin(times: TimesOfDay): 3600 | 60 | 1 {
  if (secondsCount(times) < 60) return 1;
  return minutesCount(times) < 60 ? 60 : 3600;
}

/** How many times lie before `beforeSec`. */
export function countTimesBefore(times: TimesOfDay, beforeSec: number): number {
  const hour = (beforeSec / 3600) | 0;
  const minute = ((beforeSec / 60) | 0) % 60;
  const second = beforeSec % 60;
  const perMinute = secondsCount(times);
  let count = countBits(bitsBelow(times.hours, hour)) * minutesCount(times) * perMinute;
  if (((times.hours >> hour) & 1) === 0) return count;
  count += countBelow(times.minutesLow, times.minutesHigh, minute) * perMinute;
  return hasBit64(times.minutesLow, times.minutesHigh, minute)
    ? count + countBelow(times.secondsLow, times.secondsHigh, second)
    : count;
}

/** The time that has `rank` times before it. */
export function timeAtRank(times: TimesOfDay, rank: number): number {
  const perMinute = secondsCount(times);
  const perHour = perMinute * minutesCount(times);
  const hour = atRank(times.hours, 0, Math.trunc(rank / perHour));
  const minute = atRank(times.minutesLow, times.minutesHigh, Math.trunc(rank / perMinute) % minutesCount(times));
  return hour * 3600 + minute * 60 + atRank(times.secondsLow, times.secondsHigh, rank % perMinute);
}

function timeInHourFrom(times: TimesOfDay, fromSec: number): number {
  const minute = (fromSec / 60) | 0;
  if (hasBit64(times.minutesLow, times.minutesHigh, minute)) {
    const second = bit64From(times.secondsLow, times.secondsHigh, fromSec - minute * 60);
    if (second !== NONE) return minute * 60 + second;
  }
  const later = bit64From(times.minutesLow, times.minutesHigh, minute + 1);
  return later === NONE ? NONE : later * 60 + times.firstSecond;
}

function minutesCount(times: TimesOfDay): number {
  return countBits(times.minutesLow) + countBits(times.minutesHigh);
}

function secondsCount(times: TimesOfDay): number {
  return countBits(times.secondsLow) + countBits(times.secondsHigh);
}

function hasBit64(low: number, high: number, index: number): boolean {
  return ((index < 32 ? low >> index : high >> (index - 32)) & 1) === 1;
}

/** The first set bit at or after `index`, which may be 64; NONE when there is none. */
function bit64From(low: number, high: number, index: number): number {
  const inLow = bitsFrom(low, index);
  if (inLow !== 0) return lowestBit(inLow);
  const inHigh = bitsFrom(high, Math.max(index - 32, 0));
  return inHigh === 0 ? NONE : 32 + lowestBit(inHigh);
}

function bitsBelow(word: number, index: number): number {
  return index > 31 ? word : word & ~(-1 << index);
}

function countBelow(low: number, high: number, index: number): number {
  return countBits(bitsBelow(low, index)) + (index > 32 ? countBits(bitsBelow(high, index - 32)) : 0);
}

function atRank(low: number, high: number, rank: number): number {
  const inLow = countBits(low);
  return rank < inLow ? bitAtRank(low, rank) : 32 + bitAtRank(high, rank - inLow);
}
