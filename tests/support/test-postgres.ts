import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { startEmbeddedPostgres } from '../../src/infra/db/embedded-postgres.ts';
import { migrate } from '../../src/infra/db/migrate.ts';
import { freePort } from './external-services.ts';

/** The server of one test run, with a migrated template database. */
export interface TestPostgres {
  /** Of a database that nobody tests in, for a role that may create databases and roles and is no superuser. */
  readonly url: string;
  readonly template: string;
  /** Begins the name of every database of this run, and of no other run. */
  readonly prefix: string;
  stop(): Promise<void>;
}

const FAMILY = 'scheduler_test_';
const INSUFFICIENT_PRIVILEGE = '42501';
/** Nothing here outlives the run, so nothing waits for the disk. */
const UNSAFE_AND_FAST = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '400' };

/** The server of TEST_POSTGRES_URL, else an embedded one of our own on a folder that goes away with it. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const given = process.env['TEST_POSTGRES_URL'];
  const server =
    given === undefined || given === '' ? await startOwnServer() : { url: given, stop: async () => undefined };
  const prefix = `${FAMILY}${randomBytes(4).toString('hex')}_`;
  const template = `${prefix}template`;
  const admin = postgres(server.url, { max: 1, onnotice: () => undefined });
  const stop = async (): Promise<void> => {
    await dropDatabases(admin, prefix);
    await admin.end();
    await server.stop();
  };
  try {
    await admin`select pg_advisory_lock(hashtext(${prefix}))`;
    await dropDatabasesOfDeadRuns(admin);
    await admin.unsafe(`create database ${template}`);
    await migrate(databaseUrl(server.url, template));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: server.url, template, prefix, stop };
}

/** A migrated, empty database on that server. */
export async function createDatabaseOn(
  server: Omit<TestPostgres, 'stop'>,
): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const name = server.prefix + randomBytes(4).toString('hex');
  await asAdmin(server.url, async (admin) => {
    const [row] = await admin<{ version: number }[]>`select current_setting('server_version_num')::int as version`;
    const strategy = (row?.version ?? 0) >= 150_000 ? 'strategy file_copy' : '';
    await admin.unsafe(`create database ${name} template ${server.template} ${strategy}`);
  });
  return {
    url: databaseUrl(server.url, name),
    drop: () => asAdmin(server.url, (admin) => dropDatabase(admin, name)),
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

/** The same server and role, another database. */
export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function startOwnServer(): Promise<{ url: string; stop(): Promise<void> }> {
  await removeFoldersOfDeadRuns();
  const dataDir = await mkdtemp(join(tmpdir(), `scheduler-tests-${process.pid}-`));
  await chmod(dataDir, 0o711);
  const clear = (): Promise<void> => rm(dataDir, { recursive: true, force: true });
  try {
    const server = await startEmbeddedPostgres({ dataDir, settings: UNSAFE_AND_FAST, port: await freePort() });
    return { url: server.url, stop: () => server.stop().then(clear) };
  } catch (error) {
    await clear();
    throw error;
  }
}

async function removeFoldersOfDeadRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, pid] = /^scheduler-tests-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) {
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A run holds the lock of its prefix while it lives; whose lock is free has died. */
async function dropDatabasesOfDeadRuns(admin: postgres.Sql): Promise<void> {
  const rows = await admin<{ prefix: string }[]>`
    select distinct substring(datname from ${`^${FAMILY}[0-9a-f]{8}_`}) as prefix
    from pg_database where datname ~ ${`^${FAMILY}[0-9a-f]{8}_`}`;
  for (const { prefix } of rows) {
    const [lock] = await admin<{ free: boolean }[]>`select pg_try_advisory_lock(hashtext(${prefix})) as free`;
    if (lock?.free === true) {
      await dropDatabases(admin, prefix);
      await admin`select pg_advisory_unlock(hashtext(${prefix}))`;
    }
  }
}

async function dropDatabases(admin: postgres.Sql, prefix: string): Promise<void> {
  const rows = await admin<
    { datname: string }[]
  >`select datname from pg_database where starts_with(datname, ${prefix})`;
  for (const { datname } of rows) await dropDatabase(admin, datname);
}

/** With FORCE only a superuser may end autovacuum, which is now and then at work there; without it, autovacuum makes way by itself. */
async function dropDatabase(admin: postgres.Sql, name: string): Promise<void> {
  try {
    await admin.unsafe(`drop database if exists ${name} with (force)`);
  } catch (error) {
    if (!(error instanceof postgres.PostgresError) || error.code !== INSUFFICIENT_PRIVILEGE) throw error;
    await admin.unsafe(`drop database if exists ${name}`);
  }
}
