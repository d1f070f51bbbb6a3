import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Act, MissedChoice, ScheduleInput } from '../../src/domain/entities/schedule.ts';
import type { TenantEntity } from '../../src/domain/entities/tenant.ts';
import { TenantEntity as Tenant } from '../../src/domain/entities/tenant.ts';
import { TenantFlightLimits } from '../../src/domain/services/tenant-flight-limits.ts';
import { TenantMovesService } from '../../src/domain/services/tenant-moves-service.ts';
import { connectPool } from '../../src/infra/db/client.ts';
import { DatabaseClock } from '../../src/infra/db/database-clock.ts';
import { EnginePool } from '../../src/infra/db/engine-pool.ts';
import { PostgresTenantMoves } from '../../src/infra/repo/postgres-tenant-moves.ts';
import { EngineBench, type MadeSchedule } from '../support/engine-bench.ts';
import { silentJournal } from '../support/scheduling.ts';
import { ACCEPTED, FAILED, ScriptedSenders } from '../support/scripted-senders.ts';

/* A tenant is suspended, goes on, and is deleted, while engines fire. */

const MINUTE = 60_000;
const FIRE_ALL = { misfire: { policy: 'FIRE_ALL', thresholdSec: 60, windowSec: 86_400 } } as const;

let bench: EngineBench;
let pool: EnginePool;
const told: string[] = [];

beforeAll(async () => {
  bench = await EngineBench.open();
  pool = new EnginePool(
    () => connectPool(bench.url, { role: 'scheduler_engine', max: 2, applicationName: 'moves' }),
    10_000,
  );
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await bench.clear();
  await bench.sql`delete from tenants`;
  told.length = 0;
});

/** What an upkeep process does about tenants; a new one remembers nothing of those before it. */
function newMover(): TenantMovesService {
  const journal = { ...silentJournal(), note: (event: string) => void told.push(event) };
  const bell = { ring: () => undefined, listen: () => undefined };
  const parts = { unitOfWork: bench.unitOfWork, bell, clock: new DatabaseClock(), journal, retentionDays: 30 };
  const flightLimits = new TenantFlightLimits(null);
  return new TenantMovesService({ ...parts, flightLimits, moves: new PostgresTenantMoves(pool) });
}

async function moveAll(mover = newMover()): Promise<void> {
  while (await mover.step());
}

async function change(of: MadeSchedule, verb: (tenant: TenantEntity, act: Act) => TenantEntity): Promise<void> {
  const { tenantId, subject } = of.caller;
  await bench.unitOfWork.forTenant(tenantId, async ({ tenants, now }) => {
    await tenants.insert(Tenant.fresh(tenantId, now));
    const before = await tenants.findForChange();
    if (before !== null) await tenants.save(verb(before, { by: subject, now }));
  });
}

const suspend = (of: MadeSchedule) => change(of, (tenant, act) => tenant.suspend('unpaid', act));
const resume = (of: MadeSchedule, missed: MissedChoice) => change(of, (tenant, act) => tenant.resume(missed, act));
const remove = (of: MadeSchedule) => change(of, (tenant, act) => tenant.remove(act));

/** The tenant changed so long ago that no request or process can be behind. */
async function longAgo(of: MadeSchedule): Promise<void> {
  await bench.sql`update tenants set updated_at = updated_at - interval '10 minutes' where tenant_id = ${of.caller.tenantId}`;
}

async function isSettled(of: MadeSchedule): Promise<boolean | undefined> {
  const [row] = await bench.sql<
    { settled: boolean }[]
  >`select is_settled as settled from tenants where tenant_id = ${of.caller.tenantId}`;
  return row?.settled;
}

/** A schedule of the same tenant. */
async function another(of: MadeSchedule, given: Partial<ScheduleInput> = {}): Promise<MadeSchedule> {
  const { state } = await bench.schedules.get(of.caller, of.id);
  const { schedule } = await bench.schedules.create(of.caller, { ...state, key: null, enabled: true, ...given });
  return { id: schedule.state.id, caller: of.caller };
}

