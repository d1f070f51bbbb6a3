import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresUnavailable, type PostgresPrograms } from './postgres-binaries.ts';

const MAJOR_VERSION = '18';
const INITDB_TIMEOUT_MS = 120_000;

/** A database cluster on disk: complete, with the role and the database the service uses. */
export interface Cluster {
  /** PostgreSQL's data directory. */
  readonly dir: string;
  /** Of the role `scheduler`, which owns the database `scheduler` and is no superuser. */
  readonly password: string;
}

/** Opens the cluster under the data directory, making it first where there is none. */
export async function openCluster(programs: PostgresPrograms): Promise<Cluster> {
  const home = join(programs.dataDir, 'postgres');
  const found = await readCluster(home);
  if (found !== undefined) {
    return found;
  }
  await makeCluster(programs, home);
  const made = await readCluster(home);
  if (made === undefined) {
    throw new EmbeddedPostgresUnavailable(`${home} holds no complete database`);
  }
  return made;
}

async function readCluster(home: string): Promise<Cluster | undefined> {
  const dir = join(home, 'cluster');
  const version = await readFile(join(dir, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version === undefined) {
    return undefined;
  }
  if (version.trim() !== MAJOR_VERSION) {
    const versions = `PostgreSQL ${version.trim()}, and this server is ${MAJOR_VERSION}`;
    throw new EmbeddedPostgresUnavailable(`the data in ${home} is of ${versions}`);
  }
  return { dir, password: (await readFile(join(home, 'password'), 'utf8')).trim() };
}

/** Built beside its place and moved there at the end, so an interrupted start leaves no half of a cluster. */
async function makeCluster(programs: PostgresPrograms, home: string): Promise<void> {
  const draft = `${home}.${process.pid}`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  await programs.give(draft);
  try {
    const password = randomBytes(24).toString('base64url');
    const passwordFile = join(draft, 'password');
    await writeFile(passwordFile, password, { mode: 0o600 });
    await programs.give(passwordFile);
    await initialise(programs, draft);
    await createRoleAndDatabase(programs, draft, password);
    await rename(draft, home);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!isTakenMeanwhile(error)) {
      throw error;
    }
  }
}

/** The superuser gets a password nobody keeps: only `postgres --single` acts as superuser. */
async function initialise(programs: PostgresPrograms, draft: string): Promise<void> {
  const superuserPassword = join(draft, 'superuser');
  await writeFile(superuserPassword, randomBytes(24).toString('base64url'), { mode: 0o600 });
  await programs.give(superuserPassword);
  await runToEnd(
    programs.command('initdb', [
      `--pgdata=${join(draft, 'cluster')}`,
      '--username=postgres',
      `--pwfile=${superuserPassword}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-sync',
      '--no-instructions',
    ]),
  );
  await rm(superuserPassword);
}

async function createRoleAndDatabase(programs: PostgresPrograms, draft: string, password: string): Promise<void> {
  const args = ['--single', '-D', join(draft, 'cluster'), '-c', 'exit_on_error=on', 'postgres'];
  await runToEnd(
    programs.command('postgres', args),
    [
      `CREATE ROLE scheduler LOGIN NOSUPERUSER NOBYPASSRLS CREATEDB CREATEROLE PASSWORD '${password}'`,
      'CREATE DATABASE scheduler OWNER scheduler',
      'CHECKPOINT',
      '',
    ].join('\n'),
  );
}

async function runToEnd([command, ...args]: [string, ...string[]], input = ''): Promise<void> {
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'], timeout: INITDB_TIMEOUT_MS });
  const ended = Promise.withResolvers<number | null>();
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4096);
  });
  child.on('error', ended.reject).on('close', ended.resolve);
  child.stdin.on('error', () => undefined).end(input);
  const code = await ended.promise;
  if (code !== 0) {
    throw new EmbeddedPostgresUnavailable(firstComplaint(complaint) ?? `${args.at(0)} ended with ${code}`);
  }
}

/** The first line of a PostgreSQL program's output that says what went wrong. */
export function firstComplaint(output: string): string | undefined {
  const lines = output.split('\n').map((line) => line.trim());
  return lines.find((line) => /\b(FATAL|PANIC|ERROR|error):/.test(line)) ?? lines.find((line) => line !== '');
}

function isTakenMeanwhile(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOTEMPTY' || code === 'EEXIST';
}
