import type postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import { asTenantId, type ScheduleId, type TenantId } from '../../../src/domain/ids.ts';
import { ZoneDataService } from '../../../src/domain/services/zone-data-service.ts';
import { connectPool } from '../../../src/infra/db/client.ts';
import { DatabaseClock } from '../../../src/infra/db/database-clock.ts';
import { EnginePool } from '../../../src/infra/db/engine-pool.ts';
import { PostgresZoneDataStore } from '../../../src/infra/repo/postgres-zone-data-store.ts';
import { ScheduleVersionCache } from '../../../src/infra/repo/schedule-version-cache.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type OpenScheduling, openScheduling, scheduleInput, silentJournal } from '../../support/scheduling.ts';

/* One version of the zone data for all slots: newer data makes changed slots anew, older nodes stand back. */

const CALLER = { tenantId: tenant('zones'), subject: 'test', organizationId: null };

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

it('makes the slots anew that older data put elsewhere, and leaves those that are due', async () => {
  const wrong = await daily('wrong');
  const due = await daily('due');
  const right = await daily('right');
  const correct = await slotOf(wrong);
  await sql`update timers set tzdata = '1999a', slot = slot + interval '1 hour', next_due = next_due + interval '1 hour' where schedule_id = ${wrong}`;
  await sql`update timers set tzdata = '1999a', slot = now() - interval '1 minute', next_due = now() where schedule_id = ${due}`;
  const pending = await slotOf(due);
  expect(await zones('2026c').step()).toBe(false);
  expect(await slotOf(wrong)).toBe(correct);
  expect(await slotOf(due)).toBe(pending);
  expect(await slotOf(right)).toBe(correct);
  expect(await sql`select distinct tzdata from timers`).toEqual([{ tzdata: '2026c' }]);
});

it('makes moved slots anew as well, with the cursor before them', async () => {
  const dates = [2027, 2028, 2029].map((year) => `${year}-01-01`);
  await scheduling.calendars.create(CALLER, {
    name: 'closed',
    description: null,
    dates,
    ranges: [],
    weekly: [],
    ical: null,
  });
  const moved = await daily('moved', { calendars: { exclude: ['closed'], onExcluded: 'FOLLOWING' } });
  const correct = await timerOf(moved);
  expect(correct.due).toBeGreaterThan(correct.slot);
  await sql`update timers set tzdata = '1999a', slot = slot + interval '1 hour', next_due = next_due + interval '1 hour',
              cursor = cursor + interval '1 hour' where schedule_id = ${moved}`;
  expect(await zones('2026c').step()).toBe(false);
  expect(await timerOf(moved)).toEqual(correct);
});

it('an older node than a live one stands back, until that one is gone', async () => {
  const older = zones('2025a');
  await heartbeat('2026c');
  await older.step();
  expect(older.outdated).toMatch(/2025a is older than the 2026c/);
  await sql`update nodes set heartbeat = now() - interval '31 seconds'`;
  await older.step();
  expect(older.outdated).toBeNull();
});

it('the newest engine, or one among equals, does not, whatever other nodes have', async () => {
  await heartbeat('2025a');
  await heartbeat('unknown');
  await heartbeat('2027a', 'upkeep');
  const newest = zones('2026c');
  await newest.step();
  expect(newest.outdated).toBeNull();
});

function zones(version: string): ZoneDataService {
  const store = new PostgresZoneDataStore(pool, new ScheduleVersionCache(100, 1e6));
  return new ZoneDataService({ store, clock: new DatabaseClock(), journal: silentJournal(), version });
}

async function daily(name: string, more: Partial<ScheduleInput> = {}): Promise<ScheduleId> {
  const input = scheduleInput({
    name,
    tz: 'Europe/Berlin',
    trigger: { type: 'CRON', cron: '0 9 1 1 *' },
    target: { kind: 'EVENT', eventTopic: 'a.b' },
    ...more,
  });
  const { schedule } = await scheduling.service.create(CALLER, input);
  return schedule.state.id;
}

async function slotOf(id: ScheduleId): Promise<number> {
  const [row] = await sql<
    { slot: number }[]
  >`select date_part('epoch', slot) * 1000 as slot from timers where schedule_id = ${id}`;
  return Math.round(row?.slot ?? 0);
}

async function timerOf(id: ScheduleId): Promise<{ slot: number; due: number; cursor: number }> {
  const [row] = await sql<{ slot: number; due: number; cursor: number }[]>`
    select date_part('epoch', slot) * 1000 as slot, date_part('epoch', next_due) * 1000 as due,
           date_part('epoch', cursor) * 1000 as cursor from timers where schedule_id = ${id}`;
  if (row === undefined) throw new Error('no timer');
  return { slot: Math.round(row.slot), due: Math.round(row.due), cursor: Math.round(row.cursor) };
}

function tenant(name: string): TenantId {
  const id = asTenantId(name);
  if (id === null) throw new Error('a tenant id was refused');
  return id;
}

async function heartbeat(tzdata: string, role = 'engine'): Promise<void> {
  await sql`insert into nodes (id, build, tzdata, roles, commands, heartbeat) values (gen_random_uuid(), 'x', ${tzdata}, array[${role}], '{}', now())`;
}
