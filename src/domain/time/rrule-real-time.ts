import type { RealTimeRule } from './real-time-rule.ts';
import { dayFilterOf } from './rrule-days.ts';
import type { RruleParts } from './rrule-parse.ts';
import { indexesOf } from './set-rule.ts';
import { type Bits64, bits64, countTimes, type TimesOfDay, timeAtRank, timesOfDay } from './times-of-day.ts';

const UNITS = { HOURLY: 3600, MINUTELY: 60, SECONDLY: 1 } as const;
const ALL_HOURS = 0xff_ffff;
const ALL_MINUTES: Bits64 = { low: -1, high: 0xfff_ffff };
const ZERO: Bits64 = { low: 1, high: 0 };

export type RealTimeFrequency = keyof typeof UNITS;

export function isRealTime(freq: RruleParts['freq']): freq is RealTimeFrequency {
  return freq in UNITS;
}

/** A rule that steps in hours, minutes or seconds from `baseSec`, at which the clock shows `baseWall`. Null when its BYSETPOS leaves nothing. */
export function realTimeRuleOf(
  parts: RruleParts,
  freq: RealTimeFrequency,
  baseSec: number,
  baseWall: number,
): RealTimeRule | null {
  const unit = unitOf(parts, freq);
  const inner = unit === 1 ? null : innerTimes(parts, unit, baseWall);
  const size = inner === null ? 1 : countTimes(inner);
  const picked = parts.bySetPos === null ? null : indexesOf(parts.bySetPos, size);
  if (picked?.length === 0) return null;
  return {
    kind: 'REAL_TIME',
    baseSec,
    stepSec: parts.interval * UNITS[freq],
    unit,
    days: dayFilterOf(parts),
    times: allowedTimes(parts, freq),
    inner: inner === null || picked === null ? inner : Int16Array.from(picked, (index) => timeAtRank(inner, index)),
  };
}

/** The largest clock unit within which the rule names times of its own; 1 when it names none. */
function unitOf(parts: RruleParts, freq: RealTimeFrequency): RealTimeRule['unit'] {
  if (freq === 'HOURLY' && parts.byMinute !== null) return 3600;
  return freq !== 'SECONDLY' && parts.bySecond !== null ? 60 : 1;
}

function innerTimes(parts: RruleParts, unit: 60 | 3600, baseWall: number): TimesOfDay {
  return timesOfDay(1, unit === 3600 ? bits64(parts.byMinute ?? []) : ZERO, bits64(parts.bySecond ?? [baseWall % 60]));
}

function allowedTimes(parts: RruleParts, freq: RealTimeFrequency): TimesOfDay | null {
  const minutes = freq === 'HOURLY' ? null : parts.byMinute;
  const seconds = freq === 'SECONDLY' ? parts.bySecond : null;
  if (parts.byHour === null && minutes === null && seconds === null) return null;
  return timesOfDay(
    parts.byHour === null ? ALL_HOURS : bits64(parts.byHour).low,
    minutes === null ? ALL_MINUTES : bits64(minutes),
    seconds === null ? ALL_MINUTES : bits64(seconds),
  );
}
