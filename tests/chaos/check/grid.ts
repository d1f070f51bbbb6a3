import { Cron } from 'croner';
import { RRuleTemporal } from 'rrule-temporal';
import type { PlannedTrigger } from '../history.ts';

/** The slots of a trigger in (after, upTo], by arithmetic and by libraries that the service does not use; null for a chain. */
export function gridOf(trigger: PlannedTrigger, tz: string, after: number, upTo: number): readonly number[] | null {
  switch (trigger.type) {
    case 'INTERVAL':
      return interval(trigger.anchor, trigger.everySec * 1000, after, upTo);
    case 'CRON':
      return cron(trigger.cron, tz, after, upTo);
    case 'RRULE':
      return rrule(trigger, after, upTo);
    case 'ONE_SHOT':
      return trigger.at > after && trigger.at <= upTo ? [trigger.at] : [];
    case 'FIXED_DELAY':
      return null;
  }
}

function interval(anchor: number, step: number, after: number, upTo: number): readonly number[] {
  const slots: number[] = [];
  for (let slot = anchor + step * Math.max(0, Math.floor((after - anchor) / step) + 1); slot <= upTo; slot += step) {
    slots.push(slot);
  }
  return slots;
}

function cron(text: string, tz: string, after: number, upTo: number): readonly number[] {
  const expression = new Cron(text, { timezone: tz, mode: '6-part' });
  const slots: number[] = [];
  let next = expression.nextRun(new Date(after));
  while (next !== null && next.getTime() <= upTo) {
    slots.push(next.getTime());
    next = expression.nextRun(next);
  }
  return slots;
}

function rrule(trigger: { readonly rrule: string; readonly dtstart: number }, after: number, upTo: number) {
  const start = new Date(trigger.dtstart).toISOString().replace(/[-:]|\.\d+/g, '');
  const rule = new RRuleTemporal({ rruleString: `DTSTART:${start}\nRRULE:${trigger.rrule}` });
  return rule
    .between(new Date(after), new Date(upTo), true)
    .map((instant) => instant.epochMilliseconds)
    .filter((slot) => slot > after);
}
