import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ComponentHealth } from '../../src/domain/ports/health.ts';
import { WatchService } from '../../src/domain/services/watch-service.ts';
import { connectPool } from '../../src/infra/db/client.ts';
import { EnginePool } from '../../src/infra/db/engine-pool.ts';
import { DatabaseHealthProbe } from '../../src/infra/db/health-probe.ts';
import { PostgresWatchStore } from '../../src/infra/repo/postgres-watch-store.ts';
import { startTelemetry } from '../../src/infra/telemetry/start-telemetry.ts';
import { EngineBench, type MadeSchedule } from '../support/engine-bench.ts';
import { FAILED, ScriptedSenders } from '../support/scripted-senders.ts';

/* What must not be is seen in the metrics, in the log and in /health, and is gone from there once it is gone. */

let bench: EngineBench;
let pool: EnginePool;
beforeAll(async () => {
  bench = await EngineBench.open();
  pool = new EnginePool(
    () => connectPool(bench.url, { role: 'scheduler_engine', max: 1, applicationName: 'watch' }),
    10_000,
  );
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await bench.clear();
  await bench.sql`delete from runs`;
  await bench.sql`update schedules set deleted_at = now()`;
});

interface Watch {
  /** Takes a round, and answers what operators then see. */
  look(): Promise<{
    readonly metrics: readonly string[];
    readonly lines: readonly object[];
    readonly health: ComponentHealth | undefined;
  }>;
}

async function watch(patienceMs = 0): Promise<Watch> {
  let lines: object[] = [];
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const destination = {
    write: (text: string) => {
      const { level, msg, finding, count, examples }: Record<string, unknown> = JSON.parse(text);
      lines.push({ level, msg, finding, ...(count !== undefined && { count, examples }) });
    },
  };
  const telemetry = await startTelemetry({ logLevel: 'info', serviceName: 'test', tracing: false, clock, destination });
  const { journal } = telemetry;
  const service = new WatchService({ store: new PostgresWatchStore(pool), clock, journal, patienceMs });
  const about = { build: 'b', version: 'v', tzdata: 't', migration: 0 };
  const probe = new DatabaseHealthProbe({
    pool,
    ...about,
    needsWorkers: false,
    staleLoops: () => [],
    outdated: () => null,
    watchmen: () => service.health,
  });
  return {
    look: async () => {
      lines = [];
      await service.step();
      const metrics = (await telemetry.metricsText())
        .split('\n')
        .flatMap(
          (line) => /^scheduler_watch_findings\{finding="(\w+)"\} ([1-9]\d*)$/.exec(line)?.slice(1).join(' ') ?? [],
        );
      expect(await probe.ready()).toEqual({ ready: true, reason: null });
      return { metrics, lines, health: (await probe.health()).components['watchmen'] };
    },
  };
}

const WELL = { status: 'ok', latencyMs: null, detail: null };

function found(finding: string, id: string) {
  return { level: 'warn', msg: 'watch.found', finding, count: 1, examples: [id] };
}

function cleared(finding: string) {
  return { level: 'info', msg: 'watch.cleared', finding };
}

async function chainInFlight(): Promise<MadeSchedule> {
  const schedule = await bench.schedule({ trigger: { type: 'FIXED_DELAY', delaySec: 60 } });
  await bench.rewind(schedule, 120_000);
  const engine = bench.engine({ senders: new ScriptedSenders(() => null) });
  await engine.firing.fireDue();
  await engine.store.showRunning(engine.delivery.watch(0).map((flight) => flight.recordRunning()));
  return schedule;
}

