import type postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectPool } from '../../src/infra/db/client.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { ALL_KEPT, createEverySecond, fullSecondIn, isAtRest } from '../support/every-second.ts';
import { type Fault, judge, readRuns } from '../support/history.ts';
import { engineEnvironment, type ServiceNode, startNode } from '../support/nodes.ts';
import { seededRandom } from '../support/random.ts';
import { Receiver } from '../support/receiver.ts';
import { type OpenScheduling, openScheduling } from '../support/scheduling.ts';
import { until } from '../support/until.ts';

/*
 * Two processes of the service on one database, killed without warning at random moments while slots fall due every
 * second. What the receiver wrote down, what the database says and what arithmetic says must agree.
 */

const SCHEDULES = 700;
const SECONDS = 30;
const KILLS = 20;
const LEASE_MS = 3_000;
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
  sql = connectPool(database.url, { role: 'scheduler_engine', max: 2, applicationName: 'test' });
});

afterAll(async () => {
  await sql.end();
  await scheduling.close();
  await receiver[Symbol.asyncDispose]();
  await database.drop();
});

it(`loses, doubles and invents nothing over ${KILLS} kills of two processes and ${SCHEDULES * SECONDS} slots`, {
  timeout: 600_000,
}, async () => {
  const random = seededRandom(SEED);
  const firstSlot = fullSecondIn(12_000);
  const lastSlot = firstSlot + (SECONDS - 1) * 1000;
  const load = { schedules: SCHEDULES, seconds: SECONDS, firstSlot, receiverUrl: receiver.url };
  const expected = await createEverySecond(scheduling, load);
  const nodes = [start(), start()];
  const faults: Fault[] = [];
  try {
    await until('the first slots arrive', () => receiver.received.length > SCHEDULES);
    const gap = (lastSlot - Date.now()) / KILLS;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const at = Date.now() + gap * (0.5 + random() * 0.5);
      await until('the next kill', () => Date.now() >= at);
      faults.push(await killOne(nodes, Math.floor(random() * nodes.length)));
    }
    await until('every schedule is completed', () => isAtRest(sql), 90_000);
  } finally {
    for (const node of nodes) node.signal('SIGTERM');
    await Promise.all(nodes.map((node) => node.gone()));
  }
  const runs = await readRuns(sql);
  const verdict = judge({ expected, runs, received: receiver.received, faults, clockErrorMs: 2 });
  expect(verdict, `seed ${SEED}`).toEqual(ALL_KEPT);
  expect(faults).toHaveLength(KILLS);
  expect(runs.length).toBeGreaterThanOrEqual(20_000);
  const states = Map.groupBy(runs, (run) => `${run.state} ${run.reason ?? ''}`.trim());
  const counts = Object.fromEntries([...states].map(([state, all]) => [state, all.length]));
  console.log(
    `kill test, seed ${SEED}: ${runs.length} slots, ${faults.length} kills, ${receiver.received.length} deliveries,`,
    counts,
  );
});

function start(): ServiceNode {
  return startNode(engineEnvironment(database.url, { LEASE_MS: String(LEASE_MS) }));
}

async function killOne(nodes: ServiceNode[], index: number): Promise<Fault> {
  const victim = nodes[index];
  if (victim === undefined) throw new Error('there is no such node');
  const from = Date.now();
  victim.signal('SIGKILL');
  await victim.gone();
  nodes[index] = start();
  return { from, to: from + FAULT_TAIL_MS };
}
