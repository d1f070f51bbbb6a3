import { readdirSync, readFileSync } from 'node:fs';

/*
 * CPU time of server processes, from Linux' /proc. Elsewhere everything counts as 0.
 */

const TICK_MS = 10;

interface ProcessTimes {
  readonly parent: number;
  /** Its own CPU time, ms. */
  readonly ownMs: number;
  /** That of its children that have ended, ms. */
  readonly endedMs: number;
}

/** CPU time so far of a process, its ended children and its living ones, ms. */
export function treeCpuMs(pid: number): number {
  const root = timesOf(pid);
  if (root === null) return 0;
  const living = listed('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => timesOf(Number(entry)))
    .filter((times) => times?.parent === pid);
  return living.reduce((sum, times) => sum + (times?.ownMs ?? 0), root.ownMs + root.endedMs);
}

/** CPU time so far of a process, all its threads, in steps of 10 ms. */
export function threadsCpuMs(pid: number): number {
  return ticksMs(statOf(pid), 11);
}

function timesOf(pid: number): ProcessTimes | null {
  const stat = statOf(pid);
  if (stat.length === 0) return null;
  return { parent: stat[1] ?? 0, ownMs: exactMs(pid) ?? ticksMs(stat, 11), endedMs: ticksMs(stat, 13) };
}

/** What the kernel tells of a process, from its state on; empty where it is gone. */
function statOf(pid: number): readonly number[] {
  const stat = read(`/proc/${pid}/stat`);
  return stat === ''
    ? []
    : stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number);
}

/** User and system time together, which stand beside one another. */
function ticksMs(stat: readonly number[], index: number): number {
  return ((stat[index] ?? 0) + (stat[index + 1] ?? 0)) * TICK_MS;
}

/** The main thread's time on a core, where the kernel counts nanoseconds; the servers measured have but one busy thread. */
function exactMs(pid: number): number | null {
  const [nanoseconds] = read(`/proc/${pid}/schedstat`).split(' ');
  return nanoseconds === undefined || nanoseconds === '' ? null : Number(nanoseconds) / 1e6;
}

function listed(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** The file's text; empty where the process is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
