import type postgres from 'postgres';

/** The database roles: `owner` owns the tables and runs migrations, `api` sees one tenant, `engine` all. None is a superuser. */
export const ROLES = { owner: 'scheduler_owner', api: 'scheduler_api', engine: 'scheduler_engine' } as const;

/** What an administrator runs once where the login role may not create roles. */
export function rolesSql(login: string, database: string): string {
  const names = Object.values(ROLES);
  return [
    ...names.map((name) => `CREATE ROLE ${name} NOLOGIN NOSUPERUSER NOBYPASSRLS;`),
    `GRANT ${names.join(', ')} TO "${login}";`,
    `GRANT CREATE, CONNECT ON DATABASE "${database}" TO ${ROLES.owner};`,
    `GRANT CREATE, USAGE ON SCHEMA public TO ${ROLES.owner};`,
  ].join('\n');
}

/** Makes the roles that are missing and lets the login role act as them. Throws with the SQL to run where it may not. */
export async function ensureRoles(sql: postgres.Sql): Promise<void> {
  const [who] = await sql<{ login: string; database: string; super: boolean; version: number }[]>`
    select session_user as login, current_database() as database, current_setting('server_version_num')::int as version,
           (select rolsuper from pg_roles where rolname = session_user) as super`;
  if (who === undefined) throw new Error('the database did not say who we are');
  try {
    for (const name of Object.values(ROLES)) {
      await createRole(sql, name);
      if (!(await mayAct(sql, name, who.version)))
        await sql.unsafe(`grant ${name} to session_user ${who.version >= 160000 ? 'with set true' : ''}`);
    }
    if (!(await mayCreate(sql))) {
      await sql.unsafe(`grant create, connect on database "${who.database}" to ${ROLES.owner}`);
      await sql.unsafe(`grant create, usage on schema public to ${ROLES.owner}`);
    }
  } catch (error) {
    const hint = rolesSql(who.login, who.database);
    throw new Error(
      `the database role "${who.login}" may not set up the service’s roles; run this as an administrator:\n${hint}`,
      {
        cause: error,
      },
    );
  }
}

async function createRole(sql: postgres.Sql, name: string): Promise<void> {
  const [found] = await sql`select 1 from pg_roles where rolname = ${name}`;
  if (found !== undefined) return;
  try {
    await sql.unsafe(`create role ${name} nologin nosuperuser nobypassrls`);
  } catch (error) {
    const [made] = await sql`select 1 from pg_roles where rolname = ${name}`;
    if (made === undefined) throw error;
  }
}

async function mayAct(sql: postgres.Sql, name: string, version: number): Promise<boolean> {
  const right = version >= 160000 ? 'SET' : 'MEMBER';
  const [row] = await sql<{ may: boolean }[]>`select pg_has_role(session_user, ${name}, ${right}) as may`;
  return row?.may === true;
}

async function mayCreate(sql: postgres.Sql): Promise<boolean> {
  const [row] = await sql<{ may: boolean }[]>`
    select has_database_privilege(${ROLES.owner}, current_database(), 'CREATE')
       and has_schema_privilege(${ROLES.owner}, 'public', 'CREATE') as may`;
  return row?.may === true;
}
