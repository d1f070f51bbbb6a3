import type postgres from 'postgres';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Caller } from '../../../src/domain/entities/caller.ts';
import type { ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import { asTenantId, type ScheduleId } from '../../../src/domain/ids.ts';
import { BackfillService } from '../../../src/domain/services/backfill-service.ts';
import { connectPool } from '../../../src/infra/db/client.ts';
import { EnginePool } from '../../../src/infra/db/engine-pool.ts';
import { PostgresBackfillStore } from '../../../src/infra/repo/postgres-backfill-store.ts';
import { ScheduleVersionCache } from '../../../src/infra/repo/schedule-version-cache.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type OpenScheduling, openScheduling, scheduleInput, silentJournal } from '../../support/scheduling.ts';
import { claimSlot } from './workbench.ts';

/* Emission: what a backfill makes of its stretch, chunk by chunk, across restarts and deletions. */

const MINUTE_MS = 60_000;
const FROM = Date.parse('2026-03-01T00:00:00Z');

let database: TestDatabase;
let scheduling: OpenScheduling;
let pool: EnginePool;
let sql: postgres.Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  scheduling = await openScheduling(database.url);
  const open = () => connectPool(database.url, { role: 'scheduler_engine', max: 2, applicationName: 'test' });
  pool = new EnginePool(open, 5_000);
  sql = open();
});

afterAll(async () => {
  await sql.end();
  await pool[Symbol.asyncDispose]();
  await scheduling.close();
  await database.drop();
});

it('becomes one run for each slot, a hundred waiting at a time, and then is gone', async () => {
  const { caller, id, backfills } = await minutely('a');
  await backfills.request(caller, id, { from: FROM, to: FROM + 249 * MINUTE_MS, limit: 1000 });
  await backfills.emit();
  expect(await waiting(id)).toBe(100);
  await backfills.emit();
  expect(await waiting(id)).toBe(100);
  await deliverAll(id);
  await backfills.emit();
  await deliverAll(id);
  expect(await backfills.emit()).toBeGreaterThan(1_000);
  const slots = (await runsOf(id)).map((run) => run.slot);
  expect(slots).toEqual(Array.from({ length: 250 }, (_, index) => FROM + index * MINUTE_MS));
  expect(await sql`select from backfills where schedule_id = ${id}`).toHaveLength(0);
});

it('passes over slots that have a run, and takes those that were only skipped', async () => {
  const { caller, id, backfills } = await minutely('b');
  await sql`
    insert into runs (schedule_id, slot, space, tenant_id, version, state, reason, cause, due, ended_at) values
      (${id}, ${new Date(FROM)}, 0, 'b', 1, 'SUCCEEDED', null, 'SCHEDULE', now(), now()),
      (${id}, ${new Date(FROM + MINUTE_MS)}, 0, 'b', 1, 'SKIPPED', 'MISFIRE', 'SCHEDULE', now(), now())`;
  await backfills.request(caller, id, { from: FROM, to: FROM + 2 * MINUTE_MS, limit: 10 });
  await backfills.emit();
  expect((await runsOf(id)).map((run) => run.slot)).toEqual([FROM + MINUTE_MS, FROM + 2 * MINUTE_MS]);
});

it('passes over a slot that is being delivered and has no row yet', async () => {
  const { caller, id, backfills } = await minutely('f');
  await claimSlot(sql, { scheduleId: id, slot: FROM, space: 0 });
  await backfills.request(caller, id, { from: FROM, to: FROM + MINUTE_MS, limit: 10 });
  await backfills.emit();
  expect((await runsOf(id)).map((run) => run.slot)).toEqual([FROM + MINUTE_MS]);
});

it('asked for twice makes no slot run twice', async () => {
  const { caller, id, backfills } = await minutely('c');
  const stretch = { from: FROM, to: FROM + 4 * MINUTE_MS, limit: 10 };
  await backfills.request(caller, id, stretch);
  await backfills.request(caller, id, stretch);
  await Promise.all([backfills.emit(), backfills.emit()]);
  await backfills.emit();
  expect(await runsOf(id)).toHaveLength(5);
});

it('is looked for again within seconds while another process holds it, which may die before it commits', async () => {
  const { caller, id, backfills } = await minutely('f');
  await backfills.request(caller, id, { from: FROM, to: FROM + 2 * MINUTE_MS, limit: 10 });
  await sql.begin(async (other) => {
    await other`select from backfills where schedule_id = ${id} for update`;
    expect(await backfills.emit()).toBeLessThanOrEqual(1_000);
    expect(await runsOf(id)).toHaveLength(0);
  });
  await backfills.emit();
  expect(await runsOf(id)).toHaveLength(3);
});

