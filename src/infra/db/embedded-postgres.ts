import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedPostgresUnavailable, findPostgresPrograms, type PostgresPrograms } from './postgres-binaries.ts';
import { type Cluster, firstComplaint, openCluster } from './postgres-cluster.ts';
import { endOrphan, findRunningServer, hasEnded, isReady, ownerSetting, stopServer } from './postgres-process.ts';

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 10;
/** A start can lose to another process, to a port that was just taken, or to a server that is still shutting down. */
const START_ATTEMPTS = 10;
const RETRY_MS = 300;

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '128MB',
  max_connections: '100',
  wal_compression: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
};

export interface EmbeddedPostgres {
  /** For the role `scheduler`: no superuser, owner of the database `scheduler`, allowed to create databases and roles. */
  readonly url: string;
  /** Ends the server in order (within 20 s, else by force); a server that another process started is left running. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** The database lives in `postgres/` below it and is kept between starts. */
  readonly dataDir: string;
  /** Loopback; a free one is taken when none is given. */
  readonly port?: number;
  /** Server settings that differ from ours, by their names in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Gives up the start; a server that has started stays until `stop`. */
  readonly signal?: AbortSignal;
}

/**
 * Starts PostgreSQL on the data under `dataDir`, or joins the server that a live process already runs there.
 * The server ends when this process does, even by kill -9. Throws EmbeddedPostgresUnavailable.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  options.signal?.throwIfAborted();
  const programs = await findPostgresPrograms(options.dataDir);
  const cluster = await openCluster(programs);
  const deadline = AbortSignal.timeout(START_TIMEOUT_MS);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]);
  let complaint = '';
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    const running = await joinRunning(cluster, signal);
    if (running !== undefined) {
      return running;
    }
    const started = await startServer(programs, cluster, options, signal);
    if (typeof started !== 'string') {
      return started;
    }
    complaint = started;
    await sleep(RETRY_MS, undefined, { signal });
  }
  throw new EmbeddedPostgresUnavailable(complaint);
}

async function joinRunning(cluster: Cluster, signal: AbortSignal): Promise<EmbeddedPostgres | undefined> {
  for (;;) {
    const running = await findRunningServer(cluster.dir);
    if (running === undefined) {
      return undefined;
    }
    if (running.isOrphan) {
      await endOrphan(cluster.dir, running.pid, signal);
    } else if (running.isReady) {
      return { url: urlOf(cluster, running.port), stop: async () => undefined };
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** Answers the complaint of a server that ended before it was ready. */
async function startServer(
  programs: PostgresPrograms,
  cluster: Cluster,
  options: EmbeddedPostgresOptions,
  signal: AbortSignal,
): Promise<EmbeddedPostgres | string> {
  const port = options.port ?? (await freePort());
  const logFile = join(dirname(cluster.dir), 'server.log');
  const settings = Object.entries({ ...SETTINGS, ...options.settings, ...ownerSetting(), port: String(port) });
  const args = ['-D', cluster.dir, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const child = await spawnLogged(programs.command('postgres', args, true), logFile);
  try {
    while (!(await isReady(cluster.dir, child.pid))) {
      if (hasEnded(child)) {
        return firstComplaint(await readFile(logFile, 'utf8')) ?? 'it ended at once and wrote nothing';
      }
      await sleep(POLL_MS, undefined, { signal });
    }
  } catch (error) {
    await stopServer(child);
    throw error;
  }
  return { url: urlOf(cluster, port), stop: () => stopServer(child) };
}

/** In a session of its own, so that Ctrl-C reaches us and not the server while the service drains. */
async function spawnLogged([command, ...args]: [string, ...string[]], logFile: string): Promise<ChildProcess> {
  const log = await open(logFile, 'w', 0o600);
  try {
    const child = spawn(command, args, { detached: true, stdio: ['ignore', log.fd, log.fd] });
    await once(child, 'spawn');
    child.unref();
    return child;
  } finally {
    await log.close();
  }
}

function urlOf(cluster: Cluster, port: number): string {
  return `postgres://scheduler:${cluster.password}@127.0.0.1:${port}/scheduler`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') {
    throw new Error('no free port on 127.0.0.1');
  }
  return address.port;
}
