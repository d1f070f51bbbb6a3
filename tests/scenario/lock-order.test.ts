import type postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectPool } from '../../src/infra/db/client.ts';
import { EnginePool } from '../../src/infra/db/engine-pool.ts';
import { EngineBench, type MadeSchedule, type TestEngine } from '../support/engine-bench.ts';
import { ScriptedSenders } from '../support/scripted-senders.ts';
import { until } from '../support/until.ts';

/*
 * Timers, claims, what waits, runs, schedules: everybody locks them in this order, so nobody deadlocks. Whoever waits for a
 * row that a test holds must hold none of those that come later: the test takes them all without waiting.
 */

let bench: EngineBench;
beforeAll(async () => {
  bench = await EngineBench.open();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

interface Holder {
  readonly sql: postgres.TransactionSql;
  /** Somebody waits for what this transaction holds. */
  isInTheWay(): Promise<boolean>;
}

/** A transaction that locks rows and keeps them until `work` is done. */
async function holding(work: (holder: Holder) => Promise<void>): Promise<void> {
  const pool = connectPool(bench.url, { role: 'scheduler_engine', max: 1, applicationName: 'holder' });
  try {
    await pool.begin(async (sql) => {
      const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
      const pid = row?.pid ?? 0;
      const isInTheWay = async (): Promise<boolean> => {
        const waiting = await bench.sql`
          select from pg_locks where not granted and ${pid}::int = any(pg_blocking_pids(pid))`;
        return waiting.length > 0;
      };
      await work({ sql, isInTheWay });
    });
  } finally {
    await pool.end();
  }
}

/** Which tables hold rows of the schedule that somebody else has locked. */
async function lockedBeside(sql: postgres.TransactionSql, { id }: MadeSchedule): Promise<readonly string[]> {
  const locks = {
    claims: () => sql`select from claims where ${id}::uuid = any(schedule_ids) for update nowait`,
    retries: () => sql`select from retries where schedule_id = ${id} for update nowait`,
    runs: () => sql`select from runs where schedule_id = ${id} for update nowait`,
    schedules: () => sql`select from schedules where id = ${id} for update nowait`,
  };
  const locked: string[] = [];
  for (const [table, lock] of Object.entries(locks)) {
    await sql`savepoint before`;
    await lock().catch(() => locked.push(table));
    await sql`rollback to savepoint before`;
  }
  return locked;
}

/** A chain whose run is in flight with a row, and a run that a person asked for beside it. */
async function busySchedule(engine: TestEngine): Promise<MadeSchedule> {
  const schedule = await bench.schedule({ trigger: { type: 'FIXED_DELAY', delaySec: 60 } });
  await bench.rewind(schedule, 120_000);
  await engine.firing.fireDue();
  await engine.store.showRunning(engine.delivery.watch(0).map((flight) => flight.recordRunning()));
  await bench.schedules.trigger(schedule.caller, schedule.id, undefined);
  return schedule;
}

async function keyInFlight(schedule: MadeSchedule) {
  const running = (await bench.runsOf(schedule)).find((run) => run.state === 'RUNNING');
  return { scheduleId: schedule.id, slot: running?.slot ?? 0, space: 0 };
}

describe('whoever needs a timer that is held waits for it with empty hands:', () => {
  it.each<[string, (schedule: MadeSchedule, engine: TestEngine, senders: ScriptedSenders) => Promise<unknown>]>([
    ['a cancel', async (schedule) => bench.runs.cancel(schedule.caller, await keyInFlight(schedule))],
    ['a deletion', async (schedule) => bench.schedules.remove(schedule.caller, schedule.id, null)],
    [
      'a pause',
      async (schedule) => bench.schedules.pause(schedule.caller, schedule.id, { note: null, resumeAt: null }, null),
    ],
    [
      'the settlement of a link of a chain',
      async (_, engine, senders) => {
        senders.release({ kind: 'accepted', attempt: 'ACCEPTED' });
        await engine.settle();
      },
    ],
    [
      'a recovery that gives a run up',
      async () => {
        await bench.sql`update claims set recoveries = 2, lease_until = now() - interval '1 second'`;
        await bench.engine().firing.recover();
      },
    ],
  ])('%s', async (_, act) => {
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    const schedule = await busySchedule(engine);
    let acting: Promise<unknown> = Promise.resolve();
    await holding(async ({ sql, isInTheWay }) => {
      await sql`select from timers where schedule_id = ${schedule.id} for update`;
      acting = act(schedule, engine, senders);
      await until('it waits for the timer', isInTheWay);
      expect(await lockedBeside(sql, schedule)).toEqual([]);
    });
    await acting;
  });
});

describe('a claim', () => {
  it('of waiting runs waits for no timer, also where a definition can no longer be read; recovery ends such a run', async () => {
    const schedule = await bench.schedule();
    const well = await bench.schedule();
    await bench.schedules.trigger(schedule.caller, schedule.id, undefined);
    await bench.schedules.trigger(well.caller, well.id, undefined);
    await bench.sql`update schedule_versions set tz = 'Nowhere/Land' where schedule_id = ${schedule.id}`;
    const engine = bench.engine();
    await holding(async ({ sql }) => {
      await sql`select from timers where schedule_id = ${schedule.id} for update`;
      await engine.firing.fireWaiting();
    });
    await engine.settle();
    expect(await bench.runsOf(well)).toMatchObject([{ state: 'SUCCEEDED' }]);
    await engine.firing.recover();
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'DEAD', reason: 'REFUSED' }]);
    expect(await bench.claims()).toEqual([]);
  });

  it('that cancels the runs before takes them in the order of their ids, not of their due times', async () => {
    const made = [
      await bench.schedule({ overlapPolicy: 'CANCEL_OTHER' }),
      await bench.schedule({ overlapPolicy: 'CANCEL_OTHER' }),
    ];
    const [first, second] = made.toSorted((left, right) => (left.id < right.id ? -1 : 1));
    if (first === undefined || second === undefined) throw new Error('nothing was made');
    const engine = bench.engine({ senders: new ScriptedSenders(() => null) });
    for (const schedule of made) await bench.rewind(schedule, 120_000);
    await engine.firing.fireDue();
    await engine.store.showRunning(engine.delivery.watch(0).map((flight) => flight.recordRunning()));
    await bench.rewind(second, 60_000);
    await bench.sql`update timers set next_due = now() - interval '1 second' where schedule_id = ${first.id}`;
    await bench.sql`update timers set next_due = now() - interval '2 seconds' where schedule_id = ${second.id}`;
    let firing: Promise<unknown> = Promise.resolve();
    await holding(async ({ sql, isInTheWay }) => {
      await sql`select from runs where schedule_id = ${first.id} for update`;
      firing = engine.firing.fireDue();
      await until('the claim waits for the run', isInTheWay);
      await sql`select from runs where schedule_id = ${second.id} for update nowait`;
    });
    await firing;
    expect((await bench.runsOf(second)).map((run) => run.reason)).toContain('OVERLAP');
  });
});