describe('a suspended tenant', () => {
  it('fires nothing from that moment on, while others do; an idle engine sees no work', async () => {
    const [silent, other] = [await bench.schedule(), await bench.schedule()];
    await bench.rewind(silent, MINUTE);
    await bench.rewind(other, MINUTE);
    await bench.schedules.trigger(silent.caller, silent.id, 'by hand');
    await suspend(silent);
    const engine = bench.engine();
    await engine.firing.fireDue();
    await engine.firing.fireWaiting();
    await engine.settle();
    const runs = await bench.runsOf(silent);
    expect(runs.map((run) => [run.state, run.cause])).toEqual([['PENDING', 'MANUAL']]);
    expect((await bench.runsOf(other)).map((run) => run.state)).toEqual(['SUCCEEDED']);
    // The first claim that finds nothing asks for one that looks everywhere.
    await engine.firing.fireDue();
    expect(await engine.firing.fireDue()).toBeGreaterThan(1_000);
    expect(await engine.firing.fireWaiting()).toBeGreaterThan(1_000);
  });

  it('has its timers put away as by a pause; what is in flight finishes and is recorded', async () => {
    const schedule = await bench.schedule();
    const paused = await another(schedule, { enabled: false });
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await bench.rewind(schedule, MINUTE);
    await engine.firing.fireDue();
    const timer = await bench.timerOf(schedule);
    await suspend(schedule);
    await moveAll();
    senders.release(ACCEPTED);
    await engine.settle();
    const { state, timer: kept } = await bench.schedules.get(schedule.caller, schedule.id);
    expect([state.state, state.stateReason, state.pause?.note, state.version]).toEqual([
      'PAUSED',
      'TENANT_SUSPENDED',
      'the tenant is suspended',
      2,
    ]);
    expect(kept).toMatchObject({ slot: timer?.slot, due: timer?.due, lastFired: timer?.lastFired, fires: 1 });
    expect((await bench.schedules.get(schedule.caller, paused.id)).state.stateReason).toBe(null);
    expect((await bench.runsOf(schedule)).map((run) => run.state)).toEqual(['SUCCEEDED']);
  });

  it('is watched until no request that began before can add to it', async () => {
    const schedule = await bench.schedule();
    await suspend(schedule);
    await moveAll();
    expect(await isSettled(schedule)).toBe(false);
    const late = await another(schedule);
    await longAgo(schedule);
    await moveAll();
    expect((await bench.scheduleState(late))?.state).toBe('PAUSED');
    await moveAll();
    expect([await isSettled(schedule), told]).toEqual([true, ['tenant.followed']]);
  });

  it.each([
    ['SKIP', ['SKIPPED PAUSED']],
    ['FIRE_ONCE', ['SKIPPED PAUSED', 'SUCCEEDED']],
    ['FIRE_ALL', ['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']],
  ] as const)('goes on with %s for the slots it missed; those paused by people stay so', async (missed, fates) => {
    const schedule = await bench.schedule({ overlapPolicy: 'ALLOW_ALL' });
    const paused = await another(schedule);
    await bench.schedules.pause(paused.caller, paused.id, { note: 'mine', resumeAt: null }, null);
    await suspend(schedule);
    await moveAll();
    await bench.sql`update schedules set slot = slot - interval '3 minutes', due = due - interval '3 minutes', cursor = cursor - interval '3 minutes' where id = ${schedule.id}`;
    await resume(schedule, missed);
    await moveAll(newMover());
    await moveAll();
    const engine = bench.engine();
    await engine.firing.fireWaiting();
    await engine.settle();
    const runs = await bench.runsOf(schedule);
    expect(runs.map((run) => [run.state, run.reason].filter((part) => part !== null).join(' '))).toEqual(fates);
    expect([(await bench.timerOf(schedule)) !== undefined, await isSettled(schedule)]).toEqual([true, true]);
    expect((await bench.scheduleState(paused))?.state).toBe('PAUSED');
  });

  it('keeps its retries, put away, and makes them when it goes on', async () => {
    const schedule = await bench.schedule();
    const engine = bench.engine({ senders: new ScriptedSenders(() => FAILED) });
    await bench.rewind(schedule, MINUTE);
    await engine.firing.fireDue();
    await engine.settle();
    await bench.hasten();
    await suspend(schedule);
    await moveAll();
    const [row] = await bench.sql`select next_due > now() + interval '1000 years' as away from retries`;
    expect(row?.['away']).toBe(true);
    await resume(schedule, 'SKIP');
    await moveAll();
    await bench.hasten();
    const later = bench.engine();
    await later.firing.fireWaiting();
    await later.settle();
    const [run] = await bench.runsOf(schedule);
    expect([run?.state, run?.attempts.length]).toEqual(['SUCCEEDED', 2]);
  });

  it('suspended and resumed twice in a row, with movers that know nothing of each other, loses no schedule', async () => {
    const first = await bench.schedule();
    const all = [first, await another(first), await another(first)];
    await suspend(first);
    await resume(first, 'SKIP');
    await suspend(first);
    await Promise.all([moveAll(), moveAll(), moveAll()]);
    expect(await Promise.all(all.map(async (one) => (await bench.scheduleState(one))?.state))).toEqual(
      Array(3).fill('PAUSED'),
    );
    await resume(first, 'SKIP');
    await Promise.all([moveAll(), moveAll(), moveAll()]);
    await moveAll();
    expect(await Promise.all(all.map(async (one) => (await bench.scheduleState(one))?.state))).toEqual(
      Array(3).fill('ACTIVE'),
    );
    const [timers] = await bench.sql`select count(*)::int as count from timers`;
    expect([timers?.['count'], await isSettled(first)]).toEqual([3, true]);
  });

  it('does not end a person’s pause at its time; the end comes when it goes on', async () => {
    const schedule = await bench.schedule();
    const resumeAt = new Date(Date.now() + 3_600_000).toISOString();
    await bench.schedules.pause(schedule.caller, schedule.id, { note: null, resumeAt }, null);
    await bench.sql`update schedules set pause = pause || '{"resumeAt": "2026-01-01T00:00:00.000Z"}' where id = ${schedule.id}`;
    const { upkeep } = bench.engine();
    await suspend(schedule);
    expect(await upkeep.dueResumes(10)).toEqual([]);
    await resume(schedule, 'SKIP');
    expect(await upkeep.dueResumes(10)).toHaveLength(1);
  });
});

