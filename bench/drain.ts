import postgres from 'postgres';
import { asTenantId } from '../src/domain/ids.ts';
import { migrate } from '../src/infra/db/migrate.ts';
import { engineEnvironment, startNode } from '../tests/support/nodes.ts';
import { type Received, Receiver } from '../tests/support/receiver.ts';
import { openScheduling, scheduleInput } from '../tests/support/scheduling.ts';
import { until } from '../tests/support/until.ts';
import { startServers } from './support/servers.ts';
import { percentile, report } from './support/table.ts';

/*
 * `npm run bench -- drain [slots]`: what two processes make of many slots that came due ten minutes ago, while others are due every
 * second. How long the backlog takes, how even it arrives at the receiver, and how late live slots are meanwhile.
 */

const BACKLOG = Number(process.argv[2] ?? 100_000);
const LIVE = 100;
const TENANTS = 20;
const CHUNK = 1_000;
const LATE_MS = 600_000;
const BUCKET_MS = 100;
const WITHIN_MS = 600_000;

await using servers = await startServers();
await migrate(servers.postgresUrl);
await using receiver = await Receiver.start();
await using closing = new AsyncDisposableStack();
const scheduling = closing.adopt(await openScheduling(servers.postgresUrl), (opened) => opened.close());
const sql = closing.adopt(postgres(servers.postgresUrl, { max: 1, onnotice: () => undefined }), (opened) =>
  opened.end(),
);
await sql`set role scheduler_engine`;
const missedAt = Math.floor((Date.now() - LATE_MS) / 1000) * 1000;

for (let at = 0; at < BACKLOG; at += CHUNK) await create('late', at, Math.min(CHUNK, BACKLOG - at));
await sql`
  update timers set slot = ${new Date(missedAt)}, next_due = ${new Date(missedAt)}, cursor = ${new Date(missedAt - 1000)}`;
await create('live', 0, LIVE);
const startedAt = Date.now();
for (const name of ['first', 'second']) {
  const node = startNode(engineEnvironment(servers.postgresUrl, { BUILD_ID: name }));
  closing.defer(async () => {
    node.signal('SIGTERM');
    await node.gone();
  });
}
const late = () => receiver.received.filter(({ path }) => path.startsWith('/late'));
await until(
  'the backlog has arrived',
  () => receiver.received.length >= BACKLOG && late().length >= BACKLOG,
  WITHIN_MS,
);
tell(
  late().map(({ at }) => at),
  receiver.received.filter(({ path }) => path.startsWith('/live')),
);

/** A chunk of schedules of one tenant: due once an hour since the missed slot, or every second from now on. */
async function create(kind: 'late' | 'live', from: number, count: number): Promise<void> {
  const tenantId = asTenantId(`tenant-${(from / CHUNK) % TENANTS}`);
  if (tenantId === null) throw new Error('a tenant id was refused');
  const trigger =
    kind === 'late'
      ? ({ type: 'INTERVAL', every: 'PT1H', anchor: new Date(missedAt).toISOString() } as const)
      : ({ type: 'INTERVAL', every: 'PT1S' } as const);
  const items = Array.from({ length: count }, (_, index) => ({
    kind: 'CREATE' as const,
    input: scheduleInput({
      name: `${kind} ${from + index}`,
      trigger,
      target: { kind: 'HTTP', http: { url: `${receiver.url}/${kind}`, method: 'POST', headers: {} } },
      overlapPolicy: 'ALLOW_ALL',
    }),
  }));
  await scheduling.bulk.apply({ tenantId, subject: 'bench', organizationId: null }, { items, atomic: true });
}

function tell(arrivals: readonly number[], live: readonly Received[]): void {
  const [first = 0] = arrivals;
  const last = arrivals.at(-1) ?? first;
  const buckets = new Map<number, number>();
  for (const at of arrivals) {
    const bucket = Math.floor((at - first) / BUCKET_MS);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }
  const mean = arrivals.length / Math.max(1, (last - first) / BUCKET_MS);
  // What was due before the processes had started waited for them, not behind the backlog.
  const lateness = live
    .map(({ at, headers }) => ({ at, slot: Date.parse(String(headers['x-scheduler-scheduled-for'])) }))
    .filter(({ at, slot }) => slot >= first && at <= last)
    .map(({ at, slot }) => at - slot);
  report(
    'drain',
    [
      {
        backlog: arrivals.length,
        'first after s': (first - startedAt) / 1000,
        'drained in s': (last - first) / 1000,
        'per second': Math.round(arrivals.length / ((last - first) / 1000)),
        'peak/mean in 100 ms': Number((Math.max(...buckets.values()) / mean).toFixed(2)),
        'live slots meanwhile': lateness.length,
        'live p50 ms': percentile(lateness, 0.5),
        'live p99 ms': percentile(lateness, 0.99),
        'live max ms': Math.max(0, ...lateness),
      },
    ],
    [
      'Two processes, one receiver. The backlog was due ten minutes ago; a hundred live schedules are due every second.',
    ],
  );
}
