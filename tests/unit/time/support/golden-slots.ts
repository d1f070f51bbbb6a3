import { compileTrigger, normaliseTrigger } from '../../../../src/domain/time/compile.ts';
import type { DstPolicy, Trigger } from '../../../../src/domain/time/trigger.ts';
import { STRANGE_ZONES, slotsAfter } from './tools.ts';

/*
 * The next 100 slots of triggers in many zones, from before both clock changes of a year, as a text small enough to be kept:
 * a block for each trigger and instant, in it a line for all zones with the same slots. A line has its first slot and the
 * steps from one slot to the next, `1d*27` for 27 days.
 */

interface GoldenCase {
  readonly trigger: Trigger;
  readonly dst?: DstPolicy;
  readonly zones: readonly string[];
}

const COUNT = 100;
const DAY_SEC = 86_400;
/** When the triggers are made: what they leave open is counted from here. */
const MADE_AT = Date.UTC(2026, 0, 1);
/** Before a spring and an autumn of either hemisphere. */
const CURSORS = [Date.UTC(2026, 2, 1), Date.UTC(2026, 8, 1)];
const ALL_ZONES = [...new Set([...Intl.supportedValuesOf('timeZone'), ...STRANGE_ZONES])].sort();
const SOME_ZONES = [
  'UTC',
  'Europe/Berlin',
  'Europe/London',
  'America/New_York',
  'America/Havana',
  'America/St_Johns',
  'America/Santiago',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Antarctica/Troll',
  'Pacific/Chatham',
];

const cron = (text: string): Trigger => ({ type: 'CRON', cron: text });
const rrule = (text: string, dtstart = '2025-06-30T02:30:00'): Trigger => ({ type: 'RRULE', rrule: text, dtstart });
const interval = (every: string, anchor: string): Trigger => ({ type: 'INTERVAL', every, anchor });

const CASES: readonly GoldenCase[] = [
  ...[cron('30 2 * * *'), interval('P1M', '2026-01-01T12:00:00')].map((trigger) => ({ trigger, zones: ALL_ZONES })),
  ...[
    cron('0 0 * * *'),
    cron('*/20 0-3 * * *'),
    cron('7 * * * *'),
    cron('0 9 LW * *'),
    cron('30 1 * * SUN#2,SUNL'),
    rrule('FREQ=DAILY;BYHOUR=1,2;BYMINUTE=0,30'),
    rrule('FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1'),
    rrule('FREQ=YEARLY;BYWEEKNO=13,43;BYDAY=SU'),
    rrule('FREQ=HOURLY;INTERVAL=5'),
    rrule('FREQ=WEEKLY;COUNT=60'),
    interval('PT6H', '2026-01-01T00:00:00'),
    interval('P1DT1H', '2026-01-01T02:30:00'),
    { type: 'FIXED_DELAY', delaySec: 90 } as const,
    { type: 'ONE_SHOT', startAt: '2026-10-25T02:30:00' } as const,
  ].map((trigger) => ({ trigger, zones: SOME_ZONES })),
  { trigger: cron('30 2 * * *'), dst: { gap: 'SKIP', fold: 'BOTH' }, zones: SOME_ZONES },
  { trigger: cron('30 2 * * *'), dst: { gap: 'SHIFT', fold: 'SECOND' }, zones: SOME_ZONES },
];

/** Trigger and instant → slots → the zones that have them, as the runtime computes them now. */
export function goldenText(): string {
  return CASES.flatMap((one) => CURSORS.map((after) => blockOf(one, after))).join('\n');
}

/** Where two such texts differ: zone → a trigger for which it has other slots, in the first and in the second. */
export function changedZones(kept: string, found: string): Map<string, string> {
  const changed = new Map<string, string>();
  const linesOfKept = linesByZone(kept);
  const linesOfFound = linesByZone(found);
  for (const key of new Set([...linesOfKept.keys(), ...linesOfFound.keys()])) {
    const [before, after] = [linesOfKept.get(key), linesOfFound.get(key)];
    const [zone = '', title = ''] = key.split('\t');
    if (before !== after && !changed.has(zone)) changed.set(zone, `${title}\n    kept  ${before}\n    found ${after}`);
  }
  return changed;
}

function blockOf({ trigger, dst, zones }: GoldenCase, after: number): string {
  const bySlots = new Map<string, string[]>();
  for (const tz of zones) {
    const compiled = compileTrigger(normaliseTrigger(trigger, tz, MADE_AT), { tz, dst });
    const slots = stepsOf(slotsAfter(compiled, after, COUNT));
    bySlots.set(slots, [...(bySlots.get(slots) ?? []), tz]);
  }
  const lines = [...bySlots].map(([slots, having]) => `${slots} : ${having.join(' ')}`);
  const choice = dst === undefined ? '' : ` ${JSON.stringify(dst)}`;
  return `> ${JSON.stringify(trigger)}${choice} after ${instantText(after)}\n${lines.join('\n')}\n`;
}

function stepsOf(slots: readonly number[]): string {
  const [first] = slots;
  if (first === undefined) return 'none';
  const runs: { step: number; times: number }[] = [];
  for (const [index, slot] of slots.slice(1).entries()) {
    const step = (slot - (slots[index] ?? slot)) / 1000;
    const last = runs.at(-1);
    if (last?.step === step) last.times += 1;
    else runs.push({ step, times: 1 });
  }
  const steps = runs.map(({ step, times }) => (times === 1 ? stepText(step) : `${stepText(step)}*${times}`));
  return [instantText(first), ...steps].join(' ');
}

/** `20m`, `1d`, and `1d-1h` for the day on which clocks go forward. */
function stepText(step: number): string {
  const days = Math.round(step / DAY_SEC);
  const rest = step - days * DAY_SEC;
  const unit = [3600, 60].find((size) => rest % size === 0) ?? 1;
  const fine = rest === 0 ? '' : `${rest / unit}${{ 3600: 'h', 60: 'm' }[unit] ?? 's'}`;
  return days === 0 ? fine : `${days}d${rest > 0 ? '+' : ''}${fine}`;
}

function linesByZone(text: string): Map<string, string> {
  const lines = new Map<string, string>();
  let title = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('> ')) title = line.slice(2);
    const [slots = '', zones] = line.split(' : ');
    for (const zone of zones?.split(' ') ?? []) lines.set(`${zone}\t${title}`, slots);
  }
  return lines;
}

function instantText(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}