describe('the watchmen', () => {
  it('find nothing while runs are in flight, wait for another try, wait in the buffer or for a person', async () => {
    await chainInFlight();
    const buffered = await bench.schedule({ overlapPolicy: 'BUFFER_ONE' });
    const failing = await bench.schedule();
    const engine = bench.engine({
      senders: new ScriptedSenders((delivery) => (delivery.key.scheduleId === failing.id ? FAILED : null)),
    });
    for (const schedule of [buffered, failing]) await bench.rewind(schedule, 60_000);
    await engine.firing.fireDue();
    await bench.rewind(buffered, 60_000);
    await engine.firing.fireDue();
    await engine.settle(1);
    await bench.schedules.trigger(failing.caller, failing.id, undefined);
    expect((await bench.runsOf(buffered)).map((run) => run.state)).toContain('PENDING');
    expect(await (await watch()).look()).toEqual({ metrics: [], lines: [], health: WELL });
  });

  it('see timers that nobody claims, tell of them once, and of their end', async () => {
    const schedule = await bench.schedule();
    const watchmen = await watch();
    await bench.rewind(schedule, 60_000);
    expect(await watchmen.look()).toEqual({
      metrics: ['overdue_timers 1'],
      lines: [found('overdue_timers', schedule.id)],
      health: { status: 'degraded', latencyMs: null, detail: '1 overdue timers' },
    });
    expect(await watchmen.look()).toMatchObject({ metrics: ['overdue_timers 1'], lines: [] });
    const engine = bench.engine();
    await engine.firing.fireDue();
    await engine.settle();
    expect(await watchmen.look()).toEqual({ metrics: [], lines: [cleared('overdue_timers')], health: WELL });
  });

  it('give an engine that has just come the time to catch up', async () => {
    await bench.rewind(await bench.schedule(), 60_000);
    expect(await (await watch(15_000)).look()).toMatchObject({ metrics: [], health: WELL });
  });

  it('see an active schedule that has lost its timer', async () => {
    const { id, caller } = await bench.schedule();
    const watchmen = await watch();
    await bench.sql`delete from timers where schedule_id = ${id}`;
    expect(await watchmen.look()).toMatchObject({
      metrics: ['stuck_schedules 1'],
      lines: [found('stuck_schedules', id)],
      health: { status: 'degraded', detail: '1 active schedules without a next slot or an open run' },
    });
    await bench.schedules.pause(caller, id, { note: null, resumeAt: null }, null);
    await bench.schedules.resume(caller, id, 'SKIP', null);
    expect(await watchmen.look()).toEqual({ metrics: [], lines: [cleared('stuck_schedules')], health: WELL });
  });

  it('see a chain that waits for a run which is not there', async () => {
    const { id } = await chainInFlight();
    const watchmen = await watch();
    const [claim] =
      await bench.sql`delete from claims returning id, owner, fence, lease_until, recoveries, schedule_ids::text, slots::text, spaces::text, versions::text`;
    const runs = await bench.sql`delete from runs where schedule_id = ${id} returning slot`;
    expect(runs).toHaveLength(1);
    expect(await watchmen.look()).toMatchObject({
      metrics: ['stuck_schedules 1'],
      lines: [found('stuck_schedules', id)],
    });
    await bench.sql`insert into claims ${bench.sql(claim ?? {})}`;
    expect(await watchmen.look()).toEqual({ metrics: [], lines: [cleared('stuck_schedules')], health: WELL });
  });

  it('see claims that nobody takes over', async () => {
    await chainInFlight();
    const [claim] = await bench.claims();
    const watchmen = await watch();
    await bench.expireLeases();
    expect(await watchmen.look()).toMatchObject({
      metrics: ['untaken_claims 1'],
      lines: [found('untaken_claims', claim?.id ?? '')],
      health: { status: 'degraded', detail: '1 expired claims that nobody took over' },
    });
    await bench.engine({ senders: new ScriptedSenders(() => null) }).firing.recover();
    expect(await watchmen.look()).toEqual({ metrics: [], lines: [cleared('untaken_claims')], health: WELL });
  });

  it('see runs that nobody holds, and runs that wait for nothing', async () => {
    const schedule = await chainInFlight();
    const { id, caller } = schedule;
    const waiting = await bench.schedules.trigger(caller, id, undefined);
    const watchmen = await watch();
    await bench.sql`delete from claims`;
    await bench.sql`delete from retries`;
    const { metrics, lines, health } = await watchmen.look();
    expect(metrics).toEqual(['stuck_schedules 1', 'endless_runs 2']);
    expect(lines).toHaveLength(2);
    expect(health).toMatchObject({ status: 'degraded' });
    const open = await bench.runsOf(schedule);
    for (const { slot, space } of open) await bench.runs.cancel(caller, { scheduleId: id, slot, space });
    expect(open.map((run) => run.slot)).toContain(waiting.slot);
    expect(await watchmen.look()).toMatchObject({ metrics: [], health: WELL });
  });
});

describe('a watchman of a long table', () => {
  it('goes on where it ended, and looks again at what it knows', async () => {
    const made = [await bench.schedule(), await bench.schedule(), await bench.schedule()];
    const ids = made.map(({ id }) => id).toSorted();
    const [first] = ids;
    await bench.sql`delete from timers where schedule_id = ${first ?? ''}`;
    const store = new PostgresWatchStore(pool);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const round: Awaited<ReturnType<typeof store.stuckSchedules>> = await store.stuckSchedules({
        after,
        known: [],
        rows: 1,
      });
      seen.push(...round.found);
      after = round.after;
    } while (after !== null);
    expect(seen).toEqual([first]);
    const last = await store.stuckSchedules({ after: ids.at(-1) ?? null, known: seen, rows: 1 });
    expect(last).toEqual({ found: [first], after: null });
  });

  it('of runs likewise', async () => {
    const { id, caller } = await bench.schedule();
    for (const _ of [1, 2, 3]) await bench.schedules.trigger(caller, id, undefined);
    await bench.sql`delete from retries`;
    const store = new PostgresWatchStore(pool);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const round: Awaited<ReturnType<typeof store.endlessRuns>> = await store.endlessRuns({
        after,
        known: [],
        rows: 2,
      });
      seen.push(...round.found);
      after = round.after;
    } while (after !== null);
    expect(new Set(seen).size).toBe(3);
    expect(seen).toHaveLength(3);
    expect((await store.endlessRuns({ after: seen.at(-1) ?? null, known: seen, rows: 2 })).found).toHaveLength(3);
  });
});