describe('a deleted tenant', () => {
  /** Every table that has a `tenant_id`, as the catalogue knows them, with how many rows of the tenant. */
  async function rowsOf({ caller }: MadeSchedule): Promise<Readonly<Record<string, number>>> {
    const tables = await bench.sql<{ name: string }[]>`
      select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.attname = 'tenant_id' and not a.attisdropped`;
    const counts: Record<string, number> = {};
    for (const { name } of tables) {
      const [row] =
        await bench.sql`select count(*)::int as rows from ${bench.sql(name)} where tenant_id = ${caller.tenantId}`;
      counts[name] = row?.['rows'];
    }
    return counts;
  }

  /** A tenant with at least a row in every table: a new table belongs in here. */
  async function full(): Promise<MadeSchedule> {
    const schedule = await bench.schedule({ ...FIRE_ALL, overlapPolicy: 'ALLOW_ALL' });
    const { caller, id } = schedule;
    await change(schedule, (tenant) => tenant);
    await bench.calendars.create(caller, {
      name: 'c',
      description: null,
      dates: [],
      ranges: [],
      weekly: [],
      ical: null,
    });
    const { state } = await bench.schedules.get(caller, id);
    await bench.schedules.create(caller, { ...state, key: 'k', enabled: true }, { key: 'request', requestHash: 'h' });
    const gone = await another(schedule);
    await bench.schedules.trigger(caller, gone.id, undefined);
    await bench.schedules.remove(caller, gone.id, null);
    await bench.rewind(schedule, 5 * MINUTE);
    const engine = bench.engine();
    await engine.firing.fireDue();
    await engine.settle();
    await bench.schedules.trigger(caller, id, 'waits');
    const at = new Date(await bench.now());
    await bench.sql`
      insert into backfills (id, tenant_id, schedule_id, version, cursor, until, remaining, created_at, created_by)
      values (gen_random_uuid(), ${caller.tenantId}, ${id}, 1, ${at}, ${at}, 1, now(), 'test')`;
    await bench.sql`insert into tenant_minutes (tenant_id, minute, fires) values (${caller.tenantId}, now(), 1)`;
    await bench.sql`
      insert into redrives (id, tenant_id, filter, rate_per_sec, state, next_at, created_at, created_by, ended_at)
      values (gen_random_uuid(), ${caller.tenantId}, '{}', 1, 'DONE', now(), now(), 'test', now())`;
    const secret = {
      tenantId: caller.tenantId,
      name: 's',
      sealed: 'sealed',
      keyId: 'k',
      version: 1,
      createdAt: at,
      updatedAt: at,
    };
    await bench.unitOfWork.forTenant(caller.tenantId, ({ secrets }) =>
      secrets.insert({ ...secret, createdBy: 'test', updatedBy: 'test' }),
    );
    return schedule;
  }

  it('leaves no row in any table that has a tenant, and takes nobody else’s', async () => {
    const [going, staying] = [await full(), await full()];
    const [before, others] = [await rowsOf(going), await rowsOf(staying)];
    expect(Object.entries(before).filter(([, rows]) => rows === 0)).toEqual([]);
    await remove(going);
    await moveAll();
    expect(await rowsOf(going)).toEqual(before);
    await longAgo(going);
    await moveAll();
    expect(await rowsOf(going)).toEqual(Object.fromEntries(Object.keys(before).map((table) => [table, 0])));
    expect([await rowsOf(staying), told]).toEqual([others, ['tenant.deleted']]);
  });

  it('fires nothing, and goes only once what is in flight has been recorded', async () => {
    const going = await bench.schedule();
    const senders = new ScriptedSenders(() => null);
    const engine = bench.engine({ senders });
    await bench.rewind(going, MINUTE);
    await engine.firing.fireDue();
    await remove(going);
    await longAgo(going);
    await bench.rewind(going, 2 * MINUTE);
    await engine.firing.fireDue();
    await moveAll();
    expect([senders.held.length, (await rowsOf(going))['schedules']]).toEqual([1, 1]);
    senders.release(ACCEPTED);
    await engine.settle();
    await moveAll();
    expect(new Set(Object.values(await rowsOf(going)))).toEqual(new Set([0]));
  });

  it('is taken away chunk by chunk, each of them a step that a crash does not undo', async () => {
    const going = await full();
    await remove(going);
    await longAgo(going);
    const moves = new PostgresTenantMoves(pool);
    const left: number[] = [];
    const sum = async () => Object.values(await rowsOf(going)).reduce((rows, more) => rows + more, 0);
    for (let state = 'MORE'; state === 'MORE'; ) {
      state = await moves.deleteSome(going.caller.tenantId, 1);
      left.push(await sum());
    }
    expect(left.length).toBeGreaterThan(10);
    expect(left).toEqual(left.toSorted((a, b) => b - a));
    expect([left.at(-1), new Set(left).size]).toEqual([0, left.length]);
  });
});

