import { describe, expect, test } from 'vitest';
import { ScheduleEntity, type ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import { scheduleInput } from '../../support/scheduling.ts';
import { actAt, at, codeOf, createdAt, HOUR, ID, MINUTE, SECOND, TEN, TENANT } from './builders.ts';

const CREATED = TEN - MINUTE;
const INTERVAL = { type: 'INTERVAL', every: 'PT20M' } as const;
const NEVER = { type: 'CRON', cron: '0 0 30 2 *' } as const;

/** The same input again, with changes. */
function replaced(schedule: ScheduleEntity, change: Partial<ScheduleInput>, now: number): ScheduleEntity {
  const { enabled, ...input } = schedule.input;
  return schedule.replace({ ...input, ...change }, actAt(now));
}

/** Due slots become runs until `now`, as an engine would see to it. */
function firedOnce(schedule: ScheduleEntity, now: number): ScheduleEntity {
  const { next } = schedule.currentVersion.fire(schedule.timer, now, 'ENDED');
  if (next === 'COMPLETED' || 'disabled' in next) throw new Error('no timer left');
  return new ScheduleEntity(schedule.state, next);
}

describe('creating', () => {
  test('begins with the first slot after the creation', () => {
    const { state, timer, isActive } = createdAt(TEN);
    expect([isActive, state.version, state.definitionVersion, state.createdBy]).toEqual([true, 1, 1, 'ada']);
    expect(timer).toEqual({ slot: TEN + HOUR, due: TEN + HOUR, cursor: 0, lastFired: null, fires: 0 });
  });

  test('with startAt begins there, the instant itself included', () => {
    expect(at(createdAt(CREATED, { startAt: new Date(TEN + 5 * HOUR) }).timer.slot)).toBe('2026-03-02T15:00:00Z');
  });

  test('FIXED_DELAY fires first a delay after the creation, or at startAt', () => {
    const trigger = { type: 'FIXED_DELAY', delaySec: 90 } as const;
    expect(at(createdAt(TEN, { trigger }).timer.slot)).toBe('2026-03-02T10:01:30Z');
    expect(at(createdAt(TEN, { trigger, startAt: new Date(TEN + HOUR) }).timer.slot)).toBe('2026-03-02T11:00:00Z');
  });

  test('switched off is a pause without note', () => {
    const { state, timer, isActive } = createdAt(TEN, { enabled: false });
    expect([isActive, state.state, state.pause]).toEqual([
      false,
      'PAUSED',
      { note: null, by: 'ada', at: '2026-03-02T10:00:00.000Z', resumeAt: null },
    ]);
    expect(at(timer.slot)).toBe('2026-03-02T11:00:00Z');
  });

  test('a ONE_SHOT in the past is due at once, up to the misfire window', () => {
    const startAt = (ago: number) =>
      ({ trigger: { type: 'ONE_SHOT', startAt: new Date(TEN - ago).toISOString() } }) as const;
    expect(at(createdAt(TEN, startAt(24 * HOUR)).timer.slot)).toBe('2026-03-01T10:00:00Z');
    expect(codeOf(() => createdAt(TEN, startAt(24 * HOUR + SECOND)))).toBe('TRIGGER_NEVER_FIRES');
  });

  const refusals: [string, Partial<ScheduleInput>, string][] = [
    ['a trigger that cannot be read', { trigger: { type: 'CRON', cron: '61 * * * *' } }, 'INVALID_TRIGGER'],
    ['a trigger that never fires', { trigger: NEVER }, 'TRIGGER_NEVER_FIRES'],
    ['a window without a slot', { endAt: new Date(TEN - SECOND) }, 'TRIGGER_NEVER_FIRES'],
    [
      'a window that ends before it begins',
      { startAt: new Date(TEN + HOUR), endAt: new Date(TEN) },
      'VALIDATION_FAILED',
    ],
    [
      'startAt of a ONE_SHOT beside its trigger',
      { trigger: { type: 'ONE_SHOT', startAt: '2026-04-01T00:00:00Z' }, startAt: new Date(TEN) },
      'VALIDATION_FAILED',
    ],
    ['a jitter that is no duration', { jitter: 'soon' }, 'VALIDATION_FAILED'],
    [
      'a longest delay below the first one',
      {
        retry: {
          maxAttempts: 3,
          initialDelaySec: 60,
          backoffCoefficient: 2,
          maxDelaySec: 30,
          jitter: 0,
          maxAgeSec: 3600,
        },
      },
      'VALIDATION_FAILED',
    ],
    [
      'a misfire window within the threshold',
      { misfire: { policy: 'SKIP', thresholdSec: 60, windowSec: 30 } },
      'VALIDATION_FAILED',
    ],
    ['scope SYSTEM in a tenant', { scope: 'SYSTEM' }, 'VALIDATION_FAILED'],
    ['scope ORGANIZATION without one', { scope: 'ORGANIZATION' }, 'VALIDATION_FAILED'],
    ['an organization in scope TENANT', { organizationId: 'north' }, 'VALIDATION_FAILED'],
  ];

  test.each(refusals)('refuses %s', (_name, given, code) => {
    expect(codeOf(() => createdAt(CREATED, given))).toBe(code);
  });
});

describe('replacing', () => {
  const active = createdAt(CREATED);

  test('by the same input changes nothing', () => {
    expect(replaced(active, {}, TEN + 3 * HOUR)).toBe(active);
  });

  test('by an input with other key order, absent optional fields and the same values changes nothing', () => {
    const schedule = createdAt(CREATED, { payload: { a: 1, b: [2] }, labels: { x: '1', y: '2' } });
    expect(
      replaced(schedule, { payload: { b: [2], a: 1 }, labels: { y: '2', x: '1' }, dst: { gap: undefined } }, TEN),
    ).toBe(schedule);
  });

  test('of a name makes a new version, but not of the definition, and moves no slot', () => {
    const { state, timer } = replaced(active, { name: 'other' }, CREATED + SECOND);
    expect([state.version, state.definitionVersion, timer === active.timer]).toEqual([2, 1, true]);
  });

  test('of the payload makes a new definition and moves no slot', () => {
    const { state, timer } = replaced(active, { payload: 1 }, TEN + HOUR);
    expect([state.version, state.definitionVersion, timer === active.timer]).toEqual([2, 2, true]);
  });

  test('of the trigger starts from the moment of the change', () => {
    const { state, timer, passed } = replaced(
      active,
      { trigger: { type: 'CRON', cron: '30 * * * *' } },
      TEN - 30 * SECOND,
    );
    expect([at(timer.slot), passed, state.definitionVersion]).toEqual(['2026-03-02T10:30:00Z', null, 2]);
  });

  test('of the zone or of the clock-change policy starts anew as well', () => {
    const daily = createdAt(CREATED, { trigger: { type: 'CRON', cron: '0 9 * * *' } });
    expect(at(replaced(daily, { tz: 'Asia/Tokyo' }, TEN).timer.slot)).toBe('2026-03-03T00:00:00Z');
    expect(replaced(daily, { dst: { gap: 'SKIP' } }, TEN).state.definitionVersion).toBe(2);
  });

  test('of the trigger by one that never fires is refused', () => {
    expect(codeOf(() => replaced(active, { trigger: NEVER }, TEN))).toBe('TRIGGER_NEVER_FIRES');
  });

  test('of the trigger keeps what had come due unclaimed in the record, under the version it belongs to', () => {
    const { passed, timer } = replaced(
      active,
      { trigger: { type: 'CRON', cron: '30 * * * *' } },
      TEN + 2 * HOUR + MINUTE,
    );
    expect(passed).toEqual({
      version: 1,
      fired: [TEN + 2 * HOUR],
      skipped: { from: TEN, to: TEN + HOUR, count: 2, reason: 'MISFIRE' },
    });
    expect(timer).toEqual({
      slot: TEN + 2.5 * HOUR,
      due: TEN + 2.5 * HOUR,
      cursor: TEN + 2 * HOUR,
      lastFired: TEN + 2 * HOUR,
      fires: 1,
    });
  });

  test('of the trigger skips what is late where the misfire policy would have', () => {
    const skipping = createdAt(CREATED, { misfire: { policy: 'SKIP', thresholdSec: 60, windowSec: 3600 } });
    expect(replaced(skipping, { trigger: INTERVAL }, TEN + MINUTE + 1).passed).toMatchObject({
      fired: [],
      skipped: { count: 1, reason: 'MISFIRE' },
    });
    expect(replaced(skipping, { trigger: INTERVAL }, TEN + MINUTE).passed).toMatchObject({
      fired: [TEN],
      skipped: null,
    });
  });

  test.each([
    ['all, where runs may overlap', { overlapPolicy: 'ALLOW_ALL' }, [0, 1, 2]],
    [
      'all, where all that is late is fired',
      { misfire: { policy: 'FIRE_ALL', thresholdSec: 60, windowSec: 3600 } },
      [0, 1, 2],
    ],
    ['the latest, where they would meet each other', { overlapPolicy: 'SKIP' }, [2]],
  ] as const)('of the trigger fires of several slots that had just come due %s', (_which, given, expected) => {
    const everySecond = createdAt(TEN - SECOND, { trigger: { type: 'CRON', cron: '* * * * * *' }, ...given });
    const { passed } = replaced(everySecond, { trigger: INTERVAL }, TEN + 2 * SECOND);
    expect(passed?.fired).toEqual(expected.map((second) => TEN + second * SECOND));
    expect(passed?.skipped?.count ?? 0).toBe(3 - expected.length);
  });

  test('keeps a pause, and `enabled` ends or begins one, in one version', () => {
    const paused = active.pause({ note: 'freeze', resumeAt: null }, actAt(CREATED));
    expect(replaced(paused, { name: 'other' }, TEN).state).toMatchObject({
      state: 'PAUSED',
      pause: { note: 'freeze' },
    });
    expect(replaced(paused, { name: 'other', enabled: true }, CREATED).state).toMatchObject({
      state: 'ACTIVE',
      pause: null,
      version: 3,
    });
    expect(replaced(active, { payload: 1, enabled: false }, TEN).state).toMatchObject({
      state: 'PAUSED',
      version: 2,
      definitionVersion: 2,
    });
  });

  test('can change trigger and end a pause at once without losing what passed', () => {
    const paused = active.pause({ note: null, resumeAt: null }, actAt(CREATED));
    const { passed, timer, isActive } = replaced(paused, { trigger: INTERVAL, enabled: true }, TEN + MINUTE);
    expect([isActive, at(timer.slot)]).toEqual([true, '2026-03-02T10:21:00Z']);
    expect(passed).toEqual({ version: 1, fired: [], skipped: { from: TEN, to: TEN, count: 1, reason: 'PAUSED' } });
  });
});

describe('an anchor taken from the creation', () => {
  const rrule = { type: 'RRULE', rrule: 'FREQ=DAILY;INTERVAL=3;BYHOUR=9' } as const;

  test('is stored: an RRULE without DTSTART begins at local midnight of that day', () => {
    expect(createdAt(CREATED, { trigger: rrule, tz: 'Europe/Berlin' }).state.trigger).toMatchObject({
      dtstart: '2026-03-02T00:00:00',
    });
  });

  test.each([
    ['an RRULE without DTSTART', rrule],
    ['an RRULE as a block of lines', { type: 'RRULE', rrule: 'RRULE:FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=7' }],
    ['an INTERVAL without anchor', INTERVAL],
    ['an INTERVAL of so many fires', { type: 'INTERVAL', every: '20m', repeat: 5 }],
    ['an ISO 8601 repetition without a start', { type: 'INTERVAL', iso8601: 'R5/PT20M' }],
    ['an ISO 8601 repetition', { type: 'INTERVAL', iso8601: 'R/2026-01-01T00:00:00Z/P1M' }],
    ['a local ONE_SHOT', { type: 'ONE_SHOT', startAt: '2026-04-01T09:00:00' }],
  ] as const)('%s said twice is no new version', (_name, trigger) => {
    const schedule = createdAt(CREATED, { trigger, tz: 'Europe/Berlin' });
    expect(schedule.replace(scheduleInput({ trigger, tz: 'Europe/Berlin' }), actAt(CREATED + 50 * HOUR))).toBe(
      schedule,
    );
  });

  test('a local ONE_SHOT that was stored as its instant is the same', () => {
    const stored = createdAt(CREATED, {
      trigger: { type: 'ONE_SHOT', startAt: '2026-04-01T07:00:00Z' },
      tz: 'Europe/Berlin',
    });
    const trigger = { type: 'ONE_SHOT', startAt: '2026-04-01T09:00:00' } as const;
    expect(stored.replace(scheduleInput({ trigger, tz: 'Europe/Berlin' }), actAt(CREATED + HOUR))).toBe(stored);
  });

  test('said otherwise is another trigger', () => {
    const schedule = createdAt(CREATED, { trigger: INTERVAL });
    expect(
      replaced(schedule, { trigger: { ...INTERVAL, anchor: '2026-03-02T00:00:00Z' } }, CREATED).state.definitionVersion,
    ).toBe(2);
    expect(replaced(schedule, { trigger: { ...INTERVAL, every: 'PT30M' } }, CREATED).state.definitionVersion).toBe(2);
  });
});

describe('changing the window or the jitter', () => {
  const active = createdAt(CREATED);

  test('keeps a slot that is due and not yet claimed', () => {
    const { timer, passed } = replaced(active, { maxFires: 10 }, TEN + 5);
    expect([at(timer.slot), passed]).toEqual(['2026-03-02T10:00:00Z', null]);
  });

  test('keeps a slot that jitter holds back', () => {
    const jittered = createdAt(CREATED, { jitter: 'PT59M' });
    const { slot, due } = jittered.timer;
    expect(replaced(jittered, { endAt: new Date(TEN + 9 * HOUR) }, slot + 1).timer).toMatchObject({ slot, due });
    expect(replaced(jittered, { jitter: null }, slot - 1).timer).toMatchObject({ slot, due: slot });
  });

  test('to a later start moves the next slot there', () => {
    expect(at(replaced(active, { startAt: new Date(TEN + 90 * MINUTE) }, CREATED).timer.slot)).toBe(
      '2026-03-02T12:00:00Z',
    );
  });

  test('to one without a slot is refused', () => {
    expect(codeOf(() => replaced(active, { endAt: new Date(TEN - SECOND) }, CREATED))).toBe('TRIGGER_NEVER_FIRES');
    expect(codeOf(() => replaced(firedOnce(active, TEN), { maxFires: 1 }, TEN + 1))).toBe('TRIGGER_NEVER_FIRES');
  });

  test('leaves a chain to the run that it waits for', () => {
    const chain = firedOnce(createdAt(CREATED, { trigger: { type: 'FIXED_DELAY', delaySec: 60 } }), TEN);
    expect(replaced(chain, { maxFires: 9 }, TEN + HOUR).timer).toEqual(chain.timer);
  });

  test('gives a schedule that waits for its last run slots again, or lets it wait', () => {
    const ending = firedOnce(createdAt(CREATED, { endAt: new Date(TEN + MINUTE) }), TEN);
    expect(at(ending.timer.due)).toBe('never');
    expect(at(replaced(ending, { endAt: null }, TEN + 5 * HOUR).timer.due)).toBe('2026-03-02T16:00:00Z');
    expect(at(replaced(ending, { jitter: 'PT1M' }, TEN + 5 * HOUR).timer.due)).toBe('never');
  });

  test('wakes a completed schedule only where slots are to come', () => {
    const { state, timer } = firedOnce(createdAt(CREATED, { endAt: new Date(TEN + MINUTE) }), TEN);
    const completed = new ScheduleEntity({ ...state, state: 'COMPLETED' }, timer);
    expect(replaced(completed, { jitter: 'PT1M' }, TEN + HOUR).state.state).toBe('COMPLETED');
    const again = replaced(completed, { endAt: new Date(TEN + 9 * HOUR) }, TEN + HOUR);
    expect([again.state.state, at(again.timer.slot)]).toEqual(['ACTIVE', '2026-03-02T12:00:00Z']);
  });
});

describe('a completed schedule', () => {
  const { state, timer } = firedOnce(
    createdAt(CREATED, { trigger: { type: 'ONE_SHOT', startAt: '2026-03-02T10:00:00Z' } }),
    TEN,
  );
  const completed = new ScheduleEntity({ ...state, state: 'COMPLETED' }, timer);

  test('begins again with another trigger', () => {
    const again = completed.replace({ ...completed.input, trigger: INTERVAL }, actAt(TEN + HOUR));
    expect([again.state.state, at(again.timer.slot), again.timer.fires]).toEqual(['ACTIVE', '2026-03-02T11:20:00Z', 1]);
  });

  test('stays so when anything else changes, or is switched on', () => {
    expect(completed.replace({ ...completed.input, name: 'other', enabled: true }, actAt(TEN)).state).toMatchObject({
      state: 'COMPLETED',
      name: 'other',
    });
    expect(completed.replace({ ...completed.input, enabled: false }, actAt(TEN))).toBe(completed);
  });

  test('fires no slot twice', () => {
    const earlier = { type: 'ONE_SHOT', startAt: '2026-03-02T09:59:00Z' } as const;
    expect(codeOf(() => completed.replace({ ...completed.input, trigger: earlier }, actAt(TEN + MINUTE)))).toBe(
      'TRIGGER_NEVER_FIRES',
    );
  });

  test('can neither be paused nor resumed', () => {
    expect(codeOf(() => completed.pause({ note: null, resumeAt: null }, actAt(TEN)))).toBe('CONFLICT');
    expect(codeOf(() => completed.resume('SKIP', actAt(TEN)))).toBe('CONFLICT');
  });
});

test('a schedule whose definition no longer compiles is repaired by another one', () => {
  const { state, timer } = createdAt(CREATED);
  const broken = new ScheduleEntity(
    { ...state, state: 'DISABLED', stateReason: 'no such zone', tz: 'Mars/Olympus' },
    timer,
  );
  const repaired = replaced(broken, { tz: 'UTC', enabled: true }, TEN + HOUR);
  expect([repaired.state.state, at(repaired.timer.slot)]).toEqual(['ACTIVE', '2026-03-02T12:00:00Z']);
  expect(repaired.passed).toMatchObject({ fired: [], skipped: { from: TEN, count: null, reason: 'PAUSED' } });
});

describe('when something becomes due', () => {
  const active = createdAt(CREATED);

  test('engines are woken for a new schedule, an earlier slot, and slots that fire now', () => {
    expect(at(active.wakesAt(null))).toBe('2026-03-02T10:00:00Z');
    expect(
      at(replaced(active, { trigger: { type: 'CRON', cron: '* * * * *' } }, CREATED - 5 * MINUTE).wakesAt(active)),
    ).toBe('2026-03-02T09:55:00Z');
    expect(at(replaced(active, { trigger: { type: 'CRON', cron: '30 * * * *' } }, TEN + MINUTE).wakesAt(active))).toBe(
      '2026-03-02T10:01:00Z',
    );
  });

  test('nobody is woken for a later slot or a pause', () => {
    expect(at(replaced(active, { trigger: { type: 'CRON', cron: '30 * * * *' } }, CREATED).wakesAt(active))).toBe(
      'never',
    );
    expect(at(active.pause({ note: null, resumeAt: null }, actAt(CREATED)).wakesAt(active))).toBe('never');
  });
});

test('a SYSTEM schedule lives in the tenant system', () => {
  const input = scheduleInput({ scope: 'SYSTEM' });
  expect(codeOf(() => ScheduleEntity.create(input, { id: ID, tenantId: TENANT }, actAt(TEN)))).toBe(
    'VALIDATION_FAILED',
  );
});
