import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExcludedDates } from '../../../src/domain/entities/definition.ts';
import { ScheduleEntity, type ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import type { SkippedSlots } from '../../../src/domain/entities/timer.ts';
import {
  mergedSpans,
  type OnExcluded,
  readDay,
  type Weekday,
  weekdayBits,
} from '../../../src/domain/time/business-days.ts';
import { compileTrigger, nextSlot } from '../../../src/domain/time/compile.ts';
import { localTime } from '../../../src/domain/time/zone.ts';
import { scheduleInput } from '../../support/scheduling.ts';
import { actAt, at, createdAt, DAY, HOUR, ID, MINUTE, TENANT, versionOf } from './builders.ts';

/** Friday 3 July 2026, 08:00 UTC. */
const FRIDAY = Date.UTC(2026, 6, 3, 8);
const WEEKEND = excluding([], ['SA', 'SU']);

function excluding(dates: readonly string[], weekly: readonly Weekday[] = [], revision = 1): ExcludedDates {
  const days = dates.map((date): [number, number] => [readDay(date) ?? 0, readDay(date) ?? 0]);
  return { revision, days: mergedSpans(days), weekly: weekdayBits(weekly) };
}

function under(onExcluded: OnExcluded, excluded = WEEKEND): Pick<ScheduleInput, 'calendars' | 'excluded'> {
  return { calendars: { exclude: ['days'], onExcluded }, excluded };
}

const NINE = { type: 'CRON', cron: '0 9 * * *' } as const;
const HOURLY = { type: 'CRON', cron: '0 * * * *' } as const;

function timerOf(given: Partial<ScheduleInput>, now = FRIDAY): unknown {
  const { timer } = createdAt(now, { trigger: NINE, ...given });
  return { slot: at(timer.slot), due: at(timer.due) };
}

describe('a schedule with calendars', () => {
  test('fires a moved slot on its new date, under its own name', () => {
    const saturday = FRIDAY + DAY;
    expect(timerOf(under('FOLLOWING'), saturday)).toEqual({
      slot: '2026-07-04T09:00:00Z',
      due: '2026-07-06T09:00:00Z',
    });
    expect(timerOf(under('SKIP'), saturday)).toEqual({ slot: '2026-07-04T09:00:00Z', due: '2026-07-04T09:00:00Z' });
  });

  test('fires at once what lies ahead and was to be due before now, and nothing from before its creation', () => {
    const noon = FRIDAY + 4 * HOUR;
    expect(timerOf(under('PRECEDING'), noon)).toEqual({ slot: '2026-07-04T09:00:00Z', due: '2026-07-03T12:00:00Z' });
    expect(timerOf(under('FOLLOWING'), FRIDAY + 2 * DAY + 2 * HOUR)).toEqual({
      slot: '2026-07-06T09:00:00Z',
      due: '2026-07-06T09:00:00Z',
    });
  });

  test('says when it fires next', () => {
    const saturday = FRIDAY + DAY;
    const next = (onExcluded: OnExcluded) =>
      createdAt(saturday, { trigger: NINE, ...under(onExcluded) }).nextFireAt?.toISOString();
    expect([next('SKIP'), next('FOLLOWING'), next('PRECEDING')]).toEqual([
      '2026-07-06T09:00:00.000Z',
      '2026-07-06T09:00:00.000Z',
      '2026-07-03T09:00:00.000Z',
    ]);
    const never = under('SKIP', excluding([], ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']));
    expect(createdAt(saturday, { trigger: NINE, ...never }).nextFireAt).toBeNull();
  });

  test('adds jitter behind the move', () => {
    const { timer } = createdAt(FRIDAY + DAY, { trigger: HOURLY, jitter: 'PT30M', ...under('SKIP') });
    expect(timer.due - timer.slot).toBeGreaterThanOrEqual(0);
    const monday = Date.UTC(2026, 6, 6, 9);
    const due = versionOf({
      trigger: { type: 'CRON', cron: '0 9 * * SUN' },
      jitter: 'PT30M',
      ...under('FOLLOWING'),
    }).dueOf(Date.UTC(2026, 6, 5, 9));
    expect([due >= monday, due < monday + 30 * MINUTE]).toEqual([true, true]);
  });

  test('that is a chain skips or puts off its slots, and never ahead', () => {
    const chain = { trigger: { type: 'FIXED_DELAY', delaySec: 3600 } } as const;
    const saturday = Date.UTC(2026, 6, 4, 9);
    const timer = { slot: saturday, due: saturday, cursor: 0, lastFired: 1, fires: 1 };
    expect(versionOf({ ...chain, ...under('SKIP') }).fire(timer, saturday, 'ENDED')).toMatchObject({
      fired: null,
      skipped: { from: saturday, to: saturday, count: 1, reason: 'CALENDAR' },
      next: { slot: saturday + HOUR, due: saturday + HOUR },
    });
    const put = versionOf({ ...chain, ...under('FOLLOWING') });
    const monday = saturday + 2 * DAY;
    expect(put.fire(timer, saturday, 'ENDED')).toMatchObject({
      fired: null,
      skipped: null,
      next: { slot: saturday, due: monday },
    });
    expect(put.fire({ ...timer, due: monday }, monday, 'ENDED')).toMatchObject({
      fired: { slot: saturday, due: monday },
    });
    expect(() => createdAt(FRIDAY, { ...chain, ...under('PRECEDING') })).toThrow('contradicts itself');
  });
});

describe('an excluded slot', () => {
  const friday = Date.UTC(2026, 6, 3, 23);
  const version = versionOf({ trigger: HOURLY, ...under('SKIP') });
  const saturday = { slot: friday + HOUR, due: friday + HOUR, cursor: friday, lastFired: friday, fires: 5 };

  test('is recorded when its time has come', () => {
    expect(version.fire(saturday, friday + HOUR, 'ENDED')).toMatchObject({
      fired: null,
      skipped: { from: friday + HOUR, to: friday + HOUR, count: 1, reason: 'CALENDAR' },
      next: { slot: friday + 2 * HOUR, cursor: friday + HOUR, lastFired: friday, fires: 5 },
    });
  });

  test('is one stretch with those behind it that have passed as well', () => {
    const { skipped, next } = version.fire(saturday, friday + 60 * HOUR, 'ENDED');
    expect(skipped).toEqual({ from: friday + HOUR, to: friday + 48 * HOUR, count: 48, reason: 'CALENDAR' });
    expect(next).toMatchObject({ slot: friday + 49 * HOUR });
  });

  test('does not use up a wish to skip the next one', () => {
    expect(version.fire({ ...saturday, skipNext: true }, friday + HOUR, 'ENDED').next).toMatchObject({
      skipNext: true,
    });
  });

  test('does not part what is missed: the latest slot that counts fires, all others have a record', () => {
    const late = { ...saturday, slot: friday, due: friday, cursor: friday - HOUR };
    const missed = version.fire(late, friday + 50 * HOUR, 'ENDED');
    expect(missed).toMatchObject({ fired: null, skipped: { from: friday, to: friday, reason: 'MISFIRE' } });
    expect(version.fire(late, friday + 40 * HOUR, 'ENDED')).toMatchObject({
      fired: { slot: friday, cause: 'CATCH_UP' },
    });
  });
});

describe('slots that were moved to one date', () => {
  const version = versionOf({ trigger: NINE, ...under('FOLLOWING'), overlapPolicy: 'SKIP' });
  const monday = Date.UTC(2026, 6, 6, 9);
  const sunday = { slot: monday - DAY, due: monday, cursor: monday - 3 * DAY, lastFired: monday - 2 * DAY, fires: 1 };

  test('wait for one another instead of being skipped', () => {
    expect(version.fire(sunday, monday, 'OPEN').fired).toMatchObject({ slot: monday - DAY, start: 'BUFFER' });
    const tuesday = { ...sunday, slot: monday + DAY, due: monday + DAY };
    expect(version.fire(tuesday, monday + DAY, 'OPEN').skipped).toMatchObject({ reason: 'OVERLAP' });
    expect(version.endOfRunMatters).toBe(true);
  });
});

describe('when the dates change', () => {
  test('the slot to come is due where the new dates put it; the version stays, the definition is another', () => {
    const before = createdAt(FRIDAY, { trigger: NINE, ...under('FOLLOWING', excluding(['2026-07-03'])) });
    expect(at(before.timer.due)).toBe('2026-07-04T09:00:00Z');
    const after = before.takeOver(excluding(['2026-07-03', '2026-07-04'], [], 2), FRIDAY + MINUTE);
    expect([at(after.timer.slot), at(after.timer.due)]).toEqual(['2026-07-03T09:00:00Z', '2026-07-05T09:00:00Z']);
    expect([after.state.version, after.state.definitionVersion, after.passed]).toEqual([1, 2, null]);
    expect(after.takeOver(after.state.excluded ?? WEEKEND, FRIDAY + MINUTE)).toBe(after);
    const edited = after.replace({ ...after.input, description: 'x', payload: 1 }, actAt(FRIDAY + 2 * MINUTE));
    expect([edited.state.version, edited.state.definitionVersion]).toEqual([2, 3]);
  });

  test('a slot that was put off and is not any more fires now', () => {
    const before = createdAt(FRIDAY + DAY, { trigger: NINE, ...under('FOLLOWING') });
    const now = FRIDAY + DAY + 5 * HOUR;
    const { timer, passed } = before.takeOver(excluding([], [], 2), now);
    expect([at(timer.slot), timer.due, passed]).toEqual(['2026-07-04T09:00:00Z', now, null]);
  });

  test('a slot that was due and unclaimed keeps the fate it had', () => {
    const before = createdAt(FRIDAY, { trigger: NINE, ...under('SKIP') });
    const { passed, timer } = before.takeOver(excluding(['2026-07-03'], [], 2), FRIDAY + 2 * HOUR);
    expect(passed).toMatchObject({ version: 1, fired: [FRIDAY + HOUR], skipped: null });
    expect(at(timer.slot)).toBe('2026-07-04T09:00:00Z');
  });

  test('a paused schedule has them when it is resumed', () => {
    const before = createdAt(FRIDAY, { trigger: NINE, ...under('SKIP', excluding([])) });
    const paused = before.pause({ note: null, resumeAt: null }, actAt(FRIDAY));
    const changed = paused.takeOver(excluding(['2026-07-03'], [], 2), FRIDAY + 10 * MINUTE);
    expect(changed.state.state).toBe('PAUSED');
    const { timer, passed } = changed.resume('FIRE_ALL', actAt(FRIDAY + 2 * HOUR));
    expect([passed?.fired, passed?.skipped?.reason, at(timer.slot)]).toEqual([[], 'CALENDAR', '2026-07-04T09:00:00Z']);
  });
});

/* A schedule's life as the engine and callers would lead it, in accelerated time. */

const steps = fc.array(
  fc.record({
    hours: fc.integer({ min: 1, max: 40 }),
    act: fc.constantFrom('none', 'none', 'dates', 'dates', 'policy', 'pause', 'window'),
    offsets: fc.uniqueArray(fc.integer({ min: 0, max: 20 }), { maxLength: 8 }),
    weekly: fc.subarray(['MO', 'WE', 'FR', 'SA', 'SU'] as const, { maxLength: 3 }),
    policy: fc.constantFrom('SKIP', 'FOLLOWING', 'PRECEDING', 'MODIFIED_FOLLOWING' as const),
    missed: fc.constantFrom('SKIP', 'FIRE_ONCE', 'FIRE_ALL' as const),
    late: fc.boolean(),
  }),
  { minLength: 4, maxLength: 25 },
);
const life = fc.record({
  cron: fc.constantFrom('0 9 * * *', '0 9,17 * * *', '0 */5 * * *', '30 2 * * *'),
  tz: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
  misfire: fc.constantFrom('SKIP', 'FIRE_ONCE', 'FIRE_ALL' as const),
  start: fc.constantFrom(FRIDAY, Date.UTC(2026, 2, 25, 3), Date.UTC(2026, 9, 22, 20)),
  jitter: fc.constantFrom(null, 'PT20M'),
  steps,
});
type Life = typeof life extends fc.Arbitrary<infer Value> ? Value : never;

class Ledger {
  readonly fired: { readonly slot: number; readonly due: number }[] = [];
  readonly stretches: SkippedSlots[] = [];
  entity: ScheduleEntity;

  constructor(entity: ScheduleEntity) {
    this.entity = entity;
  }

  changeTo(entity: ScheduleEntity): void {
    const { passed } = entity;
    if (entity !== this.entity && passed !== null) {
      this.fired.push(...passed.fired.map((slot) => ({ slot, due: Number.NaN })), ...(passed.waiting ?? []));
      this.stretches.push(...[passed.skipped].filter((stretch) => stretch !== null), ...(passed.others ?? []));
    }
    this.entity = new ScheduleEntity(entity.state, entity.timer);
  }

  /** All claims up to `now`; `late`: in one go at its end. */
  run(now: number, late: boolean): void {
    for (let turn = 0; this.entity.isActive && this.entity.timer.due <= now; turn += 1) {
      expect(turn).toBeLessThan(5000);
      const { state, timer, currentVersion } = this.entity;
      const { fired, skipped, next } = currentVersion.fire(
        timer,
        late ? now : Math.max(timer.due, state.updatedAt.getTime()),
        'ENDED',
      );
      if (fired !== null) this.fired.push(fired);
      if (skipped !== null) this.stretches.push(skipped);
      if (next === 'COMPLETED' || 'disabled' in next) throw new Error('a cron schedule never ends');
      this.entity = new ScheduleEntity(state, next);
    }
  }
}

function lived({ cron, tz, misfire, start, jitter, steps: taken }: Life): { ledger: Ledger; now: number } {
  const policy = { policy: misfire, thresholdSec: 60, windowSec: 86_400 } as const;
  const base = scheduleInput({
    trigger: { type: 'CRON', cron },
    tz,
    misfire: policy,
    jitter,
    ...under(taken[0]?.policy ?? 'SKIP'),
  });
  const ledger = new Ledger(ScheduleEntity.create(base, { id: ID, tenantId: TENANT }, actAt(start)));
  let now = start;
  for (const [index, step] of taken.entries()) {
    now += step.hours * HOUR;
    ledger.run(now, step.late);
    const dates = step.offsets.map((offset) => localTime(start + offset * DAY, 'UTC').slice(0, 10));
    const excluded = excluding(dates, step.weekly, index + 2);
    const { entity } = ledger;
    const act = actAt(now);
    if (step.act === 'dates') ledger.changeTo(entity.takeOver(excluded, now));
    if (step.act === 'policy')
      ledger.changeTo(entity.replace({ ...entity.input, ...under(step.policy, excluded) }, act));
    if (step.act === 'window')
      ledger.changeTo(entity.replace({ ...entity.input, jitter: entity.state.jitter === null ? 'PT7M' : null }, act));
    if (step.act === 'pause' && entity.isActive) ledger.changeTo(entity.pause({ note: null, resumeAt: null }, act));
    else if (step.act === 'pause') ledger.changeTo(entity.resume(step.missed, act));
  }
  return { ledger, now };
}

describe('whatever happens to the dates, the policy and the schedule', () => {
  test('every slot ends exactly once', () => {
    fc.assert(
      fc.property(life, (given) => {
        const { ledger, now } = lived(given);
        if (!ledger.entity.isActive) ledger.changeTo(ledger.entity.resume('FIRE_ONCE', actAt(now)));
        // No more dates: from here on all slots come in time.
        ledger.changeTo(ledger.entity.takeOver(excluding([], [], 1000), now));
        ledger.run(now + 40 * DAY, false);
        const compiled = compileTrigger({ type: 'CRON', cron: given.cron }, { tz: given.tz });
        const slots: number[] = [];
        for (
          let slot = nextSlot(compiled, given.start);
          slot !== null && slot <= now + 39 * DAY;
          slot = nextSlot(compiled, slot)
        )
          slots.push(slot);
        const ends = new Map(slots.map((slot) => [slot, 0]));
        const end = (slot: number): void => void ends.set(slot, (ends.get(slot) ?? 0) + 1);
        for (const { slot } of ledger.fired) end(slot);
        for (const { from, to, count } of ledger.stretches) {
          const within = slots.filter((slot) => slot >= from && slot <= to);
          if (to <= now + 39 * DAY) expect(within).toHaveLength(count ?? -1);
          for (const slot of within) end(slot);
        }
        expect(slots.filter((slot) => ends.get(slot) !== 1).map((slot) => `${at(slot)} ${ends.get(slot)}`)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
