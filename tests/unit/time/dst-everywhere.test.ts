import { expect, it } from 'vitest';
import { type CompiledTrigger, compileTrigger, nextSlot } from '../../../src/domain/time/compile.ts';
import type { DstPolicy } from '../../../src/domain/time/trigger.ts';
import { type ClockChange, clockChanges, firesAround } from './support/brute-clock.ts';
import { policyOf } from './support/naive-clock.ts';
import { naiveCron } from './support/naive-cron.ts';
import { STRANGE_ZONES } from './support/tools.ts';

/* Every change of every zone's clock from 1990 to 2037 × a corpus of shapes × the default policy and one of the nine. */

const FROM_YEAR = 1990;
const TO_YEAR = 2037;
const HOUR_SEC = 3600;
const EXPRESSIONS = [
  '30 2 * * *',
  '0 0 * * *',
  '30 0 * * *',
  '0 9 * * *',
  '0 2,3 * * *',
  '30,50 2 * * *',
  '15,45 0,1,2,3,23 * * *',
  '30 1-3 * * *',
  '30 0 L * *',
  '5 1 * * MON-FRI',
  '59 59 23 * * SUN',
  '30 2 ? * SUNL',
  '0 0 1 * 1#1',
  '0 * * * *',
  '*/5 * * * *',
  '*/15 2 * * *',
  '*/20 0-3 * * *',
  '7 */2 * * *',
  '*/30 59 1,2,23 * * *',
];
const GAPS = ['NEXT_VALID', 'SHIFT', 'SKIP'] as const;
const FOLDS = ['FIRST', 'SECOND', 'BOTH'] as const;
const CHOSEN: readonly DstPolicy[] = GAPS.flatMap((gap) => FOLDS.map((fold) => ({ gap, fold })));

const shapes = EXPRESSIONS.map((text) => ({ text, naive: naiveCron(text) }));
const zones = [...new Set([...Intl.supportedValuesOf('timeZone'), ...STRANGE_ZONES])];

/** Zones share most of their changes: what fires there is found once. */
const known = new Map<string, readonly number[]>();

function once(key: string, find: () => readonly number[]): readonly number[] {
  const found = known.get(key) ?? find();
  known.set(key, found);
  return found;
}

/** Far enough for the dates on both sides; for what fires all day some hours are enough, unless a date is skipped. */
function windowOf({ before, near }: ClockChange, wild: boolean): number {
  const offsets = [before, ...near.map(({ offset }) => offset)];
  const skipsDate = Math.max(...offsets) - Math.min(...offsets) > 3 * HOUR_SEC;
  return (skipsDate ? 40 : wild ? 5 : 14) * HOUR_SEC;
}

function firesIn(trigger: CompiledTrigger, afterSec: number, lastSec: number): number[] {
  const fires: number[] = [];
  for (let at = nextSlot(trigger, afterSec * 1000); at !== null && at <= lastSec * 1000; at = nextSlot(trigger, at))
    fires.push(at / 1000);
  return fires;
}

it('cron fires where brute force says, at every change of every zone’s clock from 1990 to 2037', () => {
  const count = { zones: 0, changes: 0, compared: 0, slots: 0 };
  for (const tz of zones) {
    const changes = clockChanges(tz, FROM_YEAR, TO_YEAR);
    count.zones += changes.length > 0 ? 1 : 0;
    count.changes += changes.length;
    const compiled = new Map<string, CompiledTrigger>();
    for (const change of changes) {
      const ofChange = JSON.stringify(change);
      for (const [shape, { text, naive }] of shapes.entries()) {
        const windowSec = windowOf(change, naive.wild);
        // Which of the nine a shape meets depends on the change, so that each meets all of them hundreds of times.
        const chosen = CHOSEN[(Math.trunc(change.at / 900) + shape) % CHOSEN.length] ?? {};
        for (const dst of [{}, chosen]) {
          const key = `${text} ${dst.gap} ${dst.fold}`;
          const trigger = compiled.get(key) ?? compileTrigger({ type: 'CRON', cron: text }, { tz, dst });
          compiled.set(key, trigger);
          const found = firesIn(trigger, change.at - windowSec, change.at + windowSec);
          const expected = once(ofChange + key, () => firesAround(change, naive, policyOf(naive.wild, dst), windowSec));
          count.compared += 1;
          count.slots += found.length;
          if (found.length === expected.length && found.every((at, index) => at === expected[index])) continue;
          const of = { tz, change: instantText(change.at), text, dst };
          expect({ ...of, fires: found.map(instantText) }).toEqual({ ...of, fires: expected.map(instantText) });
        }
      }
    }
  }
  console.log(
    `Clock changes ${FROM_YEAR} to ${TO_YEAR}, zone data ${process.versions['tz']}: ${count.changes} changes of ${count.zones} zones, ${count.compared} comparisons of ${count.slots} slots, 0 unexplained`,
  );
  expect(count.zones).toBeGreaterThan(250);
  expect(count.changes).toBeGreaterThan(15_000);
}, 300_000);

function instantText(atSec: number): string {
  return new Date(atSec * 1000).toISOString();
}
