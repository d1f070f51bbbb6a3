import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { EngineProcess } from './support/engine-process.ts';
import { reached } from './support/instant.ts';
import { ScheduleStore } from './support/schedule-store.ts';
import { startServers } from './support/servers.ts';
import { percentile, report } from './support/table.ts';
import { turnsCostUs } from './support/turns-cost.ts';

/*
 * How late the webhooks of quiet tenants arrive, one a second each, while another tenant has very many due at one instant: without that
 * tenant; with a receiver of its own that answers; with one that hangs; with a limit granted to tenants. Arrival and what is in
 * flight are counted at the receivers. And what taking turns costs where there is nothing unfair. `--quick`: 20,000 due, 5 s each.
 */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    due: { type: 'string' },
    seconds: { type: 'string' },
  },
});
const due = Number(values.due ?? (values.quick ? 20_000 : 200_000));
const seconds = Number(values.seconds ?? (values.quick ? 4 : 30));
const QUIET_TENANTS = 10;
const QUIET_LEAD_MS = 2_000;
const GRANTED = 25;
const SLOW_MS = 20;

interface Phase {
  readonly name: string;
  readonly flood: number;
  /** Null: never. */
  readonly answersAfterMs: number | null;
  readonly environment: Readonly<Record<string, string>>;
}

const granted = { QUOTA_CONCURRENT_DELIVERIES: String(GRANTED) };
const phases: readonly Phase[] = [
  { name: 'alone', flood: 0, answersAfterMs: SLOW_MS, environment: {} },
  { name: 'flood', flood: due, answersAfterMs: SLOW_MS, environment: {} },
  { name: 'flood that hangs', flood: due, answersAfterMs: null, environment: {} },
  { name: `flood, ${GRANTED} at once granted`, flood: due, answersAfterMs: SLOW_MS, environment: granted },
];

/** Counts what is in flight at one destination. */
class Destination {
  readonly #server: Server;
  latenessMs: number[] = [];
  arrived = 0;
  flying = 0;
  most = 0;

  private constructor(answer: () => Promise<unknown> | null) {
    this.#server = createServer((request, response) => {
      const slot = Date.parse(String(request.headers['x-scheduler-scheduled-for']));
      this.latenessMs.push(Date.now() - slot);
      this.arrived += 1;
      this.flying += 1;
      this.most = Math.max(this.most, this.flying);
      response.on('close', () => {
        this.flying -= 1;
      });
      request.resume();
      void answer()?.then(() => response.end());
    });
  }

  static async open(answer: () => Promise<unknown> | null): Promise<Destination> {
    const destination = new Destination(answer);
    destination.#server.listen(0, '127.0.0.1');
    await once(destination.#server, 'listening');
    return destination;
  }

  /** The address of its receiver. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  forget(): void {
    this.latenessMs = [];
    this.arrived = 0;
    this.most = this.flying;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

await using servers = await startServers();
await using store = await ScheduleStore.open(servers.postgresUrl);
let answersAfterMs: number | null = SLOW_MS;
const quiet = await Destination.open(() => Promise.resolve());
const flooded = await Destination.open(() => (answersAfterMs === null ? null : delay(answersAfterMs)));
const rows: Readonly<Record<string, string | number>>[] = [];
for (const phase of phases) {
  rows.push(await measured(phase));
  console.log(JSON.stringify(rows.at(-1)));
}
quiet.close();
flooded.close();
report('fairness', rows, [
  `${QUIET_TENANTS} quiet tenants with a slot a second each, ${seconds} s a phase; the flood: ${due} schedules of one tenant due at one instant, answered after ${SLOW_MS} ms.`,
  'Lateness: from the slot to the arrival at the receiver. Most at once: what the flooded receiver had in flight; 125 are allowed to a destination of a tenant.',
  `Taking turns costs ${turnsCostUs().toFixed(1)} µs a delivery, of all that a flood of webhooks takes in node ${floodNodeUs().toFixed(0)} µs each.`,
  'Must: p99 at most 2,000 ms in every phase, and turns at most a twentieth; goal 250 ms.',
]);

/** Of the phase in which the flood is answered. */
function floodNodeUs(): number {
  const flood = rows.find((row) => row['phase'] === 'flood');
  return (Number(flood?.['node ms/s']) * seconds * 1000) / Number(flood?.['flood arrived']);
}

async function measured(phase: Phase): Promise<Readonly<Record<string, string | number>>> {
  ({ answersAfterMs } = phase);
  const http = (url: string) => ({ kind: 'HTTP', http: { url, method: 'POST', headers: {} } }) as const;
  const everySecond = { type: 'INTERVAL', every: 'PT1S', anchor: new Date(0).toISOString() } as const;
  await store.fill({
    count: QUIET_TENANTS,
    prefix: 'quiet',
    tenants: QUIET_TENANTS,
    target: http(quiet.url),
    trigger: everySecond,
    overlapPolicy: 'ALLOW_ALL',
  });
  if (phase.flood > 0) await store.fill({ count: phase.flood, prefix: 'noisy', tenants: 1, target: http(flooded.url) });
  const engine = await EngineProcess.start(servers.postgresUrl, phase.environment);
  const quietAt = Math.ceil((Date.now() + QUIET_LEAD_MS) / 1000) * 1000;
  await store.move({ count: QUIET_TENANTS, prefix: 'quiet', at: quietAt });
  await reached(quietAt + QUIET_LEAD_MS);
  if (phase.flood > 0) await store.move({ count: phase.flood, prefix: 'noisy', at: Date.now() });
  for (const destination of [quiet, flooded]) destination.forget();
  const before = { cpuMs: (await engine.read()).cpuMs, used: await servers.usage() };
  await delay(seconds * 1000);
  const row = {
    phase: phase.name,
    'quiet arrived': `${quiet.arrived} of ${QUIET_TENANTS * seconds}`,
    'p50 ms': percentile(quiet.latenessMs, 0.5),
    'p99 ms': percentile(quiet.latenessMs, 0.99),
    'max ms': Math.max(...quiet.latenessMs),
    'flood arrived': flooded.arrived,
    'most at once': flooded.most,
    'node ms/s': Math.round(((await engine.read()).cpuMs - before.cpuMs) / seconds),
    'store ms/s': Math.round((await servers.usedSince(before.used)).postgresCpuMs / seconds),
  };
  await engine.kill();
  await store.forget();
  return row;
}
