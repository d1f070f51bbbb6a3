import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import type postgres from 'postgres';
import { connectPool } from './client.ts';
import { ensureRoles, ROLES } from './roles.ts';
import { completeRunIndexes } from './run-indexes.ts';

const MIGRATIONS = { migrationsFolder: fileURLToPath(new URL('../../../drizzle', import.meta.url)) };
const LOWEST_SERVER = 150000;
/** Waiting for another migrator counts too. */
const LONGEST_STATEMENT_MS = 10 * 60_000;
/** Any constant: the session lock that lets one migrator work at a time. */
const MIGRATION_LOCK = 7_270_115_001;

/** Brings the database to this build's schema; several processes may call it at once. Throws with a readable cause. */
export async function migrate(url: string): Promise<void> {
  const sql = connectPool(url, {
    max: 1,
    applicationName: 'scheduler-migrate',
    statementTimeoutMs: LONGEST_STATEMENT_MS,
  });
  try {
    await checkServer(sql);
    await sql`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await ensureRoles(sql);
    await sql.unsafe(`set role ${ROLES.owner}`);
    await sql`set lock_timeout = '10s'`;
    await runMigrations(drizzle(sql), MIGRATIONS);
    await sql`select pg_advisory_unlock(${MIGRATION_LOCK})`;
    await completeRunIndexes(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** The time stamp of the newest migration this build knows: what `drizzle.__drizzle_migrations` must hold. */
export function newestMigration(): number {
  return Math.max(...readMigrationFiles(MIGRATIONS).map((migration) => migration.folderMillis));
}

async function checkServer(sql: postgres.Sql): Promise<void> {
  const [row] = await sql<{ version: number; text: string }[]>`
    select current_setting('server_version_num')::int as version, current_setting('server_version') as text`;
  if (row === undefined || row.version < LOWEST_SERVER)
    throw new Error(`PostgreSQL 15 or later is needed; this server is ${row?.text ?? 'unknown'}`);
}
