import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NodeService } from '../../src/domain/services/node-service.ts';
import { connectPool } from '../../src/infra/db/client.ts';
import { EngineBench, type MadeSchedule } from '../support/engine-bench.ts';

/* Runs lie in partitions by the day of their slot; a row whose day has none lies in the default partition. */

const DAY = 86_400_000;

let bench: EngineBench;
beforeAll(async () => {
  bench = await EngineBench.open();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

interface Placed {
  readonly daysFromNow: number;
  readonly state?: string;
  readonly reason?: string | null;
}

async function place(
  schedule: MadeSchedule,
  { daysFromNow, state = 'SUCCEEDED', reason = null }: Placed,
): Promise<void> {
  const slot = (await bench.now()) + daysFromNow * DAY;
  await bench.sql`
    insert into runs (schedule_id, slot, space, tenant_id, version, state, reason, cause, due, ended_at)
    values (${schedule.id}, to_timestamp(${slot}::float8 / 1000), 7, 'tenant', 1, ${state}, ${reason}, 'MANUAL', to_timestamp(${slot}::float8 / 1000),
            case when ${state}::text in ('PENDING', 'RETRYING') then null else to_timestamp(${slot}::float8 / 1000) end)`;
}

async function homes(schedule: MadeSchedule): Promise<readonly string[]> {
  const rows = await bench.sql<
    { home: string }[]
  >`select tableoid::regclass::text as home from runs where schedule_id = ${schedule.id} order by slot`;
  return rows.map((row) => row.home);
}

async function partitionOf(daysFromNow: number): Promise<string> {
  const at = new Date((await bench.now()) + daysFromNow * DAY).toISOString();
  return `runs_${at.slice(0, 10).replaceAll('-', '')}`;
}

describe('the partition of a day', () => {
  it('can be made although runs of that day lie in the default partition, and takes them', async () => {
    const schedule = await bench.schedule();
    await place(schedule, { daysFromNow: 5 });
    await place(schedule, { daysFromNow: 6, state: 'PENDING' });
    expect(await homes(schedule)).toEqual(['runs_default', 'runs_default']);
    const { upkeep } = bench.engine();
    await upkeep.makePartitions(6);
    await upkeep.makePartitions(6);
    expect(await homes(schedule)).toEqual([await partitionOf(5), await partitionOf(6)]);
    expect(await bench.runsOf(schedule)).toMatchObject([{ state: 'SUCCEEDED' }, { state: 'PENDING' }]);
  });

  it('can be made by several nodes at once, while others write', async () => {
    const schedule = await bench.schedule();
    await Promise.all(Array.from({ length: 8 }, (_, day) => place(schedule, { daysFromNow: 10 + day })));
    const engines = [bench.engine(), bench.engine(), bench.engine()];
    const extra = await bench.schedule();
    await Promise.all([
      ...engines.map((engine) => engine.upkeep.makePartitions(18)),
      ...Array.from({ length: 8 }, (_, day) => place(extra, { daysFromNow: 10 + day })),
    ]);
    expect((await homes(schedule)).filter((home) => home === 'runs_default')).toEqual([]);
    expect(await homes(schedule)).toHaveLength(8);
    await bench.engine().upkeep.makePartitions(18);
    expect(await homes(extra)).toEqual(await homes(schedule));
  });
});

describe('an engine', () => {
  it('starts although today’s partition cannot be made now, and makes it when it can', async () => {
    const schedule = await bench.schedule();
    const [dropped] = await bench.sql<
      { gone: boolean }[]
    >`select drop_run_partition((now() at time zone 'UTC')::date) as gone`;
    expect(dropped?.gone).toBe(true);
    await place(schedule, { daysFromNow: 0, state: 'PENDING' });
    const { upkeep: store, owner } = bench.engine();
    const failed: string[] = [];
    const node = new NodeService({
      store,
      journal: { loopFailed: (loop) => void failed.push(loop) },
      node: () => ({ id: owner, build: 'b', tzdata: 't', roles: ['engine'], commands: [] }),
      zones: { step: async () => false },
      tenants: { learnGrants: async () => undefined },
    });
    const reader = connectPool(bench.url, { role: 'scheduler_engine', max: 1, applicationName: 'reader' });
    await reader.begin(async (sql) => {
      await sql`select count(*) from runs`;
      await node.prepare();
    });
    await reader.end();
    expect(failed).toEqual(['upkeep.partitions']);
    expect(await bench.sql`select from nodes where id = ${owner}`).toHaveLength(1);
    await node.prepare();
    expect(failed).toHaveLength(1);
    expect(await homes(schedule)).toEqual([await partitionOf(0)]);
  });
});

describe('retention', () => {
  const aged = async (table: 'schedules' | 'schedule_versions', column: string, id: string): Promise<void> => {
    await bench.sql`
      update ${bench.sql(table)} set ${bench.sql(column)} = now() - interval '40 days'
      where ${bench.sql(table === 'schedules' ? 'id' : 'schedule_id')} = ${id} and ${bench.sql(column)} is not null`;
  };
  const versionsOf = async ({ id }: MadeSchedule): Promise<readonly number[]> => {
    const rows = await bench.sql<
      { version: number }[]
    >`select version from schedule_versions where schedule_id = ${id} order by version`;
    return rows.map((row) => row.version);
  };

  it('removes a deleted schedule with its versions, once it is old enough and no run names it', async () => {
    const { upkeep } = bench.engine();
    const [bare, young, named, waited, alive] = await Promise.all([1, 2, 3, 4, 5].map(() => bench.schedule()));
    if (!bare || !young || !named || !waited || !alive) throw new Error('nothing was made');
    await place(named, { daysFromNow: -45 });
    for (const { id, caller } of [bare, young, named, waited]) await bench.schedules.remove(caller, id, null);
    for (const { id } of [bare, named, waited]) await aged('schedules', 'deleted_at', id);
    await bench.sql`
      insert into retries (schedule_id, slot, space, tenant_id, version, lane, next_due) values (${waited.id}, now(), 7, 'tenant', 1, 0, 'infinity')`;
    expect(await upkeep.removeSchedulesGoneFor(30, 100)).toBe(1);
    expect(await versionsOf(bare)).toEqual([]);
    expect(await bench.scheduleState(bare)).toBeUndefined();
    for (const kept of [young, named, waited, alive]) {
      expect(await bench.scheduleState(kept)).toBeDefined();
      expect(await versionsOf(kept)).toEqual([1]);
    }
  });

  it('removes a version that was superseded long ago, and never the current one or one that a run names', async () => {
    const { upkeep } = bench.engine();
    const patched = async (): Promise<MadeSchedule> => {
      const made = await bench.schedule();
      for (const text of ['second', 'third'])
        await bench.schedules.patch(made.caller, made.id, (input) => ({ ...input, payload: text }), null);
      return made;
    };
    const [free, young, named] = [await patched(), await patched(), await patched()];
    await place(named, { daysFromNow: -45 });
    for (const { id } of [free, named]) await aged('schedule_versions', 'superseded_at', id);
    expect(await upkeep.removeVersionsGoneFor(30, 1)).toBe(1);
    expect(await upkeep.removeVersionsGoneFor(30, 100)).toBe(2);
    expect(await upkeep.removeVersionsGoneFor(30, 100)).toBe(0);
    expect(await versionsOf(free)).toEqual([3]);
    expect(await versionsOf(young)).toEqual([1, 2, 3]);
    expect(await versionsOf(named)).toEqual([1, 3]);
  });

  it('drops whole days and sweeps the default partition, and keeps what is open or young', async () => {
    const schedule = await bench.schedule();
    const { upkeep } = bench.engine();
    for (const day of [-40, -41])
      await bench.sql`select make_run_partition((now() at time zone 'UTC')::date + ${day}::int)`;
    await place(schedule, { daysFromNow: -40 });
    await place(schedule, { daysFromNow: -41, state: 'PENDING' });
    await place(schedule, { daysFromNow: -60 });
    await place(schedule, { daysFromNow: -61, state: 'RETRYING' });
    await place(schedule, { daysFromNow: -1 });
    expect(await upkeep.dropRunsOlderThan(30, 100)).toBe(1);
    const left = await bench.runsOf(schedule);
    expect(left.map((run) => run.state)).toEqual(['RETRYING', 'PENDING', 'SUCCEEDED']);
  });
});
