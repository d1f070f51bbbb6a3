import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findDateutil } from './dateutil.ts';

const START_TIMEOUT_MS = 15_000;
const POLL_MS = 20;

interface Recipe {
  /** The variable that names a running server. */
  readonly variable: string;
  readonly scheme: string;
  /** What a private server is started from; without it only the variable counts. */
  readonly binary?: string;
  readonly args?: (port: number, dir: string) => string[];
  readonly remedy: string;
}

const RECIPES = {
  redis: {
    variable: 'REDIS_URL',
    scheme: 'redis',
    binary: 'redis-server',
    args: (port, dir) => `--port ${port} --bind 127.0.0.1 --appendonly no --dir ${dir} --save`.split(' ').concat(''),
    remedy: 'apt-get install redis-server',
  },
  nats: {
    variable: 'NATS_URL',
    scheme: 'nats',
    binary: 'nats-server',
    args: (port, dir) => `-a 127.0.0.1 -p ${port} -js -sd ${dir}`.split(' '),
    remedy: 'apt-get install nats-server',
  },
  rabbitmq: {
    variable: 'AMQP_URL',
    scheme: 'amqp',
    remedy: 'apt-get install rabbitmq-server, start it, and set AMQP_URL',
  },
} as const satisfies Record<string, Recipe>;

export type ExternalService = keyof typeof RECIPES;

type Started = { readonly url: string; stop(): Promise<void> } | { readonly why: string };

export function isExternalService(name: string): name is ExternalService {
  return Object.hasOwn(RECIPES, name);
}

/** One line for each of these services that is neither named by a variable nor installed. PostgreSQL always is. */
export function missingServices(names: readonly string[]): string[] {
  return names
    .filter((name) => name !== 'postgres')
    .flatMap((name) => {
      if (name === 'dateutil') {
        const oracle = findDateutil();
        return 'why' in oracle ? [oracle.why] : [];
      }
      if (!isExternalService(name)) {
        return [`${name}: no such service; there are postgres, dateutil, ${Object.keys(RECIPES).join(', ')}`];
      }
      const recipe: Recipe = RECIPES[name];
      return givenUrl(recipe) === undefined && findBinary(recipe.binary) === undefined ? [whyAbsent(recipe)] : [];
    });
}

/** The server of the service's variable, else one of our own on a private port and folder, else why there is none. */
export async function startExternalService(name: ExternalService): Promise<Started> {
  const recipe: Recipe = RECIPES[name];
  const given = givenUrl(recipe);
  if (given !== undefined) {
    return { url: given, stop: async () => undefined };
  }
  const binary = findBinary(recipe.binary);
  if (binary === undefined || recipe.args === undefined) {
    return { why: whyAbsent(recipe) };
  }
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), `scheduler-tests-${process.pid}-${name}-`));
  const [command, ...args] = withoutOrphans(binary, recipe.args(port, dir));
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  const ended = once(child, 'exit');
  ended.catch(() => undefined);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended.catch(() => undefined);
    await rm(dir, { recursive: true, force: true });
  };
  if (!(await answers(port, () => child.exitCode !== null))) {
    await stop();
    throw new Error(`${binary} did not answer on port ${port}`);
  }
  return { url: `${recipe.scheme}://127.0.0.1:${port}`, stop };
}

function givenUrl({ variable }: Recipe): string | undefined {
  const value = process.env[variable];
  return value === '' ? undefined : value;
}

function whyAbsent({ variable, binary, remedy }: Recipe): string {
  return `no ${variable}${binary === undefined ? '' : ` and no ${binary} on PATH`}: ${remedy}`;
}

export function findBinary(name: string | undefined): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return name === undefined ? undefined : folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Linux ends the server with us, even when we are killed. */
export function withoutOrphans(binary: string, args: readonly string[]): [string, ...string[]] {
  const setpriv = process.platform === 'linux' ? findBinary('setpriv') : undefined;
  return setpriv === undefined ? [binary, ...args] : [setpriv, '--pdeathsig', 'KILL', binary, ...args];
}

async function answers(port: number, hasEnded: () => boolean): Promise<boolean> {
  const patience = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < patience && !hasEnded()) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) {
      return true;
    }
    await sleep(POLL_MS);
  }
  return false;
}

const LOWEST_PORT = 10_000;
/** Where the ports begin that a connection outwards takes for its own end. */
const EPHEMERAL = 30_000;

/** A port on which nobody listens, and which no connection outwards takes before its caller does, or while its server is down. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (EPHEMERAL - LOWEST_PORT));
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
