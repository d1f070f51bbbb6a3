import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import type { CrashPoint } from '../../src/domain/crash-point.ts';
import { armingFiles, type Mode, type Step } from './arming.ts';

/* What `#crash-point` is under the condition `crash-points`: a process of the fault tests, which crashes where it is told to. */

const folder = process.env['CRASH_FOLDER'];
/** The rest of the processes compile less: a kill leaves none of them the time to write down what they compiled. */
let isCacheWritten = false;
const files = folder === undefined ? null : armingFiles(folder);

/** Crashes when this point is the next step of the armed ones, and no other process was faster. */
export function crashPoint(point: CrashPoint): void {
  if (!isCacheWritten) flushCompileCache();
  isCacheWritten = true;
  if (files === null || nextStep(files.armed)?.point !== point) return;
  const mine = `${files.armed}.${process.pid}`;
  try {
    renameSync(files.armed, mine);
  } catch {
    return;
  }
  const [step, ...more] = stepsIn(mine);
  if (step === undefined) return;
  if (more.length > 0) {
    writeFileSync(mine, JSON.stringify(more));
    renameSync(mine, files.armed);
  }
  appendFileSync(files.hits, `${JSON.stringify({ ...step, pid: process.pid, at: Date.now() })}\n`);
  if (step.mode !== 'pass') crash(step.mode, point);
}

function crash(mode: Mode, point: CrashPoint): void {
  if (mode === 'throw') throw new Error(`thrown at the crash point ${point}`);
  // Both take hold of the process before this call returns.
  process.kill(process.pid, mode === 'kill' ? 'SIGKILL' : 'SIGSTOP');
}

function nextStep(armed: string): Step | undefined {
  if (!existsSync(armed)) return undefined;
  try {
    return stepsIn(armed)[0];
  } catch {
    // Another process has just taken it.
    return undefined;
  }
}

function stepsIn(file: string): readonly Step[] {
  const steps: readonly Step[] = JSON.parse(readFileSync(file, 'utf8'));
  return steps;
}
