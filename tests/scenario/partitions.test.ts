import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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

describe('retention', () => {
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
