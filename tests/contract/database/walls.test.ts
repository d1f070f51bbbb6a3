import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRole, connectPool } from '../../../src/infra/db/client.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let owner: postgres.Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = postgres(database.url, { max: 1, onnotice: () => undefined });
  await owner`set role scheduler_owner`;
});

afterAll(async () => {
  await owner.end();
  await database.drop();
});

describe('the walls between tenants in the database', () => {
  it('stand around every table that has a tenant, its partitions too', async () => {
    expect(await tablesWithTenant(owner)).toEqual(
      expect.arrayContaining([
        'audit_entries',
        'calendars',
        'idempotency_keys',
        'redrives',
        'retries',
        'runs',
        'runs_default',
        'schedule_versions',
        'schedules',
        'secrets',
        'tenant_minutes',
        'tenants',
        'timers',
      ]),
    );
    expect(await holes(owner)).toEqual([]);
  });

  it('are missed when any one policy or FORCE is gone', async () => {
    const policies = await owner<
      { table: string; policy: string }[]
    >`select tablename as table, policyname as policy from pg_policies where schemaname = 'public'`;
    const removals = [
      ...policies.map(({ table, policy }) => `drop policy ${policy} on ${table}`),
      ...(await tablesWithTenant(owner)).map((table) => `alter table ${table} no force row level security`),
      ...(await tablesWithTenant(owner)).map((table) => `alter table ${table} disable row level security`),
    ];
    expect(removals.length).toBeGreaterThan(30);
    for (const removal of removals) {
      expect(await holesAfter(removal), removal).not.toEqual([]);
    }
  });

  it('give the API no sight of claims, and no partition directly', async () => {
    const api = connectPool(database.url, { role: 'scheduler_api', max: 1, applicationName: 'test' });
    await expect(api`select from claims`).rejects.toThrow(/permission denied/);
    await expect(api`select from runs_default`).rejects.toThrow(/permission denied/);
    await api.end();
  });

  it('hold for both roles the service works as, and not for the login role or the owner', async () => {
    for (const role of ['scheduler_api', 'scheduler_engine'] as const) {
      const pool = connectPool(database.url, { role, max: 1, applicationName: 'test' });
      await expect(checkRole(pool)).resolves.toBeUndefined();
      await pool.end();
    }
    await expect(checkRole(owner)).rejects.toThrow(/owns tables/);
  });

  it('show a transaction without a tenant nothing at all', async () => {
    const api = connectPool(database.url, { role: 'scheduler_api', max: 1, applicationName: 'test' });
    await owner`reset role`;
    await owner`set role scheduler_engine`;
    await owner`insert into tenants (tenant_id) values ('somebody')`;
    await owner`reset role`;
    await owner`set role scheduler_owner`;
    expect(await api`select * from tenants`).toHaveLength(0);
    await expect(api`insert into tenants (tenant_id) values ('intruder')`).rejects.toThrow(/row-level security/);
    await api.end();
  });
});

/** What stands open, one line each. */
async function holes(sql: postgres.Sql | postgres.TransactionSql): Promise<readonly string[]> {
  const found: string[] = [];
  for (const table of await tablesWithTenant(sql)) {
    const [flags] = await sql<{ enabled: boolean; forced: boolean; partition: boolean }[]>`
      select relrowsecurity as enabled, relforcerowsecurity as forced, relispartition as partition from pg_class where oid = ${table}::regclass`;
    if (flags?.enabled !== true) found.push(`${table}: row-level security is off`);
    if (flags?.forced !== true) found.push(`${table}: not forced`);
    // Nobody is granted a partition; without policies it is closed to all.
    if (flags?.partition === true) continue;
    const policies = await sql<{ roles: string[]; using: string | null; check: string | null }[]>`
      select roles::text[] as roles, qual as using, with_check as check from pg_policies where schemaname = 'public' and tablename = ${table}`;
    const ofApi = policies.filter(({ roles }) => roles.includes('scheduler_api'));
    const wall = "(tenant_id = NULLIF(current_setting('app.tenant_id'::text, true), ''::text))";
    if (ofApi.length !== 1 || ofApi[0]?.using !== wall || ofApi[0]?.check !== wall)
      found.push(`${table}: the API's policy is not the wall`);
    if (
      !policies.some(
        ({ roles, using, check }) => roles.includes('scheduler_engine') && using === 'true' && check === 'true',
      )
    ) {
      found.push(`${table}: the engine has no policy`);
    }
    if (policies.some(({ roles }) => roles.includes('public'))) found.push(`${table}: a policy for everybody`);
  }
  return found;
}

async function tablesWithTenant(sql: postgres.Sql | postgres.TransactionSql): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attname = 'tenant_id' and not a.attisdropped order by 1`;
  return rows.map((row) => row.name);
}

/** The holes in a transaction in which something was removed; rolled back. */
async function holesAfter(removal: string): Promise<readonly string[]> {
  let found: readonly string[] = [];
  const undo = new Error('undo');
  await owner
    .begin(async (tx) => {
      await tx.unsafe(removal);
      found = await holes(tx);
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  return found;
}
