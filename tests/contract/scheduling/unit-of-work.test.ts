import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DomainError } from '../../../src/domain/errors.ts';
import { connectPool, openDatabase } from '../../../src/infra/db/client.ts';
import { DrizzleUnitOfWork } from '../../../src/infra/repo/drizzle-unit-of-work.ts';
import { scheduleInput } from '../../support/scheduling.ts';
import { codeOf, newCaller, openWorkbench, tenantNamed, type Workbench } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const TENANT = tenantNamed('acme');
const INPUT = scheduleInput({ target: { kind: 'EVENT', eventTopic: 'a.b' } });

/** Ends the sessions of this name, as an operator may. */
async function killed(applicationName: string): Promise<void> {
  const login = postgres(bench.url, { max: 1, onnotice: () => undefined });
  await login`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${applicationName}`;
  await login.end();
}

/** A door to the database that can stop passing anything on, without a word. */
class HalfOpenDoor implements AsyncDisposable {
  isShut = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(target: URL) {
    this.#server = createServer((client) => {
      const database = connect(Number(target.port === '' ? 5432 : target.port), target.hostname);
      const sides: [Socket, Socket][] = [
        [client, database],
        [database, client],
      ];
      for (const [from, to] of sides) {
        this.#sockets.add(from);
        from.on('data', (chunk) => this.isShut || to.write(chunk));
        from.on('error', () => undefined);
        from.on('close', () => this.isShut || to.destroy());
      }
    }).listen(0, '127.0.0.1');
  }

  async url(target: string): Promise<string> {
    if (!this.#server.listening) await new Promise((resolve) => this.#server.once('listening', resolve));
    const url = new URL(target);
    url.hostname = '127.0.0.1';
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe('a transaction', () => {
  test('tells the database’s time', async () => {
    const [before] = await bench.api<{ now: number }[]>`select date_part('epoch', now()) * 1000 as now`;
    const now = await bench.unitOfWork.forTenant(TENANT, async (work) => work.now);
    expect(Number.isInteger(now) && now >= Math.floor(before?.now ?? Number.POSITIVE_INFINITY)).toBe(true);
  });

  test('that throws leaves nothing behind, and its error comes out as it was', async () => {
    const caller = newCaller();
    const wrong = new DomainError('CONFLICT', 'no');
    const { schedule } = await bench.scheduling.create(caller, INPUT);
    const failing = bench.unitOfWork.forTenant(caller.tenantId, async ({ schedules, now }) => {
      const found = await schedules.findForChange({ id: schedule.state.id });
      if (found !== null) await schedules.removeAll([found], now);
      throw wrong;
    });
    await expect(failing).rejects.toBe(wrong);
    expect((await bench.scheduling.get(caller, schedule.state.id)).isActive).toBe(true);
  });

  test('that loses a deadlock is run again', async () => {
    const caller = newCaller();
    const made = await Promise.all([bench.scheduling.create(caller, INPUT), bench.scheduling.create(caller, INPUT)]);
    const [one, other] = made.map(({ schedule }) => ({ id: schedule.state.id }));
    if (one === undefined || other === undefined) throw new Error('nothing was made');
    const both = Promise.withResolvers<void>();
    let waiting = 0;
    let started = 0;
    const locking = (first: typeof one, second: typeof one): Promise<void> =>
      bench.unitOfWork.forTenant(caller.tenantId, async ({ schedules }) => {
        started += 1;
        await schedules.findForChange(first);
        if (++waiting === 2) both.resolve();
        await both.promise;
        await schedules.findForChange(second);
      });
    await Promise.all([locking(one, other), locking(other, one)]);
    expect(started).toBeGreaterThanOrEqual(3);
  });

  test('says nothing of statement or values when the database refuses a row', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.create(caller, { ...INPUT, payload: 'canary' });
    const refused = bench.unitOfWork.forTenant(caller.tenantId, async ({ schedules }) => schedules.insert(schedule));
    const error: unknown = await refused.catch((thrown: unknown) => thrown);
    expect(String(error instanceof Error ? error.stack : '') + JSON.stringify(error)).not.toMatch(
      /canary|insert into/i,
    );
    expect(error).toMatchObject({ message: 'the database refused a statement: 23505 schedules schedules_id_pk' });
  });

  test('that has lost its connection sends nothing more, and neither does one that is over', async () => {
    const pool = connectPool(bench.url, { role: 'scheduler_api', max: 1, applicationName: 'lost' });
    const unitOfWork = new DrizzleUnitOfWork(openDatabase(pool));
    const caller = newCaller();
    let late: Promise<unknown> = Promise.resolve();
    const over = await unitOfWork.forTenant(caller.tenantId, async ({ schedules }) => schedules);
    await expect(over.knowsCommand('x')).rejects.toThrow();
    const lost = unitOfWork.forTenant(caller.tenantId, async ({ schedules }) => {
      await killed('lost');
      await schedules.knowsCommand('x').catch(() => undefined);
      const next = unitOfWork.forTenant(TENANT, async (other) => {
        late = schedules.knowsCommand('y');
        await late.catch(() => undefined);
        return other.schedules.knowsCommand('z');
      });
      await expect(next).resolves.toBe(false);
      await late;
    });
    expect(await codeOf(lost)).toBe('UNAVAILABLE');
    await expect(late).rejects.toThrow();
    await pool.end({ timeout: 1 });
  });

  test.each(['a\u0000b', '\ud800'])('with text that cannot be stored (%j) is the caller’s fault', async (text) => {
    expect(await codeOf(bench.scheduling.create(newCaller(), { ...INPUT, payload: { text } }))).toBe(
      'VALIDATION_FAILED',
    );
  });
});

describe('a database that does not answer', () => {
  async function through(
    door: HalfOpenDoor,
    limits: { readonly statementMs: number; readonly deadlineMs: number },
  ): Promise<{ unitOfWork: DrizzleUnitOfWork; pool: postgres.Sql }> {
    const url = await door.url(bench.url);
    const pool = connectPool(url, {
      role: 'scheduler_api',
      max: 2,
      applicationName: 'test',
      statementTimeoutMs: limits.statementMs,
    });
    return { unitOfWork: new DrizzleUnitOfWork(openDatabase(pool), limits.deadlineMs), pool };
  }

  test('is UNAVAILABLE at the deadline', async () => {
    await using door = new HalfOpenDoor(new URL(bench.url));
    const { unitOfWork, pool } = await through(door, { statementMs: 5000, deadlineMs: 300 });
    await pool`select 1`;
    door.isShut = true;
    expect(await codeOf(unitOfWork.forTenant(TENANT, async () => undefined))).toBe('UNAVAILABLE');
    await pool.end({ timeout: 0 });
  });

  test('costs the pool no connection: it is given up, and the next one works', async () => {
    await using door = new HalfOpenDoor(new URL(bench.url));
    const { unitOfWork, pool } = await through(door, { statementMs: 200, deadlineMs: 4000 });
    await unitOfWork.forTenant(TENANT, async () => undefined);
    door.isShut = true;
    const stuck = [1, 2].map(() => codeOf(unitOfWork.forTenant(TENANT, async () => undefined)));
    expect(await Promise.all(stuck)).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
    door.isShut = false;
    await expect(unitOfWork.forTenant(TENANT, async () => 'well')).resolves.toBe('well');
    await pool.end({ timeout: 1 });
  });

  test('in the middle of a transaction commits nothing that we gave up', async () => {
    const caller = newCaller();
    const late = new DrizzleUnitOfWork(openDatabase(bench.api), 100);
    const { schedule } = await bench.scheduling.create(caller, INPUT);
    const end = Promise.withResolvers<void>();
    const abandoned = late.forTenant(caller.tenantId, async ({ schedules, now }) => {
      const found = await schedules.findForChange({ id: schedule.state.id });
      if (found !== null) await schedules.removeAll([found], now);
      await end.promise;
    });
    expect(await codeOf(abandoned)).toBe('UNAVAILABLE');
    end.resolve();
    // Waits for the row lock of the abandoned transaction.
    expect(
      (await bench.scheduling.pause(caller, schedule.state.id, { note: null, resumeAt: null }, null)).state.state,
    ).toBe('PAUSED');
  });

  test('or does not exist is UNAVAILABLE', async () => {
    const pool = connectPool('postgres://nobody@127.0.0.1:1/none', {
      role: 'scheduler_api',
      max: 1,
      applicationName: 'test',
    });
    expect(await codeOf(new DrizzleUnitOfWork(openDatabase(pool)).forTenant(TENANT, async () => undefined))).toBe(
      'UNAVAILABLE',
    );
    await pool.end({ timeout: 0 });
  });

  test('and kills our backends again and again is UNAVAILABLE at times, and never hangs', async () => {
    const pool = connectPool(bench.url, { role: 'scheduler_api', max: 3, applicationName: 'victims' });
    const unitOfWork = new DrizzleUnitOfWork(openDatabase(pool), 3000);
    const login = postgres(bench.url, { max: 1, onnotice: () => undefined });
    const codes = new Set<unknown>();
    let isOver = false;
    const asking = Array.from({ length: 6 }, async () => {
      while (!isOver) {
        const asked = unitOfWork.forTenant(TENANT, async ({ schedules }) => {
          await schedules.knowsCommand('x');
          await schedules.knowsCommand('y');
        });
        codes.add(await codeOf(asked));
      }
    });
    for (let killed = 0; killed < 40; ) {
      const gone =
        await login`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victims'`;
      killed += gone.length;
    }
    isOver = true;
    await Promise.all(asking);
    expect([...codes].filter((code) => code !== null && code !== 'UNAVAILABLE')).toEqual([]);
    await expect(unitOfWork.forTenant(TENANT, async () => 'well')).resolves.toBe('well');
    await Promise.all([pool.end({ timeout: 1 }), login.end()]);
  });

  test('and slams the door during the greeting is UNAVAILABLE, and is not dialled for ever', async () => {
    let dialled = 0;
    const server = createServer((socket) => {
      dialled += 1;
      socket.on('error', () => undefined).destroy();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `postgres://nobody@127.0.0.1:${(server.address() as AddressInfo).port}/none`;
    const pool = connectPool(url, { role: 'scheduler_api', max: 1, applicationName: 'test' });
    expect(await codeOf(new DrizzleUnitOfWork(openDatabase(pool)).forTenant(TENANT, async () => undefined))).toBe(
      'UNAVAILABLE',
    );
    expect(dialled).toBe(3);
    await pool.end({ timeout: 0 });
    server.close();
  });

  test('and kills our backends is UNAVAILABLE, then answers again', async () => {
    const pool = connectPool(bench.url, { role: 'scheduler_api', max: 1, applicationName: 'victim' });
    const unitOfWork = new DrizzleUnitOfWork(openDatabase(pool));
    const login = postgres(bench.url, { max: 1, onnotice: () => undefined });
    const killed = unitOfWork.forTenant(TENANT, async ({ schedules }) => {
      await login`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'`;
      await schedules.knowsCommand('x');
    });
    expect(await codeOf(killed)).toBe('UNAVAILABLE');
    await expect(unitOfWork.forTenant(TENANT, async () => 'well')).resolves.toBe('well');
    await Promise.all([pool.end({ timeout: 1 }), login.end()]);
  });
});
