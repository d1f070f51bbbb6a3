import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRole, connectPool } from '../../../src/infra/db/client.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let login: postgres.Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  login = postgres(database.url, { max: 1, onnotice: () => undefined });
});

afterAll(async () => {
  await login.end();
  await database.drop();
});

/** Tables of no tenant, and what the API may do with them: `claims` names runs of all tenants, `nodes` the processes. */
const INTERNAL: Readonly<Record<string, string>> = { claims: '', nodes: 'SELECT' };
const RELATIONS = "c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')";

describe('what the catalogue of the database says', () => {
  it('is that every table has a tenant, or is internal and closed to the API', async () => {
    const rows = await login<{ name: string; rights: string }[]>`
      select c.relname as name, array_to_string(array(select p from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p
             where has_table_privilege('scheduler_api', c.oid, p)), ' ') as rights
      from pg_class c where ${login.unsafe(RELATIONS)} and c.relkind in ('r', 'p') and not c.relispartition
        and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)`;
    expect(Object.fromEntries(rows.map(({ name, rights }) => [name, rights]))).toEqual(INTERNAL);
  });

  it('is that every key begins with the tenant, or with an id that nobody guesses', async () => {
    const guessable = await login`
      select i.indexrelid::regclass::text as key from pg_index i join pg_class c on c.oid = i.indrelid
      join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
      where i.indisunique and c.relnamespace = 'public'::regnamespace and a.attname <> 'tenant_id' and a.atttypid <> 'uuid'::regtype`;
    expect(guessable).toEqual([]);
  });

  it('is that no foreign key tells of rows behind a wall: there is none', async () => {
    expect(
      await login`select conname from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace`,
    ).toEqual([]);
  });

  it('is that nobody may more than read and write rows, and the public nothing', async () => {
    const grants = await login<{ who: string; rights: string }[]>`
      select coalesce(nullif(g.grantee, 0)::regrole::text, 'PUBLIC') as who, string_agg(distinct g.privilege_type, ' ') as rights
      from pg_class c cross join lateral aclexplode(c.relacl) g
      where ${login.unsafe(RELATIONS)} and g.grantee <> c.relowner group by 1 order by 1`;
    expect(grants.map(({ who, rights }) => [who, rights])).toEqual([
      ['scheduler_api', 'DELETE INSERT SELECT UPDATE'],
      ['scheduler_engine', 'DELETE INSERT SELECT UPDATE'],
    ]);
  });

  it('is that no view and no sequence stands beside the tables', async () => {
    expect(
      await login`select c.relname, c.relkind from pg_class c where ${login.unsafe(RELATIONS)} and c.relkind not in ('r', 'p')`,
    ).toEqual([]);
  });

  it("is that functions with the owner's rights look names up where the owner said, and are not everybody's", async () => {
    const functions = await login<{ name: string; path: string; everybody: boolean }[]>`
      select proname as name, array_to_string(proconfig, ' ') as path,
             exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) g where g.grantee = 0) as everybody
      from pg_proc where pronamespace = 'public'::regnamespace and prosecdef`;
    expect(functions.length).toBeGreaterThan(0);
    for (const { name, path, everybody } of functions)
      expect([name, path, everybody]).toEqual([name, 'search_path=public, pg_temp', false]);
  });

  it('is that the roles of the service can become no other, and escape nothing', async () => {
    const roles = await login<{ name: string; escapes: boolean; member: string[] }[]>`
      select rolname as name, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolcanlogin as escapes,
             array(select m.roleid::regrole::text from pg_auth_members m where m.member = r.oid) as member
      from pg_roles r where rolname in ('scheduler_owner', 'scheduler_api', 'scheduler_engine') order by 1`;
    expect(roles.map((role) => ({ ...role }))).toEqual(
      ['scheduler_api', 'scheduler_engine', 'scheduler_owner'].map((name) => ({ name, escapes: false, member: [] })),
    );
  });
});

describe('the service refuses to work as a role that the walls do not hold', () => {
  it.each([
    ['rolsuper', 'is a superuser'],
    ['rolbypassrls', 'may bypass row-level security'],
  ])('%s', async (flag, reason) => {
    const schema = `seen_with_${flag}`;
    await login.unsafe(`create schema ${schema}`);
    await login.unsafe(`grant usage on schema ${schema} to public`);
    await login.unsafe(
      `create view ${schema}.pg_roles as select rolname, ${flag === 'rolsuper'} as rolsuper, ${flag === 'rolbypassrls'} as rolbypassrls from pg_catalog.pg_roles`,
    );
    await login.unsafe(`grant select on ${schema}.pg_roles to public`);
    const pool = connectPool(`${database.url}?search_path=${schema},pg_catalog,public`, {
      role: 'scheduler_api',
      max: 1,
      applicationName: 'test',
    });
    await expect(checkRole(pool)).rejects.toThrow(`the database role "scheduler_api" ${reason}`);
    await pool.end();
  });
});

describe('a connection that serves one tenant after the other', () => {
  it('shows each its own rows with the same prepared statement, and nothing in between', async () => {
    const engine = connectPool(database.url, { role: 'scheduler_engine', max: 1, applicationName: 'test' });
    await engine`insert into tenants (tenant_id) values ('first'), ('second')`;
    await engine.end();
    const api = connectPool(database.url, { role: 'scheduler_api', max: 1, applicationName: 'test' });
    const seen = async (tenant: string, isolated = true): Promise<readonly string[]> =>
      api.begin(async (tx) => {
        if (isolated) await tx`select set_config('app.tenant_id', ${tenant}, true)`;
        return (await tx<{ id: string }[]>`select tenant_id as id from tenants order by 1`).map(({ id }) => id);
      });
    const turns = Array.from({ length: 8 }, (_, turn) => (turn % 2 === 0 ? 'first' : 'second'));
    for (const tenant of turns) {
      expect(await seen(tenant)).toEqual([tenant]);
      expect(await seen(tenant, false)).toEqual([]);
    }
    await api.end();
  });
});
