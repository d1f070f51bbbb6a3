import { neverReached } from '../never.ts';
import { parseDuration } from './duration.ts';
import { explainCron } from './explain-cron.ts';
import { explainRrule } from './explain-rrule.ts';
import type { Trigger } from './trigger.ts';
import { everyUnit, listed, sentence } from './words.ts';
import { localTime, parseInstant } from './zone.ts';

/** What a normalised trigger does, in one English sentence without a full stop. Times are those of its zone. Throws DomainError INVALID_TRIGGER. */
export function explain(trigger: Trigger, tz: string): string {
  switch (trigger.type) {
    case 'CRON':
      return explainCron(trigger.cron);
    case 'RRULE':
      return explainRrule(trigger, tz);
    case 'INTERVAL':
      return sentence(
        [
          everyLength(trigger.every ?? trigger.iso8601 ?? ''),
          countedFrom(trigger.anchor),
          timesOf(trigger.repeat),
        ].join(''),
      );
    case 'FIXED_DELAY':
      return `${sentence(lengthOf(`${trigger.delaySec}s`))} after the run before has ended`;
    case 'ONE_SHOT': {
      const at = parseInstant(trigger.startAt);
      return `Once, at ${at === null ? trigger.startAt : localTime(at, tz)}`;
    }
    default:
      return neverReached(trigger);
  }
}

function countedFrom(anchor: string | undefined): string {
  return anchor === undefined ? '' : `, counted from ${anchor.replace('.000Z', 'Z')}`;
}

function timesOf(repeat: number | undefined): string {
  return repeat === undefined ? '' : repeat === 1 ? ', once' : `, ${repeat} times`;
}

/** `every hour`, `every 90 minutes` is left as `every 1 hour and 30 minutes`. */
function everyLength(text: string): string {
  const [single, ...more] = unitsOf(text);
  if (single === undefined) return `every ${text}`;
  return more.length === 0 ? everyUnit(single.count, single.unit) : `every ${lengthOf(text)}`;
}

function lengthOf(text: string): string {
  return listed(unitsOf(text).map(({ count, unit }) => `${count} ${unit}${count === 1 ? '' : 's'}`));
}

function unitsOf(text: string): { readonly count: number; readonly unit: string }[] {
  const duration = parseDuration(text) ?? { months: 0, days: 0, ms: 0 };
  const seconds = Math.trunc(duration.ms / 1000);
  return [
    { count: Math.trunc(duration.months / 12), unit: 'year' },
    { count: duration.months % 12, unit: 'month' },
    { count: duration.days, unit: 'day' },
    { count: Math.trunc(seconds / 3600), unit: 'hour' },
    { count: Math.trunc(seconds / 60) % 60, unit: 'minute' },
    { count: seconds % 60, unit: 'second' },
  ].filter(({ count }) => count > 0);
}
