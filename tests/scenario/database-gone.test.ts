import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import { connectPool } from '../../src/infra/db/client.ts';
import { startEmbeddedPostgres } from '../../src/infra/db/embedded-postgres.ts';
import { EnginePool } from '../../src/infra/db/engine-pool.ts';
import { migrate } from '../../src/infra/db/migrate.ts';
import { createTestDatabase } from '../support/database.ts';
import { Door } from '../support/door.ts';
import { ALL_KEPT, createEverySecond, fullSecondIn, isAtRest } from '../support/every-second.ts';
import { freePort } from '../support/external-services.ts';
import { judge, readRuns } from '../support/history.ts';
import { engineEnvironment, startNode } from '../support/nodes.ts';
import { Receiver } from '../support/receiver.ts';
import { openScheduling } from '../support/scheduling.ts';
import { until } from '../support/until.ts';

/* The database goes away and comes back: connections are cut, a socket falls silent, the server restarts. */

const LEASE_MS = 3_000;

/** Calls `work` every so often until `ms` have passed. */
async function during(ms: number, everyMs: number, work: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    await work();
    const next = performance.now() + everyMs;
    await until('the next time', () => performance.now() >= next);
  }
}

describe.concurrent('the pool of the engine', () => {
  it('outlives the end of its backends, in the middle of whatever they do', async () => {
    await using closing = new AsyncDisposableStack();
    const database = closing.adopt(await createTestDatabase(), (made) => made.drop());
    const limits = { statementTimeoutMs: 60_000, connectTimeoutSec: 60 };
    const open = () =>
      connectPool(database.url, { role: 'scheduler_engine', max: 3, applicationName: 'victim', ...limits });
    const pool = closing.use(new EnginePool(open, 90_000));
    const killer = closing.adopt(postgres(database.url, { max: 1 }), (sql) => sql.end());
    let isOver = false;
    let longest = 0;
    const counts = { well: 0, broken: 0 };
    const working = Array.from({ length: 5 }, async () => {
      while (!isOver) {
        const began = performance.now();
        const isWell = await pool
          .transaction(async (sql) => {
            const [row] = await sql<{ one: number }[]>`select 1 as one`;
            await Promise.all([sql`select ${row?.one ?? 0}::int`, sql`select pg_sleep(0.002)`, sql`select 3`]);
          })
          .then(
            () => true,
            () => false,
          );
        counts[isWell ? 'well' : 'broken'] += 1;
        longest = Math.max(longest, performance.now() - began);
      }
    });
    closing.defer(async () => {
      isOver = true;
      await Promise.all(working);
    });
    const kill = () => killer`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'`;
    await during(3_000, 50, kill);
    await until('some were broken', async () => {
      await kill();
      return counts.broken > 5;
    });
    // A machine too busy to end any between two kills does so without them.
    await until('some were not', () => counts.well > 5);
    isOver = true;
    await Promise.all(working);
    // Who waited on a connection that is gone would wait until its silence is too long: a minute.
    expect(longest).toBeLessThan(30_000);
    expect(await pool.transaction((sql) => sql`select 1 as one`)).toEqual([{ one: 1 }]);
  });

  it('gives up a socket that has fallen silent, and commits nothing on it afterwards', async () => {
    await using closing = new AsyncDisposableStack();
    const database = closing.adopt(await createTestDatabase(), (made) => made.drop());
    const door = closing.use(await Door.to(database.url));
    const url = door.through(database.url);
    const open = () => connectPool(url, { role: 'scheduler_engine', max: 1, applicationName: 'test' });
    const pool = closing.use(new EnginePool(open, 300));
    const beside = closing.adopt(
      connectPool(database.url, { role: 'scheduler_engine', max: 1, applicationName: 'test' }),
      (opened) => opened.end(),
    );
    const works = (): Promise<boolean> =>
      pool
        .query((sql) => sql`select 1`)
        .then(
          () => true,
          () => false,
        );
    await until('it works', works);
    const resumed = Promise.withResolvers<void>();
    const afterwards = Promise.withResolvers<unknown>();
    const gone = pool.transaction(async (sql) => {
      await sql`insert into nodes values (gen_random_uuid(), 'b', 't', '{}', '{}', now())`;
      door.state = 'silent';
      await sql`select 1`.catch(() => undefined);
      await resumed.promise;
      afterwards.resolve(
        await sql`select 1`.then(
          () => 'answered',
          () => 'refused',
        ),
      );
    });
    await expect(gone).rejects.toThrow('the database did not answer within 300 ms');
    door.state = 'open';
    resumed.resolve();
    expect(await afterwards.promise).toBe('refused');
    await until('it works again', works);
    expect(await beside`select from nodes`).toHaveLength(0);
  });
});

