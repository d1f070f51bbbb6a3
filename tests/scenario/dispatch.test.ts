import { setTimeout as delay } from 'node:timers/promises';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { connectPool } from '../../src/infra/db/client.ts';
import { Broker } from '../chaos/broker.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { ALL_KEPT, createEverySecond, fullSecondIn, isAtRest } from '../support/every-second.ts';
import { findBinary } from '../support/external-services.ts';
import { type Fault, judge, readRuns } from '../support/history.ts';
import { engineEnvironment, type ServiceNode, startNode } from '../support/nodes.ts';
import { seededRandom } from '../support/random.ts';
import { Receiver } from '../support/receiver.ts';
import { type OpenScheduling, openScheduling } from '../support/scheduling.ts';
import { until } from '../support/until.ts';

/*
 * Two engines pass what they claim on to three workers. One of each is killed, and the broker between them. What the
 * receiver wrote down, what the database says and what arithmetic says must agree.
 */

const SCHEDULES = 60;
const SECONDS = 24;
const LEASE_MS = 3_000;
/** Until what a killed process held has come to another: a lease for an engine's, the queue's patience for a worker's. */
const FAULT_TAIL_MS = 20_000;

let database: TestDatabase;
let scheduling: OpenScheduling;
let receiver: Receiver;
let sql: postgres.Sql;
let broker: Broker | null;

beforeAll(async () => {
  database = await createTestDatabase();
  const random = seededRandom(20_261_126);
  // So that attempts are in flight whenever something is killed.
  receiver = await Receiver.start(() => delay(random() * 600, 200));
  scheduling = await openScheduling(database.url);
  sql = connectPool(database.url, { role: 'scheduler_engine', max: 2, applicationName: 'test' });
  broker = await Broker.prepare();
  await broker?.start();
});

afterAll(async () => {
  await sql.end();
  await scheduling.close();
  await receiver[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
  await database.drop();
});

it('a worker without a dispatch to work for, and a dispatch without a broker, are refused at the start', () => {
  const start = (more: Record<string, string>) => () => readConfig({ POSTGRES_URL: 'postgres://h/d', ...more });
  expect(start({ ROLES: 'worker' })).toThrow('DISPATCH: must be nats where ROLES has worker');
  expect(start({ ROLES: 'engine', DISPATCH: 'nats', NATS_URL: '' })).toThrow('NATS_URL: needed with DISPATCH=nats');
});

describe.skipIf(findBinary('nats-server') === undefined)('engines that pass runs on to workers', () => {
  it('lose, double and invent nothing when one of each is killed, and the broker too', {
    timeout: 600_000,
  }, async () => {
    const nodes: ServiceNode[] = [];
    const start = (roles: string): ServiceNode => {
      const node = startNode(environment(roles));
      nodes.push(node);
      return node;
    };
    try {
      const [engine] = [start('engine'), start('engine,upkeep')];
      const [worker] = [start('worker'), start('worker'), start('worker')];
      await until('five nodes live', async () => (await liveNodes()) === 5, 120_000);
      const firstSlot = fullSecondIn(4_000);
      const load = { schedules: SCHEDULES, seconds: SECONDS, firstSlot, receiverUrl: receiver.url };
      const expected = await createEverySecond(scheduling, load);
      await until('the first slots arrive', () => receiver.received.length > 2 * SCHEDULES);
      const faults = [await killed(worker)];
      await until('more arrive', () => receiver.received.length > 6 * SCHEDULES);
      faults.push(await killed(engine));
      await until('still more arrive', () => receiver.received.length > 12 * SCHEDULES);
      faults.push(await brokerRestarted());
      await until('every schedule is completed', () => isAtRest(sql), 120_000);
      const runs = await readRuns(sql);
      const verdict = judge({ expected, runs, received: receiver.received, faults, clockErrorMs: 2 });
      expect(verdict, nodes.map((node) => node.output()).join('\n')).toEqual(ALL_KEPT);
      expect(new Set(runs.map((run) => run.state))).toEqual(new Set(['SUCCEEDED']));
      const again = receiver.received.length - new Set(receiver.received.map((one) => one.headers['webhook-id'])).size;
      const outcomes = runs.flatMap((run) => run.attempts.map((attempt) => attempt.outcome));
      const counts = Object.fromEntries(
        [...Map.groupBy(outcomes, (outcome) => outcome)].map(([name, all]) => [name, all.length]),
      );
      console.log(`dispatch test: ${runs.length} slots, ${again} delivered again; attempts in lists:`, counts);
    } finally {
      for (const node of nodes) node.signal('SIGTERM');
      await Promise.all(nodes.map((node) => node.gone()));
    }
  });
});

function environment(roles: string): Record<string, string> {
  const dispatch = { DISPATCH: 'nats', NATS_URL: broker?.url ?? '', DELIVERY_CONCURRENCY: '200' };
  // An engine could not deliver to this machine: only workers may.
  const egress = { HTTP_ALLOW_PRIVATE_NETWORKS: String(roles === 'worker') };
  return engineEnvironment(database.url, { ROLES: roles, LEASE_MS: String(LEASE_MS), ...dispatch, ...egress });
}

async function liveNodes(): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from nodes`;
  return row?.n ?? 0;
}

async function killed(node: ServiceNode): Promise<Fault> {
  const from = Date.now();
  node.signal('SIGKILL');
  await node.gone();
  return { from, to: from + FAULT_TAIL_MS };
}

async function brokerRestarted(): Promise<Fault> {
  const from = Date.now();
  await broker?.kill();
  await broker?.start();
  return { from, to: from + FAULT_TAIL_MS };
}