describe('a transaction', () => {
  it('that finds the timer only once it holds the schedule begins anew', async () => {
    const schedule = await bench.schedule();
    const { caller, id } = schedule;
    await bench.schedules.pause(caller, id, { note: null, resumeAt: null }, null);
    let begun = 0;
    let changing: Promise<unknown> = Promise.resolve();
    await holding(async ({ sql, isInTheWay }) => {
      await sql`select from schedules where id = ${id} for update`;
      changing = bench.unitOfWork.forTenant(caller.tenantId, async ({ schedules }) => {
        begun += 1;
        return schedules.findForChange({ id });
      });
      await until('the change waits for the schedule', isInTheWay);
      await sql`update schedules set state = 'ACTIVE', pause = null, version = version + 1 where id = ${id}`;
      await sql`
        insert into timers (schedule_id, tenant_id, next_due, slot, cursor, fires, version)
        select id, tenant_id, due, slot, cursor, fires, definition_version from schedules where id = ${id}`;
    });
    expect(await changing).toMatchObject({ isActive: true });
    expect(begun).toBe(2);
  });

  it('of an engine that loses a deadlock all the same is run again', async () => {
    await using closing = new AsyncDisposableStack();
    const pool = closing.use(
      new EnginePool(
        () => connectPool(bench.url, { role: 'scheduler_engine', max: 2, applicationName: 'two' }),
        10_000,
      ),
    );
    const [one, other] = [await bench.schedule(), await bench.schedule()];
    const both = Promise.withResolvers<void>();
    let begun = 0;
    let holdOne = 0;
    const locking = (first: MadeSchedule, then: MadeSchedule): Promise<void> =>
      pool.transaction(async (sql) => {
        begun += 1;
        await sql`select from timers where schedule_id = ${first.id} for update`;
        if (++holdOne === 2) both.resolve();
        await both.promise;
        await sql`select from timers where schedule_id = ${then.id} for update`;
      });
    await Promise.all([locking(one, other), locking(other, one)]);
    expect(begun).toBe(3);
  });
});
