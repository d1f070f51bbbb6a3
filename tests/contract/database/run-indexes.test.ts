import type postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectPool } from '../../../src/infra/db/client.ts';
import { completeRunIndexes } from '../../../src/infra/db/run-indexes.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let owner: postgres.Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = connectPool(database.url, { max: 1, applicationName: 'test', statementTimeoutMs: 60_000 });
  await owner`set role scheduler_owner`;
});
afterAll(async () => {
  await owner.end();
  await database.drop();
});

/** The index as a migration leaves it: on the whole alone, while the days that are there have none. */
async function asMigrated(): Promise<void> {
  await owner`drop index runs_by_cause`;
  await owner`create index runs_by_cause on only runs using btree (tenant_id, cause, slot) where cause <> 'SCHEDULE'`;
}

async function missing(): Promise<readonly string[]> {
  const days = await owner<{ day: string }[]>`
    select p.inhrelid::regclass::text as day from pg_inherits p where p.inhparent = 'runs'::regclass and not exists (
      select from pg_index c join pg_inherits i on i.inhrelid = c.indexrelid
      where c.indrelid = p.inhrelid and c.indisvalid and i.inhparent = 'runs_by_cause'::regclass) order by 1`;
  return days.map(({ day }) => day);
}

async function isWhole(): Promise<boolean> {
  const [row] = await owner<{ valid: boolean }[]>`
    select indisvalid as valid from pg_index where indexrelid = 'runs_by_cause'::regclass`;
  return row?.valid === true;
}

test('a migrated database has every index of runs on every day', async () => {
  const unfinished = await owner`select from pg_index where indrelid = 'runs'::regclass and not indisvalid`;
  expect(unfinished).toHaveLength(0);
});

test.each([
  ['at once where a day is small', 1_000_000_000],
  ['beside its writers where it is large', -1],
])('days that were there get the index %s, new ones have it', async (_how, smallDay) => {
  await asMigrated();
  const before = await missing();
  const year = 2070 + Math.sign(smallDay);
  await owner`select make_run_partition(${`${year}-01-01`}::date)`;
  expect([await missing(), await isWhole()]).toEqual([before, false]);
  expect(before.length).toBeGreaterThan(3);
  await completeRunIndexes(owner, smallDay);
  expect([await missing(), await isWhole()]).toEqual([[], true]);
});

test('a day that somebody is writing to is left to the next call, which mends what a failed one left', async () => {
  await asMigrated();
  await owner`set lock_timeout = '50ms'`;
  const writer = connectPool(database.url, { role: 'scheduler_engine', max: 1, applicationName: 'test' });
  await writer.begin(async (tx) => {
    await tx`
      insert into runs (schedule_id, slot, space, tenant_id, version, state, cause, due)
      values (gen_random_uuid(), '2001-01-01', 0, 'acme', 1, 'SUCCEEDED', 'MANUAL', '2001-01-01')`;
    await completeRunIndexes(owner, -1);
    expect(await missing()).toContain('runs_default');
  });
  await writer.end();
  await completeRunIndexes(owner, -1);
  expect([await missing(), await isWhole()]).toEqual([[], true]);
});

test('while another process builds, nobody waits for it', async () => {
  await asMigrated();
  const other = connectPool(database.url, { max: 1, applicationName: 'test' });
  await other`select pg_advisory_lock(7270115002)`;
  await completeRunIndexes(owner);
  expect(await isWhole()).toBe(false);
  await other.end();
  await completeRunIndexes(owner);
  expect(await isWhole()).toBe(true);
});
