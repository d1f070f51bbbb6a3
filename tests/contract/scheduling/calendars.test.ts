import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CalendarInput } from '../../../src/domain/entities/calendar.ts';
import type { Caller } from '../../../src/domain/entities/caller.ts';
import type { ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import type { ScheduleId } from '../../../src/domain/ids.ts';
import { CalendarService } from '../../../src/domain/services/calendar-service.ts';
import type { OnExcluded } from '../../../src/domain/time/business-days.ts';
import { connectPool } from '../../../src/infra/db/client.ts';
import { EnginePool } from '../../../src/infra/db/engine-pool.ts';
import { PostgresCalendarChanges } from '../../../src/infra/repo/postgres-calendar-changes.ts';
import { scheduleInput, silentJournal } from '../../support/scheduling.ts';
import { codeOf, newCaller, openWorkbench, type Workbench, within } from './workbench.ts';

let bench: Workbench;
let calendars: CalendarService;
let pool: EnginePool;
beforeAll(async () => {
  bench = await openWorkbench();
  pool = new EnginePool(
    () => connectPool(bench.url, { role: 'scheduler_engine', max: 2, applicationName: 'test-calendars' }),
    5_000,
  );
  const bell = { ring: (due: number) => void bench.rung.push(due), listen: () => undefined };
  const changes = new PostgresCalendarChanges(pool);
  calendars = new CalendarService({ unitOfWork: bench.unitOfWork, changes, bell, journal: silentJournal() });
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  await bench.close();
});

function calendar(given: Partial<CalendarInput> = {}): CalendarInput {
  return { name: 'holidays', description: null, dates: [], ranges: [], weekly: [], ical: null, ...given };
}

function input(onExcluded: OnExcluded = 'SKIP', given: Partial<ScheduleInput> = {}): ScheduleInput {
  return scheduleInput({
    target: { kind: 'EVENT', eventTopic: 'a.b' },
    startAt: new Date('2090-03-01T00:00:00Z'),
    calendars: { exclude: ['holidays'], onExcluded },
    ...given,
  });
}

async function dues(caller: Caller, id: ScheduleId, count = 3): Promise<readonly string[]> {
  const { slots } = await bench.scheduling.upcoming(caller, id, { count });
  return slots.map(
    ({ dueAt, movedFrom }) => `${dueAt.toISOString().slice(5, 13)}${movedFrom === null ? '' : ` from ${movedFrom}`}`,
  );
}

/** Takes rounds until a round leaves nothing to do. */
async function takeOverAll(): Promise<number> {
  let rounds = 1;
  while (await calendars.takeOver()) rounds += 1;
  return rounds;
}

describe('a schedule that names a calendar', () => {
  test('has its dates from the start, and shows them', async () => {
    const caller = newCaller();
    await calendars.create(
      caller,
      calendar({ dates: ['2090-03-01'], ranges: [{ from: '2090-03-03', to: '2090-03-04' }] }),
    );
    const { schedule } = await bench.scheduling.create(caller, input());
    expect(await dues(caller, schedule.state.id)).toEqual(['03-02T09', '03-05T09', '03-06T09']);
    expect(schedule.nextFireAt).toEqual(new Date('2090-03-02T09:00:00Z'));
    const moved = await bench.scheduling.create(caller, input('FOLLOWING'));
    expect(await dues(caller, moved.schedule.state.id, 6)).toEqual([
      ...['03-02T09 from 2090-03-01', '03-02T09'],
      ...['03-05T09 from 2090-03-03', '03-05T09 from 2090-03-04', '03-05T09', '03-06T09'],
    ]);
    const [version] =
      await bench.engine`select calendars, excluded from schedule_versions where schedule_id = ${moved.schedule.state.id}`;
    expect(version).toEqual({
      calendars: { exclude: ['holidays'], onExcluded: 'FOLLOWING' },
      excluded: { revision: 1, weekly: 0, days: [43889, 43889, 43891, 43892] },
    });
  });

  test('is refused, with the place, where there is none of that name', async () => {
    const caller = newCaller();
    const refused = await bench.scheduling
      .create(caller, input('SKIP', { calendars: { exclude: ['holidays', 'x'], onExcluded: 'SKIP' } }))
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'VALIDATION_FAILED',
      problems: [
        { path: 'calendars.exclude.0', message: 'there is no calendar "holidays"' },
        { path: 'calendars.exclude.1', message: 'there is no calendar "x"' },
      ],
    });
  });

  test('sees its own tenant’s calendar, whatever others have under that name', async () => {
    const [one, other] = [newCaller(), newCaller()];
    await calendars.create(one, calendar({ dates: ['2090-03-01'] }));
    await calendars.create(other, calendar({ dates: ['2090-03-02'] }));
    const mine = await bench.scheduling.create(one, input());
    const theirs = await bench.scheduling.create(other, input());
    expect(await dues(one, mine.schedule.state.id, 2)).toEqual(['03-02T09', '03-03T09']);
    expect(await dues(other, theirs.schedule.state.id, 2)).toEqual(['03-01T09', '03-03T09']);
    await calendars.replace(one, calendar({ dates: [] }), null);
    await takeOverAll();
    expect(await dues(one, mine.schedule.state.id, 1)).toEqual(['03-01T09']);
    expect(await dues(other, theirs.schedule.state.id, 2)).toEqual(['03-01T09', '03-03T09']);
  });

  test('keeps its version when it is put again as it was, also while its dates are old', async () => {
    const caller = newCaller();
    await calendars.create(caller, calendar({ dates: ['2090-03-01'] }));
    const { schedule } = await bench.scheduling.upsertByKey(caller, 'k', input(), null);
    await calendars.replace(caller, calendar({ dates: ['2090-03-02'] }), null);
    const again = await bench.scheduling.upsertByKey(caller, 'k', input(), null);
    expect(again.schedule.state).toEqual(schedule.state);
    const named = await bench.scheduling.upsertByKey(caller, 'k', input('PRECEDING'), null);
    expect([named.schedule.state.version, named.schedule.state.excluded?.revision]).toEqual([2, 2]);
    await takeOverAll();
    expect((await bench.scheduling.get(caller, schedule.state.id)).state.definitionVersion).toBe(2);
  });

  test('loses them with `calendars: null`', async () => {
    const caller = newCaller();
    await calendars.create(caller, calendar({ dates: ['2090-03-01'] }));
    const { schedule } = await bench.scheduling.create(caller, input('FOLLOWING'));
    await bench.scheduling.patch(caller, schedule.state.id, (current) => ({ ...current, calendars: null }), null);
    expect(await dues(caller, schedule.state.id, 2)).toEqual(['03-01T09', '03-02T09']);
  });
});

