import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { askServiceDesk } from './services.ts';
import { databaseUrl, type TestPostgres } from './test-postgres.ts';

export interface TestDatabase {
  /** For a login role that is no superuser and may act as the service's roles, as in production. */
  readonly url: string;
  /** Closes what is still connected and removes the database. */
  drop(): Promise<void>;
}

/** A migrated, empty database of the caller's own. Call it in `beforeAll` and `drop` in `afterAll`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = await askServiceDesk<Omit<TestPostgres, 'stop'>>('postgres');
  const name = server.prefix + randomBytes(4).toString('hex');
  await asAdmin(server.url, async (admin) => {
    const [row] = await admin<{ version: number }[]>`select current_setting('server_version_num')::int as version`;
    const strategy = (row?.version ?? 0) >= 150_000 ? 'strategy file_copy' : '';
    await admin.unsafe(`create database ${name} template ${server.template} ${strategy}`);
  });
  return {
    url: databaseUrl(server.url, name),
    drop: () => asAdmin(server.url, (admin) => admin.unsafe(`drop database if exists ${name} with (force)`)),
  };
}

async function asAdmin(url: string, work: (admin: postgres.Sql) => Promise<unknown>): Promise<void> {
  const admin = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}