it('leaves slots that pass in a pause to the resume, which may fire them', async () => {
  const { caller, id, backfills } = await minutely('g');
  await scheduling.service.pause(caller, id, { note: null, resumeAt: null }, null);
  const pausedAt = new Date(FROM + 2 * MINUTE_MS);
  await sql`update schedules set slot = ${pausedAt}, due = ${pausedAt} where id = ${id}`;
  await backfills.request(caller, id, { from: FROM, to: FROM + 4 * MINUTE_MS, limit: 10 });
  await backfills.emit();
  expect((await runsOf(id)).map((run) => run.slot)).toEqual([FROM, FROM + MINUTE_MS]);
  const inThePause = { from: pausedAt.getTime(), to: FROM + 4 * MINUTE_MS, limit: 10 };
  await expect(backfills.request(caller, id, inThePause)).rejects.toThrow('holds no slot that has passed');
});

it('leaves slots that a calendar has put off to the schedule, whose turn has not come', async () => {
  const { caller, id, backfills } = await minutely('h', async (owner) => {
    const closed = { name: 'closed', description: null, dates: ['2026-03-01'], ranges: [], weekly: [], ical: null };
    await scheduling.calendars.create(owner, closed);
    return { calendars: { exclude: ['closed'], onExcluded: 'FOLLOWING' } };
  });
  // 00:00 of the first has been fired on the second, whose own 00:00 is next; 00:01 of the first comes after that.
  const next = new Date(FROM + 1_440 * MINUTE_MS);
  await sql`update timers set slot = ${next}, next_due = ${next} where schedule_id = ${id}`;
  const putOff = { from: FROM + MINUTE_MS, to: FROM + 4 * MINUTE_MS, limit: 10 };
  await expect(backfills.request(caller, id, putOff)).rejects.toThrow('holds no slot that has passed');
});

it('of a deleted schedule ends without another run', async () => {
  const { caller, id, backfills } = await minutely('d');
  await backfills.request(caller, id, { from: FROM, to: FROM + 4 * MINUTE_MS, limit: 10 });
  await scheduling.service.remove(caller, id, null);
  await backfills.emit();
  expect(await runsOf(id)).toHaveLength(0);
  expect(await sql`select from backfills where schedule_id = ${id}`).toHaveLength(0);
});

it('sends what the version said when it was asked for', async () => {
  const { caller, id, backfills } = await minutely('e');
  await backfills.request(caller, id, { from: FROM, to: FROM, limit: 10 });
  await scheduling.service.patch(caller, id, (current) => ({ ...current, payload: 'later' }), null);
  await backfills.emit();
  expect((await runsOf(id)).map((run) => run.version)).toEqual([1]);
});

/** A schedule of every minute; `more` says what else it has. */
async function minutely(
  tenant: string,
  more: (owner: Caller) => Promise<Partial<ScheduleInput>> = async () => ({}),
): Promise<{ caller: Caller; id: ScheduleId; backfills: BackfillService }> {
  const tenantId = asTenantId(tenant);
  if (tenantId === null) throw new Error('a tenant id was refused');
  const caller = { tenantId, subject: 'test', organizationId: null };
  const { schedule } = await scheduling.service.create(
    caller,
    scheduleInput({
      trigger: { type: 'CRON', cron: '* * * * *' },
      target: { kind: 'EVENT', eventTopic: 'a.b' },
      ...(await more(caller)),
    }),
  );
  const bell = { ring: () => undefined, listen: () => undefined };
  const store = new PostgresBackfillStore(pool, new ScheduleVersionCache(100, 1e6));
  const backfills = new BackfillService({
    unitOfWork: scheduling.unitOfWork,
    store,
    bell,
    journal: silentJournal(),
    newId,
  });
  return { caller, id: schedule.state.id, backfills };
}

async function waiting(id: ScheduleId): Promise<number> {
  const [row] = await sql<
    { waiting: number }[]
  >`select count(*)::int as waiting from retries where schedule_id = ${id} and space = 1`;
  return row?.waiting ?? 0;
}

async function runsOf(id: ScheduleId): Promise<readonly { slot: number; version: number }[]> {
  const rows = await sql<{ slot: number; version: number }[]>`
    select date_part('epoch', slot) * 1000 as slot, version from runs where schedule_id = ${id} and space = 1 order by 1`;
  return rows.map((row) => ({ slot: Math.round(row.slot), version: row.version }));
}

async function deliverAll(id: ScheduleId): Promise<void> {
  await sql`delete from retries where schedule_id = ${id}`;
  await sql`update runs set state = 'SUCCEEDED', ended_at = now() where schedule_id = ${id} and state = 'PENDING'`;
}