describe('when a calendar changes', () => {
  test('schedules that name it follow: another definition, the same version', async () => {
    const caller = newCaller();
    await calendars.create(caller, calendar({ dates: ['2090-03-01'] }));
    const { schedule } = await bench.scheduling.create(caller, input('FOLLOWING'));
    const { id } = schedule.state;
    await calendars.replace(caller, calendar({ ranges: [{ from: '2090-03-01', to: '2090-03-04' }] }), null);
    expect(await dues(caller, id, 1)).toEqual(['03-02T09 from 2090-03-01']);
    expect(await takeOverAll()).toBe(1);
    expect(await dues(caller, id, 1)).toEqual(['03-05T09 from 2090-03-01']);
    const { state } = await bench.scheduling.get(caller, id);
    expect([state.version, state.definitionVersion]).toEqual([1, 2]);
    const timers = await bench.engine`select version, slot::text, next_due::text from timers where schedule_id = ${id}`;
    expect(timers).toEqual([{ version: 2, slot: '2090-03-01 09:00:00+00', next_due: '2090-03-05 09:00:00+00' }]);
    const edited = await bench.scheduling.patch(caller, id, (current) => ({ ...current, payload: 1 }), 1);
    expect([edited.state.version, edited.state.definitionVersion]).toEqual([2, 3]);
  });

  test('they do so in chunks, each of which may be the last before a crash', async () => {
    const caller = newCaller();
    await calendars.create(caller, calendar({ dates: ['2090-03-01'] }));
    const { schedule } = await bench.scheduling.create(caller, input());
    await bench.engine.unsafe(`
      insert into schedules select (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid()))).* from schedules s, generate_series(1, 249) where id = '${schedule.state.id}'`);
    await bench.engine.unsafe(`
      insert into timers select (jsonb_populate_record(t, jsonb_build_object('schedule_id', s.id))).* from timers t, schedules s
      where t.schedule_id = '${schedule.state.id}' and s.tenant_id = t.tenant_id and s.id <> t.schedule_id`);
    await calendars.replace(caller, calendar({ dates: ['2090-03-02'] }), null);
    expect(await calendars.takeOver()).toBe(true);
    expect(await countOf(caller, 2)).toBe(100);
    expect(await takeOverAll()).toBe(2);
    expect(await countOf(caller, 2)).toBe(250);
    expect(await bench.engine`select from calendars where is_fresh`).toHaveLength(0);
  });

  test('only the dates count: another description makes no schedule anew', async () => {
    const caller = newCaller();
    await calendars.create(caller, calendar({ dates: ['2090-03-01'] }));
    await bench.scheduling.create(caller, input());
    const changed = await calendars.replace(
      caller,
      calendar({ dates: ['2090-03-01', '2090-03-01'], description: 'x' }),
      1,
    );
    expect([changed.state.version, changed.state.revision]).toEqual([2, 1]);
    expect(await bench.engine`select from calendars where is_fresh`).toHaveLength(0);
  });

  test('paused schedules follow as well, and deleted ones are left alone', async () => {
    const caller = newCaller();
    await calendars.create(caller, calendar());
    const paused = await bench.scheduling.create(caller, input('SKIP', { enabled: false }));
    const deleted = await bench.scheduling.create(caller, input());
    await bench.scheduling.remove(caller, deleted.schedule.state.id, null);
    await calendars.replace(caller, calendar({ dates: ['2090-03-01'] }), null);
    await takeOverAll();
    expect(await dues(caller, paused.schedule.state.id, 1)).toEqual(['03-02T09']);
    expect(await countOf(caller, 2)).toBe(1);
  });

  async function countOf({ tenantId }: Caller, definition: number): Promise<number> {
    return (
      await bench.engine`select from schedules where tenant_id = ${tenantId} and definition_version = ${definition}`
    ).length;
  }
});

