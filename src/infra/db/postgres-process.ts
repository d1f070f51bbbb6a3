import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

const POLL_MS = 20;
const FAST_SHUTDOWN_MS = 15_000;
const STOP_TIMEOUT_MS = 20_000;

/** What PostgreSQL writes about itself into `postmaster.pid`, line by line. */
interface PidFile {
  readonly pid: number;
  readonly port: number;
  readonly isReady: boolean;
}

export interface RunningServer extends PidFile {
  /** Whoever started it is gone, so another process has become its parent. */
  readonly isOrphan: boolean;
}

/** Marks a server's command line with the process that starts it. */
export function ownerSetting(): Record<string, string> {
  return { cluster_name: `scheduler-${process.pid}` };
}

/**
 * The server that runs on this data directory. A `postmaster.pid` whose number now belongs to another program is
 * removed, since PostgreSQL would refuse to start; one that names nobody is left to PostgreSQL, which replaces it.
 */
export async function findRunningServer(dir: string): Promise<RunningServer | undefined> {
  const file = await readPidFile(dir);
  if (file === undefined) {
    return undefined;
  }
  const found = await describeProcess(file.pid);
  if (found === undefined) {
    return undefined;
  }
  if (!found.command.includes(dir)) {
    await rm(join(dir, 'postmaster.pid'), { force: true });
    return undefined;
  }
  const [, owner] = /\bcluster_name=scheduler-(\d+)/.exec(found.command) ?? [];
  return { ...file, isOrphan: found.parent !== Number(owner) };
}

/** Whether the server that runs on this data directory has this number and takes connections. */
export async function isReady(dir: string, pid: number | undefined): Promise<boolean> {
  const file = await readPidFile(dir);
  return file !== undefined && file.pid === pid && file.isReady;
}

/** Shuts an orphan down: fast, and after 15 s at once. Comes back when it is gone. */
export async function endOrphan(dir: string, pid: number, signal: AbortSignal): Promise<void> {
  tell(pid, 'SIGINT');
  const patience = performance.now() + FAST_SHUTDOWN_MS;
  let asked = false;
  while ((await findRunningServer(dir))?.pid === pid) {
    if (!asked && performance.now() > patience) {
      tell(pid, 'SIGQUIT');
      asked = true;
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** Ends a server that this process started: in order within 20 s, else by force. SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one. */
export async function stopServer(child: ChildProcess): Promise<void> {
  child.ref();
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (hasEnded(child)) {
      return;
    }
    child.kill(signal);
    await once(child, 'exit', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) }).catch(() => undefined);
  }
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function readPidFile(dir: string): Promise<PidFile | undefined> {
  const text = await readFile(join(dir, 'postmaster.pid'), 'utf8').catch(() => undefined);
  const [pid, , , port, , , , status] = (text ?? '').split('\n');
  if (pid === undefined || !/^\d+$/.test(pid)) {
    return undefined;
  }
  return { pid: Number(pid), port: Number(port ?? 0), isReady: status?.trim() === 'ready' };
}

async function describeProcess(pid: number): Promise<{ parent: number; command: string } | undefined> {
  if (process.platform === 'linux') {
    return describeByProc(pid);
  }
  const answer = await run('ps', ['-o', 'ppid=,command=', '-p', String(pid)]).catch(() => undefined);
  const [, parent, command] = /^\s*(\d+)\s+(.*)/.exec(answer?.stdout ?? '') ?? [];
  return command === undefined ? undefined : { parent: Number(parent), command };
}

/** A process that has ended and waits for its parent has an empty command line. */
async function describeByProc(pid: number): Promise<{ parent: number; command: string } | undefined> {
  try {
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return command === '' ? undefined : { parent: Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]), command };
  } catch {
    return undefined;
  }
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended meanwhile
  }
}
