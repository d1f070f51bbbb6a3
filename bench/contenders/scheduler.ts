import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { asTenantId } from '../../src/domain/ids.ts';
import { type CommandContext, createScheduler, type Scheduler } from '../../src/index.ts';
import { contend } from '../support/contend.ts';
import { scheduleInput } from '../support/schedules.ts';

/*
 * The product with default policies: distinct CRON and RRULE schedules over zones and tenants, all due together, a no-op
 * COMMAND, run history kept. The service itself creates the schedules, once; a round moves their timers to now. Timers keep
 * the slot they fired last, so that the overlap policy has a run to look up.
 */

const jobs = Number(process.env['BENCH_JOBS']);
const url = process.env['BENCH_POSTGRES_URL'] ?? '';
const TENANTS = 128;
const CREATORS = 10;

const admin = postgres(url, { max: 1, onnotice: () => undefined });
let scheduler: Scheduler | null = null;
let slot = 0;
let fired = 0;
let whenAll: () => void = () => undefined;
let createdPerSecond: number | null = null;

/** Schedules whose own slot comes meanwhile fire too; they are not counted. */
function noop(call: CommandContext): void {
  if (call.scheduledFor.getTime() !== slot) return;
  fired += 1;
  if (fired === jobs) whenAll();
}

function open(): Promise<Scheduler> {
  return createScheduler({
    commands: { noop },
    environment: { POSTGRES_URL: url, ROLES: 'engine', LOG_LEVEL: 'warn' },
  });
}

/** Through the service, one by one, which needs a live node that knows the command. Answers schedules a second. */
async function createAll(): Promise<number> {
  await using service = await open();
  await service.start();
  const startedAt = performance.now();
  let next = 0;
  const creator = async (): Promise<void> => {
    while (next < jobs) {
      const index = next++;
      const tenantId = asTenantId(`tenant-${index % TENANTS}`);
      if (tenantId === null) throw new Error('a tenant id was refused');
      await service.scheduling.create(
        { tenantId, subject: 'bench', organizationId: null },
        scheduleInput(index, 'noop'),
      );
    }
  };
  await Promise.all(Array.from({ length: CREATORS }, creator));
  return Math.round(jobs / ((performance.now() - startedAt) / 1000));
}

async function as(role: string, work: () => Promise<unknown>): Promise<void> {
  await admin`set role ${admin(role)}`;
  await work();
  await admin`reset role`;
}

async function makeDue(): Promise<void> {
  await as('scheduler_engine', async () => {
    const [row] = await admin<{ second: number }[]>`select floor(date_part('epoch', now()))::float8 as second`;
    // No whole second: a slot of the schedule's own has a record that must not be met.
    slot = (row?.second ?? 0) * 1000 + 1;
    const moved =
      await admin`update timers set next_due = to_timestamp(${slot}::float8 / 1000), slot = to_timestamp(${slot}::float8 / 1000)`;
    if (moved.count !== jobs) throw new Error(`${moved.count} timers instead of ${jobs}`);
  });
  await as('scheduler_owner', () => admin`vacuum analyze timers, runs, claims, schedule_versions`);
}

contend({
  async prepare() {
    createdPerSecond ??= await createAll();
    await makeDue();
    fired = 0;
    scheduler = await open();
    return { createdPerSecond };
  },
  async round() {
    const all = new Promise<void>((resolve) => {
      whenAll = resolve;
    });
    await scheduler?.start();
    await all;
    await as('scheduler_engine', async () => {
      while ((await admin`select from claims limit 1`).count > 0) await delay(2);
    });
    return fired;
  },
  async rest() {
    await scheduler?.[Symbol.asyncDispose]();
    const counted = { runRows: 0 };
    await as('scheduler_engine', async () => {
      const [row] = await admin<{ rows: number }[]>`
        select count(*)::int as rows from runs where slot = to_timestamp(${slot}::float8 / 1000) and space = 0 and state = 'SUCCEEDED'`;
      counted.runRows = row?.rows ?? 0;
    });
    if (counted.runRows !== jobs) throw new Error(`${counted.runRows} runs have succeeded instead of ${jobs}`);
    return counted;
  },
  async close() {
    await admin.end();
  },
});