describe('a tenant that keeps its runs for a shorter time', () => {
  it('loses the older ones, in chunks; others keep theirs, and open runs stay', async () => {
    const [short, long] = [await bench.schedule(), await bench.schedule()];
    for (const { id, caller } of [short, long])
      for (const [daysAgo, state] of [
        [1, 'SUCCEEDED'],
        [8, 'SUCCEEDED'],
        [9, 'SUCCEEDED'],
        [10, 'PENDING'],
      ] as const)
        await bench.sql`
          insert into runs (schedule_id, slot, space, tenant_id, version, state, cause, due, ended_at)
          values (${id}, now() - ${daysAgo}::int * interval '1 day', 0, ${caller.tenantId}, 1, ${state}, 'SCHEDULE', now(),
                  case when ${state} = 'SUCCEEDED' then now() - ${daysAgo}::int * interval '1 day' end)`;
    await bench.sql`insert into tenants (tenant_id, defaults) values (${short.caller.tenantId}, '{"retentionDays": 7}')`;
    const moves = new PostgresTenantMoves(pool);
    expect([await moves.deleteRunsKeptShorter(30, 1), await moves.deleteRunsKeptShorter(30, 1)]).toEqual([1, 1]);
    await moveAll();
    expect((await bench.runsOf(short)).map((run) => run.state)).toEqual(['PENDING', 'SUCCEEDED']);
    expect(await bench.runsOf(long)).toHaveLength(4);
  });
});
