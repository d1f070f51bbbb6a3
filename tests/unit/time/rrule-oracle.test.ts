import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { naiveRrule } from './support/naive-rrule.ts';
import { randomFrom } from './support/random.ts';
import { type RruleCase, randomRrule } from './support/random-rrule.ts';
import { cases, compiled, slotsAfter } from './support/tools.ts';

const SEED = 5545;
const FIRST = 10;
const PYTHON = spawnSync('python3', ['-c', 'import dateutil'], { encoding: 'utf8' }).status === 0;

function slotTexts({ rule, start }: RruleCase, lastYear: number): string[] {
  const trigger = compiled({ type: 'RRULE', rrule: rule, dtstart: start });
  return slotsAfter(trigger, -1, FIRST)
    .filter((at) => at < Date.UTC(lastYear, 0, 1))
    .map((at) => new Date(at).toISOString().slice(0, 19));
}

/** The shapes on which python-dateutil does not do what RFC 5545 says; see the examples in rrule.test.ts. */
function isKnownDisagreement({ rule }: RruleCase): boolean {
  const parts = new Map(rule.split(';').map((part) => part.split('=') as [string, string]));
  const days = parts.get('BYDAY')?.split(',') ?? [];
  const mixed = days.some((day) => day.length > 2) && days.some((day) => day.length === 2);
  const bareWeek = parts.has('BYWEEKNO') && !parts.has('BYDAY');
  const lateWeek = /-5[0-3]/.test(parts.get('BYWEEKNO') ?? '');
  return mixed || bareWeek || lateWeek || (parts.get('FREQ') === 'WEEKLY' && parts.has('BYSETPOS'));
}

describe('any RRULE', () => {
  it(`has the instances that RFC 5545 read literally gives it (seed ${SEED})`, () => {
    const random = randomFrom(SEED);
    let compared = 0;
    for (let turn = 0; turn < cases(120); turn++) {
      const one = randomRrule(random);
      const expected = naiveRrule(one, FIRST, 2040);
      if (expected === null) continue; // too sparse to be found by trying
      expect({ ...one, slots: slotTexts(one, 2040) }).toEqual({ ...one, slots: expected });
      compared += 1;
    }
    expect(compared).toBeGreaterThan(cases(90));
  });

  it.skipIf(!PYTHON)(`has the instances that python-dateutil gives it, but for its known faults (seed ${SEED})`, () => {
    const random = randomFrom(SEED);
    const all = Array.from({ length: cases(150) }, () => randomRrule(random)).filter(
      (one) => !isKnownDisagreement(one),
    );
    const input = all.map((one) => JSON.stringify({ ...one, count: FIRST })).join('\n');
    const script = new URL('support/rrule-by-dateutil.py', import.meta.url).pathname;
    const answers = spawnSync('python3', [script], { input, encoding: 'utf8', maxBuffer: 2 ** 30 })
      .stdout.trim()
      .split('\n');
    expect(answers).toHaveLength(all.length);
    let compared = 0;
    for (const [index, one] of all.entries()) {
      const expected = JSON.parse(answers[index] ?? 'null') as string[] | null;
      if (expected === null) continue; // too sparse to be found in its time
      expect({ ...one, slots: slotTexts(one, 2095) }).toEqual({ ...one, slots: expected });
      compared += 1;
    }
    expect(compared).toBeGreaterThan(cases(80));
  });
});