describe.concurrent('an engine', () => {
  it('goes on when its connections are cut again and again: no slot is missing', async () => {
    await using closing = new AsyncDisposableStack();
    const database = closing.adopt(await createTestDatabase(), (made) => made.drop());
    const sql = closing.adopt(postgres(database.url, { max: 1 }), (opened) => opened.end());
    await check(database.url, {
      nodeUrl: database.url,
      seconds: 6,
      trouble: () =>
        during(
          5_000,
          400,
          () =>
            sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name in ('scheduler-engine', 'scheduler-api') and datname = current_database()`,
        ),
    });
  });

  it('goes on when the network falls silent for longer than its leases last', async () => {
    await using closing = new AsyncDisposableStack();
    const database = closing.adopt(await createTestDatabase(), (made) => made.drop());
    const door = closing.use(await Door.to(database.url));
    await check(database.url, {
      nodeUrl: door.through(database.url),
      seconds: 6,
      trouble: async () => {
        door.state = 'silent';
        await during(LEASE_MS + 1_500, 100, async () => undefined);
        door.state = 'open';
      },
    });
  });

  it('waits at its start for a database that does not answer yet', async () => {
    await using closing = new AsyncDisposableStack();
    const database = closing.adopt(await createTestDatabase(), (made) => made.drop());
    const open = () => connectPool(database.url, { role: 'scheduler_engine', max: 1, applicationName: 'test' });
    const sql = closing.adopt(open(), (pool) => pool.end());
    const door = closing.use(await Door.to(database.url));
    door.state = 'shut';
    const node = startNode(engineEnvironment(door.through(database.url)));
    closing.defer(async () => {
      node.signal('SIGKILL');
      await node.gone();
    });
    await until('it has asked', () => node.output().includes('"loop":"start"'));
    door.state = 'open';
    await until('it lives', async () => (await sql`select from nodes`).length === 1);
    node.signal('SIGTERM');
    expect(await node.gone(), node.output()).toBe(0);
  });

  it('goes on when the server is restarted under it', async () => {
    await using closing = new AsyncDisposableStack();
    const dataDir = closing.adopt(await mkdtemp(join(tmpdir(), `scheduler-tests-${process.pid}-restart-`)), (dir) =>
      rm(dir, { recursive: true, force: true }),
    );
    const settings = { fsync: 'off', full_page_writes: 'off' };
    let server = await startEmbeddedPostgres({ dataDir, settings, port: await freePort() });
    closing.defer(() => server.stop());
    const { url } = server;
    await migrate(url);
    await check(url, {
      nodeUrl: url,
      seconds: 6,
      trouble: async () => {
        await server.stop();
        await during(1_000, 100, async () => undefined);
        server = await startEmbeddedPostgres({ dataDir, settings, port: Number(new URL(url).port) });
      },
    });
  });

  it('goes on when the server falls over ten times in a row, in the middle of whatever it does', {
    timeout: 600_000,
  }, async () => {
    await using closing = new AsyncDisposableStack();
    const dataDir = closing.adopt(await mkdtemp(join(tmpdir(), `scheduler-tests-${process.pid}-crash-`)), (dir) =>
      rm(dir, { recursive: true, force: true }),
    );
    const settings = { fsync: 'off', full_page_writes: 'off' };
    let server = await startEmbeddedPostgres({ dataDir, settings, port: await freePort() });
    closing.defer(() => server.stop());
    const { url } = server;
    await migrate(url);
    await check(url, {
      nodeUrl: url,
      seconds: 30,
      trouble: async () => {
        for (let crash = 0; crash < 10; crash += 1) {
          const [pid] = (await readFile(join(dataDir, 'postgres', 'cluster', 'postmaster.pid'), 'utf8')).split('\n');
          // As `pg_ctl stop -m immediate`: no backend finishes anything.
          process.kill(Number(pid), 'SIGQUIT');
          await server.stop();
          server = await startEmbeddedPostgres({ dataDir, settings, port: Number(new URL(url).port) });
          await during(700, 100, async () => undefined);
        }
      },
    });
  });
});

interface Trial {
  /** The database as the node reaches it. */
  readonly nodeUrl: string;
  readonly seconds: number;
  /** Begins with the first deliveries, and is over when the promise resolves. */
  trouble(): Promise<void>;
}

/** One node, forty schedules that are due every second: whatever the trouble, no slot is lost, doubled or left open. */
async function check(url: string, { nodeUrl, seconds, trouble }: Trial): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const receiver = closing.use(await Receiver.start());
  const scheduling = closing.adopt(await openScheduling(url), (opened) => opened.close());
  const firstSlot = fullSecondIn(3_000);
  const expected = await createEverySecond(scheduling, {
    schedules: 40,
    seconds,
    firstSlot,
    receiverUrl: receiver.url,
  });
  const node = startNode(engineEnvironment(nodeUrl, { LEASE_MS: String(LEASE_MS), POSTGRES_DEADLINE_MS: '1000' }));
  closing.defer(async () => {
    node.signal('SIGKILL');
    await node.gone();
  });
  const said = (): string => node.output().slice(-4000);
  await until(
    () => `the first slots arrive: ${said()}`,
    () => receiver.received.length > 40,
  );
  const from = Date.now();
  await trouble();
  const sql = closing.adopt(connectPool(url, { role: 'scheduler_engine', max: 1, applicationName: 'test' }), (pool) =>
    pool.end(),
  );
  await until('every schedule is completed', () => isAtRest(sql));
  const faults = [{ from: from - LEASE_MS, to: Date.now() }];
  const verdict = judge({ expected, runs: await readRuns(sql), received: receiver.received, faults, clockErrorMs: 2 });
  expect(verdict, said()).toEqual(ALL_KEPT);
  node.signal('SIGTERM');
  expect(await node.gone()).toBe(0);
}
