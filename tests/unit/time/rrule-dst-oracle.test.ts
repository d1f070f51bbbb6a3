import { describe, expect, it } from 'vitest';
import { compileTrigger, nextSlot } from '../../../src/domain/time/compile.ts';
import type { DstPolicy } from '../../../src/domain/time/trigger.ts';
import { naiveInstants, policyOf, transitionsOf } from './support/naive-clock.ts';
import { naiveRrule } from './support/naive-rrule.ts';
import { type Random, randomFrom } from './support/random.ts';
import { cases, STRANGE_ZONES } from './support/tools.ts';

const SEED = 1883;
const DAY_MS = 86_400_000;
const NIGHT = ['0', '1', '2', '3', '23'];

/** A rule of days or more whose times lie where clocks change. */
function nightRule({ pick, list, chance }: Random): string {
  const days = pick([
    'FREQ=DAILY',
    'FREQ=DAILY;INTERVAL=2',
    'FREQ=WEEKLY;BYDAY=SU,SA,FR',
    'FREQ=MONTHLY;BYDAY=SU,-1SA',
    'FREQ=YEARLY;BYDAY=SU,FR',
  ]);
  const times = `BYHOUR=${list(3, () => pick(NIGHT))};BYMINUTE=${list(2, () => pick(['0', '15', '30', '45']))};BYSECOND=0`;
  return `${days};${times}${chance(0.2) ? ';BYSETPOS=1,-1,2' : ''}`;
}

/** A rule of hours or less without times of its own within the step, as a step in seconds and the wall times it allows. */
function realTimeRule({ below, chance, list, pick }: Random): {
  readonly rule: string;
  readonly stepSec: number;
  readonly hours: string;
  readonly minutes: string;
} {
  const hourly = chance(0.5);
  const interval = 1 + below(hourly ? 7 : 200);
  const hours = chance(0.6) ? list(4, () => pick(NIGHT)) : '';
  const minutes = !hourly && chance(0.4) ? list(4, () => below(12) * 5) : '';
  const parts = [
    `FREQ=${hourly ? 'HOURLY' : 'MINUTELY'}`,
    `INTERVAL=${interval}`,
    hours && `BYHOUR=${hours}`,
    minutes && `BYMINUTE=${minutes}`,
  ];
  return {
    rule: parts.filter((part) => part !== '').join(';'),
    stepSec: interval * (hourly ? 3600 : 60),
    hours,
    minutes,
  };
}

describe('around a clock change', () => {
  const random = randomFrom(SEED);
  const transitions = STRANGE_ZONES.flatMap((tz) => transitionsOf(tz, 1972, 2037).map((at) => ({ tz, at })));

  it(`an RRULE of days or more fires where its local times, asked one by one, lie (seed ${SEED})`, () => {
    for (let turn = 0; turn < cases(250); turn++) {
      const { tz, at } = random.pick(transitions);
      const rule = nightRule(random);
      const dst: DstPolicy = random.chance(0.4)
        ? {}
        : { gap: random.pick(['NEXT_VALID', 'SHIFT', 'SKIP']), fold: random.pick(['FIRST', 'SECOND', 'BOTH']) };
      const start = Temporal.Instant.fromEpochMilliseconds(at - 4 * DAY_MS)
        .toZonedDateTimeISO(tz)
        .toPlainDate()
        .toString();
      const local = naiveRrule({ rule, start: `${start}T00:00:00` }, 60, 2045) ?? [];
      const expected = new Set(
        local.flatMap((time) => naiveInstants(Temporal.PlainDateTime.from(time), tz, policyOf(false, dst))),
      );
      const trigger = compileTrigger({ type: 'RRULE', rrule: rule, dtstart: start }, { tz, dst });
      const last = Math.min(at + 4 * DAY_MS, Math.max(...expected) - DAY_MS);
      expect({ tz, start, rule, dst, slots: slotsUpTo(trigger, at - 6 * DAY_MS, last) }).toEqual({
        tz,
        start,
        rule,
        dst,
        slots: [...expected].filter((slot) => slot <= last).sort((a, b) => a - b),
      });
    }
  });

  it(`an RRULE of hours or less steps in real time and looks at the clock (seed ${SEED})`, () => {
    for (let turn = 0; turn < cases(250); turn++) {
      const { tz, at } = random.pick(transitions);
      const { rule, stepSec, hours, minutes } = realTimeRule(random);
      const start = at - 2 * DAY_MS - random.below(DAY_MS / 1000) * 1000;
      const expected: number[] = [];
      for (let step = start; step <= at + 2 * DAY_MS; step += stepSec * 1000) {
        const { hour, minute } = Temporal.Instant.fromEpochMilliseconds(step).toZonedDateTimeISO(tz);
        const allowed = (list: string, value: number): boolean =>
          list === '' || list.split(',').includes(String(value));
        if (allowed(hours, hour) && allowed(minutes, minute)) expected.push(step);
      }
      const trigger = compileTrigger({ type: 'RRULE', rrule: rule, dtstart: new Date(start).toISOString() }, { tz });
      const found = slotsUpTo(trigger, start - DAY_MS, at + 2 * DAY_MS);
      expect({ tz, start, rule, slots: found }).toEqual({ tz, start, rule, slots: expected });
    }
  });
});

function slotsUpTo(trigger: ReturnType<typeof compileTrigger>, after: number, last: number): number[] {
  const slots: number[] = [];
  for (let at = nextSlot(trigger, after); at !== null && at <= last; at = nextSlot(trigger, at)) slots.push(at);
  return slots;
}
