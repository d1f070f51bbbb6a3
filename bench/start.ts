import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from './support/free-port.ts';
import { nodeOptions } from './support/node-options.ts';
import { treeCpuMs } from './support/process-cpu.ts';
import { median, report } from './support/table.ts';

/*
 * `npm start` on an empty folder, and later on the same one: from the start of the process to the first 200 of /ready. The embedded
 * database is made, started and migrated meanwhile. `--quick`: one round.
 */

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' } },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const LOOK_MS = 10;
const READY_MS = 120_000;
const MUST = { first: 5, later: 1.5 };
const GOAL = { first: 2, later: 0.5 };

interface Start {
  readonly seconds: number;
  readonly cpuMs: number;
}

const starts: Record<'first' | 'later', Start[]> = { first: [], later: [] };
for (let round = 1; round <= rounds; round += 1) {
  const folder = mkdtempSync(join(tmpdir(), 'scheduler-start-'));
  for (const which of ['first', 'later'] as const) {
    const start = await started(folder);
    console.log(`round ${round}, ${which}: ${start.seconds.toFixed(2)} s, CPU ${Math.round(start.cpuMs)} ms`);
    starts[which].push(start);
  }
  rmSync(folder, { recursive: true, force: true });
}
report(
  'start',
  (['first', 'later'] as const).map((which) => ({
    start: which,
    's (median)': Number(median(starts[which].map(({ seconds }) => seconds)).toFixed(2)),
    'all rounds': starts[which].map(({ seconds }) => seconds.toFixed(2)).join(' '),
    'CPU ms': Math.round(median(starts[which].map(({ cpuMs }) => cpuMs))),
    must: MUST[which],
    goal: GOAL[which],
  })),
  [
    'Embedded mode, from the start of the process to the first 200 of /ready. CPU: the process and its children until then.',
  ],
);

async function started(folder: string): Promise<Start> {
  const port = await freePort();
  const startedAt = performance.now();
  const env = { PATH: process.env['PATH'] ?? '', DATA_DIR: folder, PORT: String(port), LOG_LEVEL: 'warn' };
  const child = spawn(process.execPath, [...nodeOptions(), MAIN], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  process.once('exit', () => child.kill('SIGTERM'));
  const ended = once(child, 'exit');
  while (!(await isReady(port))) {
    if (child.exitCode !== null || performance.now() - startedAt > READY_MS) throw new Error('it did not become ready');
    await delay(LOOK_MS);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuMs = child.pid === undefined ? 0 : treeCpuMs(child.pid);
  child.kill('SIGTERM');
  await ended;
  return { seconds, cpuMs };
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/ready`)).status === 200;
  } catch {
    return false;
  }
}
