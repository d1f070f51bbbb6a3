import type postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Caller } from '../../../src/domain/entities/caller.ts';
import type { RunKey, ScheduleId } from '../../../src/domain/ids.ts';
import type { RedriveFilter } from '../../../src/domain/ports/redrive-repository.ts';
import { connectPool } from '../../../src/infra/db/client.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type OpenScheduling, openScheduling, scheduleInput } from '../../support/scheduling.ts';
import { newCaller } from './workbench.ts';

/* Emission: which dead runs a redrive puts back, how fast, and how often. */

const FIRST = Date.UTC(2026, 2, 1, 9);
const MINUTE_MS = 60_000;

let database: TestDatabase;
let open: OpenScheduling;
let sql: postgres.Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  open = await openScheduling(database.url);
  sql = connectPool(database.url, { role: 'scheduler_engine', max: 2, applicationName: 'test' });
});

afterAll(async () => {
  await sql.end();
  await open.close();
  await database.drop();
});

/** A schedule with so many dead runs, a minute apart. */
async function deadRuns(caller: Caller, count: number): Promise<readonly RunKey[]> {
  const input = scheduleInput({ target: { kind: 'EVENT', eventTopic: 'a.b' } });
  const { schedule } = await open.service.create(caller, input);
  const scheduleId = schedule.state.id;
  await sql`
    insert into runs (schedule_id, slot, space, tenant_id, version, state, reason, cause, due, ended_at)
    select ${scheduleId}, to_timestamp(${FIRST / 1000}::float8 + 60 * n), 0, ${caller.tenantId}, 1, 'DEAD', 'EXHAUSTED', 'SCHEDULE', now(), now()
    from generate_series(0, ${count - 1}::int) as n`;
  return Array.from({ length: count }, (_, index) => ({ scheduleId, slot: FIRST + index * MINUTE_MS, space: 0 }));
}

/** How many of the schedule's runs are back, and in which lanes they wait. */
async function back(scheduleId: ScheduleId | undefined): Promise<{ readonly runs: number; readonly lanes: number[] }> {
  const runs =
    await sql`select from runs where schedule_id = ${scheduleId ?? ''} and state = 'PENDING' and ended_at is null and reason is null`;
  const lanes = await sql<
    { lane: number }[]
  >`select distinct lane from retries where schedule_id = ${scheduleId ?? ''}`;
  return { runs: runs.length, lanes: lanes.map(({ lane }) => lane) };
}

async function redrive(caller: Caller, filter: RedriveFilter, ratePerSec = 1000): Promise<string> {
  return (await open.redrives.request(caller, { filter, ratePerSec })).redrive.id;
}

/** As if so much time had passed since the last chunk. */
async function timePasses(id: string): Promise<void> {
  await sql`update redrives set next_at = now() where id = ${id}`;
}

it('nobody looks again for a quarter of a minute while none is under way', async () => {
  expect(await open.redrives.emit()).toBe(15_000);
});

it('puts all dead runs back into its lane, chunk by chunk, and is done', async () => {
  const caller = newCaller();
  const runs = await deadRuns(caller, 150);
  const id = await redrive(caller, {});
  await open.redrives.emit();
  expect((await open.redrives.get(caller, id)).redriven).toBe(100);
  await timePasses(id);
  await open.redrives.emit();
  expect(await open.redrives.get(caller, id)).toMatchObject({
    state: 'DONE',
    redriven: 150,
    endedAt: expect.any(Date),
  });
  expect(await back(runs[0]?.scheduleId)).toEqual({ runs: 150, lanes: [3] });
});

it('puts no more back than its rate allows, however many nodes ask', async () => {
  const caller = newCaller();
  const runs = await deadRuns(caller, 20);
  const id = await redrive(caller, {}, 5);
  await Promise.all([open.redrives.emit(), open.redrives.emit()]);
  expect(await open.redrives.emit()).toBeGreaterThan(500);
  expect((await back(runs[0]?.scheduleId)).runs).toBe(5);
  await open.redrives.cancel(caller, id);
});

it('leaves what died after it was asked for, and what was put back meanwhile', async () => {
  const caller = newCaller();
  const [first, second, third] = await deadRuns(caller, 3);
  const id = await redrive(caller, {});
  if (first === undefined || second === undefined || third === undefined) throw new Error('three runs');
  await open.runs.retry(caller, first);
  await sql`update runs set ended_at = now() + interval '1 minute' where schedule_id = ${second.scheduleId} and slot = to_timestamp(${second.slot / 1000}::float8)`;
  await open.redrives.emit();
  expect(await open.redrives.get(caller, id)).toMatchObject({ state: 'DONE', redriven: 1 });
  expect((await back(first.scheduleId)).runs).toBe(2);
});

it('twice at once puts each run back once', async () => {
  const caller = newCaller();
  const runs = await deadRuns(caller, 40);
  const ids = [await redrive(caller, {}), await redrive(caller, { runs })];
  await Promise.all([open.redrives.emit(), open.redrives.emit()]);
  await open.redrives.emit();
  const made = await Promise.all(ids.map((id) => open.redrives.get(caller, id)));
  expect(made.reduce((sum, { redriven }) => sum + redriven, 0)).toBe(40);
  expect((await back(runs[0]?.scheduleId)).runs).toBe(40);
});

it.each<[string, (runs: readonly RunKey[]) => RedriveFilter, number]>([
  ['those it names', (runs) => ({ runs: runs.slice(2, 5) }), 3],
  ['those of a stretch of slots', () => ({ from: FIRST + MINUTE_MS, to: FIRST + 3 * MINUTE_MS }), 2],
  ['those of a schedule', ([run]) => ({ scheduleId: run?.scheduleId }), 6],
  ['those of a cause', () => ({ cause: 'BACKFILL' }), 0],
])('puts back only %s', async (_which, filter, count) => {
  const caller = newCaller();
  const runs = await deadRuns(caller, 6);
  await redrive(caller, filter(runs));
  await open.redrives.emit();
  expect((await back(runs[0]?.scheduleId)).runs).toBe(count);
});

it("leaves another tenant's runs, another organization's, and those of deleted schedules", async () => {
  const caller = newCaller();
  const foreign = await deadRuns(newCaller(), 2);
  const tenantWide = await deadRuns(caller, 2);
  const own = { ...caller, organizationId: 'org-1' };
  await redrive(own, {});
  await redrive(caller, { runs: foreign });
  await open.redrives.emit();
  expect([await back(foreign[0]?.scheduleId), await back(tenantWide[0]?.scheduleId)]).toEqual([
    { runs: 0, lanes: [] },
    { runs: 0, lanes: [] },
  ]);
  const [gone] = tenantWide;
  if (gone !== undefined) await open.service.remove(caller, gone.scheduleId, null);
  const id = await redrive(caller, {});
  await open.redrives.emit();
  expect(await open.redrives.get(caller, id)).toMatchObject({ state: 'DONE', redriven: 0 });
});

it('puts nothing back after it was stopped', async () => {
  const caller = newCaller();
  const runs = await deadRuns(caller, 3);
  const id = await redrive(caller, {}, 1);
  await open.redrives.emit();
  await open.redrives.cancel(caller, id);
  await timePasses(id);
  await open.redrives.emit();
  expect((await back(runs[0]?.scheduleId)).runs).toBe(1);
});
