import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import type { Upcoming } from '../../../src/domain/services/upcoming.ts';
import { scheduleInput } from '../../support/scheduling.ts';
import { codeOf, newCaller, openWorkbench, type Workbench } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const BERLIN = { tz: 'Europe/Berlin', trigger: { type: 'CRON', cron: '30 2 * * *' } } as const;
const START = Date.UTC(2090, 2, 24);
const DAY = 86_400_000;

function input(given: Partial<ScheduleInput> = {}): ScheduleInput {
  return scheduleInput({ target: { kind: 'EVENT', eventTopic: 'a.b' }, ...BERLIN, startAt: new Date(START), ...given });
}

async function upcoming(
  given: Partial<ScheduleInput>,
  window: { from?: number; to?: number; count: number },
): Promise<Upcoming> {
  const caller = newCaller();
  const { schedule } = await bench.scheduling.create(caller, input(given));
  return bench.scheduling.upcoming(caller, schedule.state.id, window);
}

function days({ slots }: Upcoming): readonly string[] {
  return slots.map(({ local }) => local.slice(5, 10));
}

describe('the upcoming slots of a schedule', () => {
  test('begin with its pending one and show what clock changes do', async () => {
    const { description, slots, exhausted } = await upcoming({}, { count: 4 });
    expect(description).not.toBe('');
    expect([slots.length, exhausted]).toEqual([4, false]);
    expect(slots[2]).toEqual({
      scheduledFor: new Date('2090-03-26T01:00:00.000Z'),
      local: '2090-03-26T03:00:00+02:00',
      dst: 'GAP',
      movedFrom: null,
      dueAt: new Date('2090-03-26T01:00:00.000Z'),
    });
  });

  test('lie after `from`, which is exclusive, and up to `to`', async () => {
    const first = Date.UTC(2090, 2, 24, 1, 30);
    expect(days(await upcoming({}, { from: first, to: first + 2 * DAY, count: 10 }))).toEqual(['03-25', '03-26']);
    expect(days(await upcoming({}, { from: first - 1, count: 1 }))).toEqual(['03-24']);
    expect(days(await upcoming({}, { from: first - 400 * DAY, count: 1 }))).toEqual(['03-24']);
    expect(await upcoming({}, { to: first - 1, count: 9 })).toMatchObject({ slots: [], exhausted: false });
  });

  test('end at endAt and at maxFires, and say so', async () => {
    const ending = await upcoming({ endAt: new Date(START + 2 * DAY) }, { count: 10 });
    expect([days(ending), ending.exhausted]).toEqual([['03-24', '03-25'], true]);
    const counted = await upcoming({ maxFires: 3 }, { count: 10 });
    expect([days(counted), counted.exhausted]).toEqual([['03-24', '03-25', '03-26'], true]);
    const later = await upcoming({ maxFires: 3 }, { from: START + 1.5 * DAY, count: 10 });
    expect([days(later), later.exhausted]).toEqual([['03-26'], true]);
    expect(await upcoming({ maxFires: 3 }, { count: 2 })).toMatchObject({ exhausted: false });
    expect(await upcoming({ maxFires: 3 }, { count: 3 })).toMatchObject({ exhausted: true });
  });

  test('show when jitter makes them due, before the next slot', async () => {
    const { slots } = await upcoming({ jitter: 'PT3H' }, { count: 50 });
    const moved = slots.map(({ scheduledFor, dueAt }) => dueAt.getTime() - scheduledFor.getTime());
    expect(moved.every((ms) => ms >= 0 && ms < 3 * 3_600_000) && new Set(moved).size > 40).toBe(true);
  });

  test('of a chain are the next one only', async () => {
    const chain = await upcoming({ trigger: { type: 'FIXED_DELAY', delaySec: 60 } }, { count: 5 });
    expect([chain.slots.map(({ scheduledFor }) => scheduledFor.getTime()), chain.exhausted]).toEqual([[START], false]);
  });

  test('of a paused schedule are those after a resume; of a completed one there are none', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.create(caller, input({ enabled: false }));
    expect(days(await bench.scheduling.upcoming(caller, schedule.state.id, { count: 2 }))).toEqual(['03-24', '03-25']);
    await bench.engine`update schedules set state = 'COMPLETED', pause = null where id = ${schedule.state.id}`;
    expect(await bench.scheduling.upcoming(caller, schedule.state.id, { count: 2 })).toMatchObject({
      slots: [],
      exhausted: true,
    });
  });

  test('are a thousand at most', async () => {
    expect((await upcoming({ trigger: { type: 'CRON', cron: '* * * * * *' } }, { count: 5000 })).slots).toHaveLength(
      1000,
    );
  });
});

describe('a preview', () => {
  async function preview(given: Partial<ScheduleInput>, from?: number): Promise<Upcoming> {
    const { name, key, description, labels, scope, organizationId, enabled, ...definition } = input(given);
    return bench.scheduling.preview(newCaller(), { definition, from, count: 3 });
  }

  test('shows what the schedule would show', async () => {
    expect(await preview({})).toEqual(await upcoming({}, { count: 3 }));
    expect(days(await preview({}, START + DAY))).toEqual(['03-25', '03-26', '03-27']);
  });

  test('saves nothing', async () => {
    await preview({});
    expect(await bench.engine`select from schedules where name = 'preview'`).toHaveLength(0);
  });

  test('refuses what a create would refuse', async () => {
    const codes = [
      { trigger: { type: 'CRON', cron: 'x' } },
      { trigger: { type: 'CRON', cron: '0 0 30 2 *' } },
      { jitter: 'x' },
    ] as const;
    expect(await Promise.all(codes.map((given) => codeOf(preview(given))))).toEqual([
      'INVALID_TRIGGER',
      'TRIGGER_NEVER_FIRES',
      'VALIDATION_FAILED',
    ]);
  });

  test('of a chain is its first slot', async () => {
    expect(await preview({ trigger: { type: 'FIXED_DELAY', delaySec: 60 } })).toMatchObject({
      slots: [{ scheduledFor: new Date(START) }],
      exhausted: false,
    });
  });
});
