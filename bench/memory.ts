import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EngineProcess, type Reading } from './support/engine-process.ts';
import { reached } from './support/instant.ts';
import { ScheduleStore } from './support/schedule-store.ts';
import { startServers } from './support/servers.ts';
import { report } from './support/table.ts';

/*
 * What an engine process weighs that has fired out of very many schedules for a minute, more of them than its cache of definitions
 * holds; at rest, meanwhile and afterwards. The process is the built one, as the image runs it: from source the tool that strips types
 * weighs 20 MB. `--quick`: 20,000 schedules, 10 s.
 */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    schedules: { type: 'string' },
    seconds: { type: 'string' },
    rate: { type: 'string' },
  },
});
const seconds = Number(values.seconds ?? (values.quick ? 10 : 60));
const rate = Number(values.rate ?? 1_000);
const schedules = Math.max(Number(values.schedules ?? (values.quick ? 20_000 : 1_000_000)), rate * seconds);
const LOOK_MS = 5_000;
const LEAD_MS = 4_000;
const LEAD_MS_EACH = 0.06;
const LEAD_MS_OF_ALL = 0.006;
const MIB = 1024 * 1024;

await using servers = await startServers();
await using store = await ScheduleStore.open(servers.postgresUrl);
await store.fill({ count: schedules, prefix: 'tenant', tenants: 128 });
const main = built();
// Once before, so that its command is stripped of types as well.
await (await EngineProcess.start(servers.postgresUrl, {}, main))[Symbol.asyncDispose]();
await using engine = await EngineProcess.start(servers.postgresUrl, {}, main);
const rows = [rowOf('at rest', await engine.read())];
const at = Date.now() + LEAD_MS + Math.ceil(schedules * LEAD_MS_OF_ALL + rate * seconds * LEAD_MS_EACH);
await store.move({ count: rate * seconds, prefix: 'tenant', at, perSecond: rate });
await reached(at);
let heaviest: Reading | null = null;
let fired = 0;
while (Date.now() < at + seconds * 1000) {
  await reached(Math.min(Date.now() + LOOK_MS, at + seconds * 1000));
  const reading = await engine.read();
  fired += reading.fired;
  if (heaviest === null || reading.rss > heaviest.rss) heaviest = reading;
}
if (heaviest !== null) rows.push(rowOf('heaviest while firing', heaviest));
await store.drained(Date.now());
const last = await engine.read();
rows.push(rowOf('afterwards', last));
report('memory', rows, [
  `One engine process, ${schedules} schedules of 128 tenants, ${fired + last.fired} fired in ${seconds} s, default policies, no-op COMMAND.`,
  'Must: RSS at most 300 MB; goal 180 MB. PSS counts what is shared with other processes of the same program in part.',
]);

/** The program of `npm run build`. */
function built(): string {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  return fileURLToPath(new URL('../dist/main.js', import.meta.url));
}

function rowOf(when: string, reading: Reading): Readonly<Record<string, string | number>> {
  const mib = (bytes: number): number => Math.round(bytes / MIB);
  return {
    when,
    'RSS MiB': mib(reading.rss),
    'PSS MiB': mib(pssOf(reading.pid)),
    'heap MiB': mib(reading.heapUsed),
    'external MiB': mib(reading.external),
  };
}

/** Linux' proportional set size, bytes; elsewhere 0. */
function pssOf(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
