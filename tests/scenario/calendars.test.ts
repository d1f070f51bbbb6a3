import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ScheduleInput } from '../../src/domain/entities/schedule.ts';
import type { OnExcluded } from '../../src/domain/time/business-days.ts';
import { EngineBench, type MadeSchedule } from '../support/engine-bench.ts';
import { ACCEPTED, ScriptedSenders } from '../support/scripted-senders.ts';

/* The engine and the dates that calendars exclude. Slots are real ones near now; the calendars are laid around them. */

const DAY = 86_400_000;

let bench: EngineBench;
beforeAll(async () => {
  bench = await EngineBench.open();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

function dateOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}

/** A schedule whose tenant excludes these dates. */
async function dated(
  { dates, onExcluded }: { readonly dates: readonly string[]; readonly onExcluded: OnExcluded },
  given: Partial<ScheduleInput>,
): Promise<MadeSchedule> {
  const made = await bench.schedule({ trigger: { type: 'CRON', cron: '0 0 * * *' } });
  const contents = { name: 'days', description: null, dates, ranges: [], weekly: [], ical: null };
  await bench.calendars.create(made.caller, contents);
  const calendars = { exclude: ['days'], onExcluded };
  const { schedule } = await bench.schedules.create(made.caller, {
    ...(await bench.schedules.get(made.caller, made.id)).input,
    key: null,
    ...given,
    calendars,
  });
  await bench.schedules.remove(made.caller, made.id, null);
  return { ...made, id: schedule.state.id };
}

describe('a slot on an excluded date', () => {
  it('becomes no run, and has its record when its time has come', async () => {
    const now = await bench.now();
    const schedule = await dated(
      { dates: [dateOf(now), dateOf(now + DAY)], onExcluded: 'SKIP' },
      { trigger: { type: 'INTERVAL', every: 'PT1S' } },
    );
    await bench.sql`update timers set next_due = now() where schedule_id = ${schedule.id}`;
    const senders = new ScriptedSenders();
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    const [run] = await bench.runsOf(schedule);
    expect(run).toMatchObject({ state: 'SKIPPED', reason: 'CALENDAR', range: null });
    expect(senders.sent).toEqual([]);
    expect(await bench.timerOf(schedule)).toMatchObject({ slot: (run?.slot ?? 0) + 1000, cursor: run?.slot, fires: 0 });
  });

  it('is one stretch with those that passed with it', async () => {
    const now = await bench.now();
    const dates = [-2, -1, 0, 1].map((days) => dateOf(now + days * DAY));
    const schedule = await dated({ dates, onExcluded: 'SKIP' }, { trigger: { type: 'CRON', cron: '0 * * * *' } });
    const slot = await bench.rewind(schedule, 12 * 3_600_000);
    await bench.engine().firing.fireDue();
    const [run, ...others] = await bench.runsOf(schedule);
    expect([run?.slot, run?.reason, run?.range?.count, others]).toEqual([slot, 'CALENDAR', 12, []]);
  });
});

describe('slots that are moved to one date', () => {
  it('fire at their moved due time, under their own names, one after the other', async () => {
    const today = Math.floor((await bench.now()) / DAY) * DAY;
    const schedule = await dated(
      { dates: [dateOf(today + DAY), dateOf(today + 2 * DAY)], onExcluded: 'PRECEDING' },
      { trigger: { type: 'CRON', cron: '0 0 * * *' }, tz: 'UTC', overlapPolicy: 'SKIP' },
    );
    const created = await bench.timerOf(schedule);
    // Put ahead to today's midnight, which has passed: due at once.
    expect(created?.slot).toBe(today + DAY);
    expect(created?.due).toBeLessThan(today + DAY);
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await engine.firing.fireDue();
    await engine.firing.fireDue();
    expect(senders.sent.map((sent) => sent.slot)).toEqual([today + DAY]);
    senders.release(ACCEPTED);
    await engine.settle();
    await engine.firing.fireWaiting();
    senders.release(ACCEPTED);
    await engine.settle();
    expect((await bench.runsOf(schedule)).map(({ slot, state, cause }) => [slot, state, cause])).toEqual([
      [today + DAY, 'SUCCEEDED', 'SCHEDULE'],
      [today + 2 * DAY, 'SUCCEEDED', 'SCHEDULE'],
    ]);
    expect(await bench.timerOf(schedule)).toMatchObject({ slot: today + 3 * DAY, due: today + 3 * DAY, fires: 2 });
  });

  it('wait for the one in flight although the one before them was cancelled', async () => {
    const today = Math.floor((await bench.now()) / DAY) * DAY;
    const schedule = await dated(
      { dates: [1, 2, 3].map((days) => dateOf(today + days * DAY)), onExcluded: 'PRECEDING' },
      { trigger: { type: 'CRON', cron: '0 0 * * *' }, tz: 'UTC', overlapPolicy: 'SKIP' },
    );
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    for (const _ of [1, 2]) await engine.firing.fireDue();
    await bench.runs.cancel(schedule.caller, { scheduleId: schedule.id, slot: today + 2 * DAY, space: 0 });
    await engine.firing.fireDue();
    await engine.firing.fireWaiting();
    expect(senders.sent.map((sent) => sent.slot)).toEqual([today + DAY]);
    senders.release(ACCEPTED);
    await engine.settle();
    await engine.firing.fireWaiting();
    expect(senders.sent.map((sent) => sent.slot)).toEqual([today + DAY, today + 3 * DAY]);
  });

  it('are not created again when the dates change meanwhile', async () => {
    const today = Math.floor((await bench.now()) / DAY) * DAY;
    const ahead = { dates: [dateOf(today + DAY)], onExcluded: 'PRECEDING' } as const;
    const schedule = await dated(ahead, { trigger: { type: 'CRON', cron: '0 0 * * *' }, tz: 'UTC' });
    const engine = bench.engine();
    await engine.firing.fireDue();
    await engine.settle();
    const { caller, id } = schedule;
    await bench.calendars.replace(
      caller,
      { name: 'days', description: null, dates: [], ranges: [], weekly: [], ical: null },
      null,
    );
    await bench.calendars.takeOver();
    expect(await bench.timerOf(schedule)).toMatchObject({ slot: today + 2 * DAY, due: today + 2 * DAY, fires: 1 });
    expect((await bench.schedules.get(caller, id)).state).toMatchObject({ version: 1, definitionVersion: 2 });
  });
});
