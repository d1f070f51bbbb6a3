import { counted, listed } from './words.ts';

/** The times of a day as three sets whose every combination is meant; rising, without repeats. */
export interface TimeSets {
  readonly hours: readonly number[];
  readonly minutes: readonly number[];
  readonly seconds: readonly number[];
}

const MOST_TIMES = 6;

/** `at 09:00`, `every 15 minutes, between 09:00 and 17:59`, `at second 0 of minutes 0, 7 and 14 of hours 9 to 17`. */
export function timesInWords(times: TimeSets): string {
  const { hours, minutes, seconds } = times;
  const all = { hours: hours.length === 24, minutes: minutes.length === 60, seconds: seconds.length === 60 };
  if (!all.seconds && hours.length * minutes.length * seconds.length <= MOST_TIMES)
    return `at ${listed(clockTimes(times))}`;
  if (all.minutes && all.seconds) return `every second${within(hours)}`;
  const secondStep = stepOf(seconds, 60);
  if (all.minutes && secondStep !== null) return `every ${secondStep} seconds${within(hours)}`;
  if (seconds.length > 1 || seconds[0] !== 0)
    return `at ${counted('second', seconds)} of ${minutesOf(minutes)}${all.minutes && all.hours ? '' : ofHours(hours)}`;
  if (all.minutes) return `every minute${within(hours)}`;
  const minuteStep = stepOf(minutes, 60);
  if (minuteStep !== null) return `every ${minuteStep} minutes${within(hours)}`;
  const [minute = 0, another] = minutes;
  if (another !== undefined)
    return all.hours ? `at ${counted('minute', minutes)} of every hour` : `at ${minutesOf(minutes)}${ofHours(hours)}`;
  return `${everyHour(hours)}${minute === 0 ? '' : `, at ${minute} minutes past the hour`}`;
}

/** `09:00`, with seconds where there are any. */
export function clockText(hour: number, minute: number, second: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(hour)}:${two(minute)}${second === 0 ? '' : `:${two(second)}`}`;
}

function clockTimes({ hours, minutes, seconds }: TimeSets): string[] {
  return hours.flatMap((hour) => minutes.flatMap((minute) => seconds.map((second) => clockText(hour, minute, second))));
}

function everyHour(hours: readonly number[]): string {
  if (hours.length === 24) return 'every hour';
  const step = stepOf(hours, 24);
  if (step !== null) return `every ${step} hours from midnight`;
  return isRun(hours)
    ? `every hour from ${clockText(hours[0] ?? 0, 0, 0)} to ${clockText(hours.at(-1) ?? 0, 0, 0)}`
    : `in ${counted('hour', hours)}`;
}

function within(hours: readonly number[]): string {
  if (hours.length === 24) return '';
  if (isRun(hours)) return `, between ${clockText(hours[0] ?? 0, 0, 0)} and ${clockText(hours.at(-1) ?? 0, 59, 0)}`;
  return `, in ${counted('hour', hours)}`;
}

function minutesOf(minutes: readonly number[]): string {
  return minutes.length === 60 ? 'every minute' : counted('minute', minutes);
}

function ofHours(hours: readonly number[]): string {
  return hours.length === 24 ? ' of every hour' : ` of ${counted('hour', hours)}`;
}

/** The n of every n-th value from 0 that also fits around the clock; null for other sets. */
function stepOf(values: readonly number[], width: number): number | null {
  const step = values[1] ?? 0;
  const even = values[0] === 0 && step > 1 && width % step === 0 && values.length === width / step;
  return even && values.every((value, index) => value === index * step) ? step : null;
}

function isRun(values: readonly number[]): boolean {
  return values.every((value, index) => value === (values[0] ?? 0) + index);
}
