import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { asTenantId, type ScheduleId } from '../../src/domain/ids.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type ExpectedSlot, type Fault, judge, readRuns } from '../support/history.ts';
import { type ServiceNode, startNode } from '../support/nodes.ts';
import { seededRandom } from '../support/random.ts';
import { Receiver } from '../support/receiver.ts';
import { type OpenScheduling, openScheduling, scheduleInput } from '../support/scheduling.ts';
import { until } from '../support/until.ts';

/*
 * Two processes of the service on one database, killed without warning at random moments while slots fall due every
 * second. What the receiver wrote down, what the database says and what arithmetic says must agree.
 */

const SCHEDULES = 600;
const SECONDS = 40;
const KILLS = 20;
const LEASE_MS = 1_000;
const SEED = Number(process.env['KILL_SEED'] ?? 20_261_121);
/** A killed node's connections, claims and lease are gone after this long. */
const FAULT_TAIL_MS = LEASE_MS + 6_000;

let database: TestDatabase;
let scheduling: OpenScheduling;
let receiver: Receiver;
let sql: postgres.Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  const random = seededRandom(SEED);
  receiver = await Receiver.start(() => (random() < 0.02 ? 503 : 200));
  scheduling = await openScheduling(database.url);
  sql = postgres(database.url, { max: 2, connection: { role: 'scheduler_engine' } as Record<string, string> });
});

afterAll(async () => {
  await sql.end();
  await scheduling.close();
  await receiver[Symbol.asyncDispose]();
  await database.drop();
});

it(`loses, doubles and invents nothing over ${KILLS} kills of two processes and ${SCHEDULES * SECONDS} slots`, {
  timeout: 180_000,
}, async () => {
  const random = seededRandom(SEED);
  const firstSlot = Math.ceil(Date.now() / 1000) * 1000 + 8_000;
  const expected = await createSchedules(firstSlot);
  const nodes = [startNode(environment()), startNode(environment())];
  const faults: Fault[] = [];
  try {
    await until('the first slots arrive', () => receiver.received.length > SCHEDULES, 30_000);
    const lastSlot = firstSlot + (SECONDS - 1) * 1000;
    const gap = (lastSlot - Date.now()) / KILLS;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const at = Date.now() + gap * (0.5 + random() * 0.5);
      await until('the next kill', () => Date.now() >= at, 30_000);
      faults.push(await killOne(nodes, Math.floor(random() * nodes.length)));
    }
    await until('every schedule is completed', () => allCompleted(), 90_000);
  } finally {
    for (const node of nodes) node.signal('SIGTERM');
    await Promise.all(nodes.map((node) => node.gone()));
  }
  const runs = await readRuns(sql);
  const verdict = judge({ expected, runs, received: receiver.received, faults, clockErrorMs: 2 });
  expect(verdict, `seed ${SEED}`).toEqual({
    lost: [],
    invented: [],
    createdTwice: [],
    unfinished: [],
    successWithoutAnswer: [],
    silentSkip: [],
    early: [],
    bodyChanged: [],
    unexplainedDuplicate: [],
    undelivered: [],
  });
  expect(faults).toHaveLength(KILLS);
  expect(runs.length).toBeGreaterThanOrEqual(20_000);
  const states = Map.groupBy(runs, (run) => `${run.state} ${run.reason ?? ''}`.trim());
  const counts = Object.fromEntries([...states].map(([state, all]) => [state, all.length]));
  console.log(
    `kill test, seed ${SEED}: ${runs.length} slots, ${faults.length} kills, ${receiver.received.length} deliveries,`,
    counts,
  );
});

function environment(): Record<string, string> {
  return {
    POSTGRES_URL: database.url,
    ROLES: 'engine',
    LEASE_MS: String(LEASE_MS),
    HTTP_ALLOW_PRIVATE_NETWORKS: 'true',
    LOG_LEVEL: 'warn',
  };
}

/** Every second from `firstSlot` on, SECONDS times. Answers the slots that arithmetic asks for. */
async function createSchedules(firstSlot: number): Promise<readonly ExpectedSlot[]> {
  const ids: ScheduleId[] = [];
  for (let index = 0; index < SCHEDULES; index += 1) {
    const tenantId = asTenantId(`tenant-${index % 20}`);
    if (tenantId === null) throw new Error('a tenant id was refused');
    const { schedule } = await scheduling.service.create(
      { tenantId, subject: 'test', organizationId: null },
      scheduleInput({
        name: `every second ${index}`,
        trigger: { type: 'INTERVAL', every: 'PT1S', anchor: new Date(firstSlot).toISOString() },
        target: { kind: 'HTTP', http: { url: `${receiver.url}/hook/${index}`, method: 'POST', headers: {} } },
        payload: { index },
        startAt: new Date(firstSlot),
        endAt: new Date(firstSlot + (SECONDS - 1) * 1000),
        overlapPolicy: 'ALLOW_ALL',
        retry: {
          maxAttempts: 20,
          initialDelaySec: 1,
          backoffCoefficient: 1,
          maxDelaySec: 2,
          jitter: 1,
          maxAgeSec: 600,
        },
      }),
    );
    ids.push(schedule.state.id);
  }
  return ids.flatMap((scheduleId) =>
    Array.from({ length: SECONDS }, (_, step) => ({ scheduleId, slot: firstSlot + step * 1000 })),
  );
}

async function killOne(nodes: ServiceNode[], index: number): Promise<Fault> {
  const victim = nodes[index];
  if (victim === undefined) throw new Error('there is no such node');
  const from = Date.now();
  victim.signal('SIGKILL');
  await victim.gone();
  nodes[index] = startNode(environment());
  return { from, to: from + FAULT_TAIL_MS };
}

async function allCompleted(): Promise<boolean> {
  const [row] = await sql<{ open: number }[]>`
    select (select count(*) from timers)::int + (select count(*) from retries)::int + (select count(*) from claims)::int as open`;
  return row?.open === 0;
}
