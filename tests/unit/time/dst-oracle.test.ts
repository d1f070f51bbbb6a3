import { describe, expect, it } from 'vitest';
import { compileTrigger, nextSlot, type TriggerContext } from '../../../src/domain/time/compile.ts';
import type { DstPolicy } from '../../../src/domain/time/trigger.ts';
import { naiveInstants, policyOf, transitionsOf } from './support/naive-clock.ts';
import { type NaiveCron, naiveCron } from './support/naive-cron.ts';
import { randomFrom } from './support/random.ts';
import { cases, STRANGE_ZONES } from './support/tools.ts';

const SEED = 291;
const WINDOW_MS = 30 * 3_600_000;
const EXPRESSIONS = [
  '30 2 * * *',
  '0 0 * * *',
  '0 9 * * *',
  '30 2,14 * * *',
  '30,50 2 * * *',
  '15,45 0,2,3,23 * * *',
  '30 1-3 * * *',
  '0 12 L * *',
  '5 1 * * MON-FRI',
  '0 0 1 * 1#1',
  '0 * * * *',
  '*/5 * * * *',
  '*/15 2 * * *',
  '*/20 0-3 * * *',
  '7 */2 * * *',
  '0 30 * * * *',
  '30 59 1,2,23 * * *',
];
const POLICIES: readonly DstPolicy[] = [
  {},
  {},
  {},
  ...(['NEXT_VALID', 'SHIFT', 'SKIP'] as const).flatMap((gap) =>
    (['FIRST', 'SECOND', 'BOTH'] as const).map((fold) => ({ gap, fold })),
  ),
];

describe('around a clock change', () => {
  it(`cron fires where each local time, asked on its own, lies: strange zones, 1971 to 2040, all policies (seed ${SEED})`, () => {
    const random = randomFrom(SEED);
    const naive = new Map(EXPRESSIONS.map((text) => [text, naiveCron(text)] as const));
    const transitions = STRANGE_ZONES.flatMap((tz) => transitionsOf(tz, 1971, 2040).map((at) => ({ tz, at })));
    for (let turn = 0; turn < cases(2500); turn++) {
      const { tz, at } = random.pick(transitions);
      const [text, expression] = random.pick([...naive]);
      const dst = random.pick(POLICIES);
      const expected = slotsAround(expression, tz, at, dst);
      const found = slotsUpTo(text, { tz, dst }, [at - WINDOW_MS, at + WINDOW_MS]);
      expect({ tz, change: new Date(at).toISOString(), text, dst, slots: found }).toEqual({
        tz,
        change: new Date(at).toISOString(),
        text,
        dst,
        slots: expected,
      });
    }
  });

  it(`a slot of that one day is found from months before (seed ${SEED})`, () => {
    const random = randomFrom(SEED);
    const transitions = STRANGE_ZONES.flatMap((tz) => transitionsOf(tz, 1971, 2040).map((at) => ({ tz, at })));
    for (let turn = 0; turn < cases(1000); turn++) {
      const { tz, at } = random.pick(transitions);
      const { day, month } = Temporal.Instant.fromEpochMilliseconds(at - random.below(2)).toZonedDateTimeISO(tz);
      const text = `${random.pick(['0', '30', '*/30', '15,45'])} ${random.pick(['0-3', '1', '2', '23', '*/2'])} ${day} ${month} *`;
      const dst = random.pick(POLICIES);
      const expected = slotsAround(naiveCron(text), tz, at, dst);
      const found = slotsUpTo(text, { tz, dst }, [at - 200 * 86_400_000, at + WINDOW_MS]);
      expect({ tz, text, dst, slots: found }).toEqual({ tz, text, dst, slots: expected });
    }
  });
});

function slotsAround(expression: NaiveCron, tz: string, change: number, dst: DstPolicy): string[] {
  const policy = policyOf(expression.wild, dst);
  const first = Temporal.Instant.fromEpochMilliseconds(change - WINDOW_MS)
    .toZonedDateTimeISO(tz)
    .toPlainDate()
    .subtract({ days: 1 });
  const slots = new Set<number>();
  for (let day = 0; day < 6; day++) {
    const date = first.add({ days: day });
    if (!expression.matchesDate(date)) continue;
    for (const time of expression.times)
      for (const at of naiveInstants(date.toPlainDateTime(time), tz, policy)) slots.add(at);
  }
  return texts([...slots].filter((at) => at > change - WINDOW_MS && at <= change + WINDOW_MS).sort((a, b) => a - b));
}

function slotsUpTo(text: string, context: TriggerContext, [after, last]: readonly [number, number]): string[] {
  const trigger = compileTrigger({ type: 'CRON', cron: text }, context);
  const slots: number[] = [];
  for (let at = nextSlot(trigger, after); at !== null && at <= last; at = nextSlot(trigger, at)) slots.push(at);
  return texts(slots);
}

function texts(slots: readonly number[]): string[] {
  return slots.map((at) => new Date(at).toISOString());
}
