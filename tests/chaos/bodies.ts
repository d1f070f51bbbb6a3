import type { Plan, PlannedTrigger } from './history.ts';

/* What requests say: the service's own forms of what a plan holds. */

const DAY_MS = 86_400_000;

/** A schedule that delivers to `url`; the mark tells this definition from others of the plan. */
export function bodyOf(plan: Plan, url: string, mark: number) {
  return {
    name: `plan ${plan.index}`,
    labels: { plan: String(plan.index) },
    tz: plan.tz,
    trigger: shownTrigger(plan.trigger),
    target: targetOf(plan, url),
    payload: { plan: plan.index, mark },
    overlapPolicy: plan.overlap,
    misfire: { ...plan.misfire, windowSec: 86_400 },
    jitter: plan.jitterSec === 0 ? null : `PT${plan.jitterSec}S`,
    retry: {
      maxAttempts: plan.maxAttempts,
      initialDelaySec: 1,
      backoffCoefficient: 1,
      maxDelaySec: 2,
      jitter: 1,
      maxAgeSec: 3_600,
    },
    calendars: plan.calendar === null ? null : { exclude: [plan.calendar], onExcluded: 'SKIP' },
    timeoutSec: plan.timeoutSec,
    endAt: new Date(plan.endAt).toISOString(),
  };
}

/** The last seconds, most of which have runs, or as long before the schedule was made, when it had none. */
export function stretchToBackfill({ trigger }: Plan, dice: number): { readonly from: number; readonly to: number } {
  const length = 2_000 + Math.floor(dice * 15_000);
  const now = Date.now();
  if (dice < 0.5) return { from: now - length, to: now };
  const from =
    trigger.type === 'INTERVAL' ? trigger.anchor : trigger.type === 'RRULE' ? trigger.dtstart : now - 3_600_000;
  return { from, to: from + length };
}

/** Those of the campaign, wherever on earth; or far away ones. */
export function datesOf(isShut: boolean): {
  readonly ranges: readonly { readonly from: string; readonly to: string }[];
} {
  const day = (from: number): string => new Date(Date.now() + from * DAY_MS).toISOString().slice(0, 10);
  const [from, to] = isShut ? [-2, 3] : [1_000, 1_001];
  return { ranges: [{ from: day(from), to: day(to) }] };
}

export function anotherTrigger({ trigger }: Plan, dice: number): PlannedTrigger | undefined {
  const anchor = trigger.type === 'INTERVAL' ? trigger.anchor : 0;
  const all: readonly PlannedTrigger[] = [
    { type: 'INTERVAL', everySec: 1, anchor },
    { type: 'INTERVAL', everySec: 3, anchor: anchor + 1_000 },
    { type: 'CRON', cron: '1-59/2 * * * * *' },
    { type: 'CRON', cron: '*/5 * * * * *' },
    { type: 'RRULE', rrule: 'FREQ=SECONDLY;INTERVAL=4', dtstart: anchor },
  ];
  return all[Math.floor(dice * all.length)];
}

export function shownTrigger(trigger: PlannedTrigger): unknown {
  switch (trigger.type) {
    case 'INTERVAL':
      return { type: 'INTERVAL', every: `PT${trigger.everySec}S`, anchor: new Date(trigger.anchor).toISOString() };
    case 'RRULE':
      return { type: 'RRULE', rrule: trigger.rrule, dtstart: new Date(trigger.dtstart).toISOString() };
    case 'ONE_SHOT':
      return { type: 'ONE_SHOT', startAt: new Date(trigger.at).toISOString() };
    case 'CRON':
    case 'FIXED_DELAY':
      return trigger;
  }
}

function targetOf({ target, index }: Plan, url: string): unknown {
  switch (target) {
    case 'EVENT':
      return { kind: 'EVENT', eventTopic: `chaos.plan-${index}` };
    case 'QUEUE':
      return { kind: 'QUEUE', queue: { topic: `chaos.plan-${index}`, driver: 'NATS' } };
    case 'HTTP':
      return { kind: 'HTTP', http: { url, method: 'POST', headers: {} } };
  }
}