describe('a calendar', () => {
  test('is not deleted while a living schedule names it', async () => {
    const caller = newCaller();
    await calendars.create(caller, calendar());
    const { schedule } = await bench.scheduling.create(caller, input());
    await expect(calendars.remove(caller, 'holidays', null)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: '1 schedule names the calendar',
    });
    await bench.scheduling.remove(caller, schedule.state.id, null);
    await calendars.remove(caller, 'holidays', null);
    expect(await codeOf(calendars.get(caller, 'holidays'))).toBe('NOT_FOUND');
  });

  test('that is deleted and named at once ends as one or the other', async () => {
    const caller = newCaller();
    await calendars.create(caller, calendar());
    const outcomes = await Promise.all([
      codeOf(calendars.remove(caller, 'holidays', null)),
      codeOf(bench.scheduling.create(caller, input())),
    ]);
    expect([
      ['CONFLICT', null],
      [null, 'VALIDATION_FAILED'],
    ]).toContainEqual(outcomes);
  });

  test('is written for the whole tenant, so not by a token of one organization', async () => {
    const caller = newCaller();
    await calendars.create(caller, calendar());
    const member = within(caller, 'org-1');
    expect(await codeOf(calendars.replace(member, calendar(), null))).toBe('PERMISSION_DENIED');
    expect(await codeOf(calendars.get(member, 'holidays'))).toBeNull();
  });

  test('is one of at most a thousand', async () => {
    const caller = newCaller();
    await bench.engine`
      insert into calendars (tenant_id, name, dates, ranges, weekly, ical_days, version, revision, created_at, updated_at, created_by)
      select ${caller.tenantId}, 'c' || n, '[]', '[]', '[]', '[]', 1, 1, now(), now(), 'ada' from generate_series(1, 1000) as n`;
    expect(await codeOf(calendars.create(caller, calendar()))).toBe('QUOTA_EXCEEDED');
  });
});
