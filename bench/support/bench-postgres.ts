import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { startEmbeddedPostgres } from '../../src/infra/db/embedded-postgres.ts';
import { findRunningServer, hasEnded, isReady, stopServer } from '../../src/infra/db/postgres-process.ts';
import { freePort } from './free-port.ts';

/*
 * The PostgreSQL that is measured: the machine's programs where it has some, on a cluster of the benchmark's own. They are built for speed,
 * as a production's are, and as Redis here is; the embedded ones are built for size.
 */

/** A server that the benchmark started. */
export interface BenchPostgres {
  /** For the role `scheduler`: no superuser, owner of the database `scheduler`, allowed to create databases and roles. */
  readonly url: string;
  /** Of the process whose children are all others of the server. */
  readonly pid: number;
  /** Which programs these are. */
  readonly description: string;
  stop(): Promise<void>;
}

/** Where Debian and Ubuntu keep the programs of each major version. */
const INSTALLED = '/usr/lib/postgresql';
/** A folder of programs, or `embedded`; left out: what is installed, else embedded. */
const CHOSEN = process.env['BENCH_POSTGRES_BIN'];
const OLDEST_MAJOR = 15;
const START_MS = 20_000;
const LOOK_MS = 20;
/** Who runs the server where we are root, which PostgreSQL refuses. */
const SERVER_USER = 'postgres';
/** Of util-linux: runs a program as another user, and ends it with its parent. */
const SETPRIV = 'setpriv';

export async function startBenchPostgres(
  folder: string,
  settings: Readonly<Record<string, string>>,
): Promise<BenchPostgres> {
  const programs = CHOSEN === undefined ? installedPrograms() : CHOSEN === 'embedded' ? null : CHOSEN;
  return programs === null ? startEmbedded(folder, settings) : startInstalled(programs, folder, settings);
}

function installedPrograms(): string | null {
  if (!existsSync(INSTALLED)) return null;
  const majors = readdirSync(INSTALLED)
    .map(Number)
    .filter((major) => major >= OLDEST_MAJOR && existsSync(join(INSTALLED, String(major), 'bin', 'initdb')));
  return majors.length === 0 ? null : join(INSTALLED, String(Math.max(...majors)), 'bin');
}

async function startEmbedded(folder: string, settings: Readonly<Record<string, string>>): Promise<BenchPostgres> {
  const server = await startEmbeddedPostgres({ dataDir: folder, settings });
  const running = await findRunningServer(join(folder, 'postgres', 'cluster'));
  if (running === undefined) throw new Error('the PostgreSQL to be measured has ended');
  const description = `${await versionOf(server.url)}, embedded`;
  return { url: server.url, pid: running.pid, description, stop: () => server.stop() };
}

async function startInstalled(
  programs: string,
  folder: string,
  settings: Readonly<Record<string, string>>,
): Promise<BenchPostgres> {
  const dataDir = join(folder, 'postgres');
  const password = randomBytes(24).toString('base64url');
  const passwordFile = join(folder, 'password');
  mkdirSync(dataDir, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const as = serverUser([folder], [dataDir, passwordFile]);
  const cluster = [`--pgdata=${dataDir}`, '--encoding=UTF8', '--locale=C', '--data-checksums', '--no-sync'];
  const superuser = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  execFileSync(SETPRIV, [...as, join(programs, 'initdb'), ...cluster, ...superuser], { stdio: 'ignore' });
  const port = await freePort();
  const own = { listen_addresses: '127.0.0.1', unix_socket_directories: '', timezone: 'UTC', port: String(port) };
  const args = Object.entries({ ...settings, ...own }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // Ends with this process, also when that is killed, but not by a Ctrl-C that is meant for it.
  const follow = ['--pdeathsig=INT', ...as];
  const child = spawn(SETPRIV, [...follow, join(programs, 'postgres'), '-D', dataDir, ...args], {
    detached: true,
    stdio: 'ignore',
  });
  const pid = await readyPid(child, dataDir);
  const urlOf = (role: string): string => `postgres://${role}:${password}@127.0.0.1:${port}/${role}`;
  await makeRoleAndDatabase(urlOf('postgres'), password);
  const url = urlOf('scheduler');
  const description = `${await versionOf(url)}, installed`;
  return { url, pid, description, stop: () => stopServer(child) };
}

/** What tells `setpriv` who runs the server. Root hands the files over to that user, who may pass through the folders. */
function serverUser(passable: readonly string[], handed: readonly string[]): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const idOf = (what: '-u' | '-g'): number => Number(execFileSync('id', [what, SERVER_USER], { encoding: 'utf8' }));
  const [user, group] = [idOf('-u'), idOf('-g')];
  for (const path of passable) chmodSync(path, 0o711);
  for (const path of handed) chownSync(path, user, group);
  return [`--reuid=${user}`, `--regid=${group}`, '--clear-groups'];
}

async function readyPid(child: ChildProcess, dataDir: string): Promise<number> {
  const until = performance.now() + START_MS;
  for (;;) {
    if (child.pid !== undefined && (await isReady(dataDir, child.pid))) return child.pid;
    if (hasEnded(child)) throw new Error('the PostgreSQL to be measured ended by itself');
    if (performance.now() > until)
      throw new Error(`the PostgreSQL to be measured was not ready within ${START_MS / 1000} s`);
    await delay(LOOK_MS);
  }
}

async function makeRoleAndDatabase(url: string, password: string): Promise<void> {
  const admin = postgres(url, { max: 1, onnotice: () => undefined });
  await admin.unsafe(`create role scheduler login nosuperuser nobypassrls createdb createrole password '${password}'`);
  await admin`create database scheduler owner scheduler`;
  await admin.end();
}

async function versionOf(url: string): Promise<string> {
  const asked = postgres(url, { max: 1, onnotice: () => undefined });
  const [row] = await asked<{ version: string }[]>`select split_part(version(), ' ', 2) as version`;
  await asked.end();
  return `PostgreSQL ${row?.version ?? ''}`;
}
