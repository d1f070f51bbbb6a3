import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { asTenantId } from '../../src/domain/ids.ts';
import { type CommandContext, createScheduler, type Scheduler } from '../../src/index.ts';
import { contend } from '../support/contend.ts';
import { scheduleInput } from '../support/schedules.ts';

/*
 * The product with default policies: distinct CRON and RRULE schedules over zones and tenants, all due together, a no-op
 * COMMAND, run history kept. The service itself creates the schedules, once. It stays up over the rounds, so that its cache of
 * definitions, which holds fewer than there are, is neither cold nor complete. A round moves the timers to one instant ahead;
 * they keep the slot they fired last, so that the overlap policy has a run to look up. The clock starts at that instant.
 */

const jobs = Number(process.env['BENCH_JOBS']);
const url = process.env['BENCH_POSTGRES_URL'] ?? '';
const TENANTS = 128;
const CREATORS = 10;
/** From moving the timers to their instant; vacuum lies between. */
const LEAD_MS = 15_000;
const READY_MS = 300;

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

async function open(): Promise<Scheduler> {
  const environment = { POSTGRES_URL: url, ROLES: 'engine', LOG_LEVEL: 'warn' };
  const opened = await createScheduler({ commands: { noop }, environment });
  await opened.start();
  return opened;
}

/** One by one, through the service. Answers schedules a second. */
async function createAll({ scheduling }: Scheduler): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  const creator = async (): Promise<void> => {
    while (next < jobs) {
      const index = next++;
      const tenantId = asTenantId(`tenant-${index % TENANTS}`);
      if (tenantId === null) throw new Error('a tenant id was refused');
      await scheduling.create({ tenantId, subject: 'bench', organizationId: null }, scheduleInput(index, 'noop'));
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

/** No whole second: a slot of the schedule's own has a record that must not be met. */
async function moveTimers(): Promise<void> {
  slot = Math.floor((Date.now() + LEAD_MS) / 1000) * 1000 + 1;
  await as('scheduler_engine', async () => {
    const at = admin`to_timestamp(${slot}::float8 / 1000)`;
    const moved = await admin`update timers set next_due = ${at}, slot = ${at}`;
    if (moved.count !== jobs) throw new Error(`${moved.count} timers instead of ${jobs}`);
  });
  await as('scheduler_owner', () => admin`vacuum analyze timers, runs, claims, schedule_versions`);
  await admin.notify('scheduler_due', String(slot));
}

contend({
  async prepare() {
    scheduler ??= await open();
    createdPerSecond ??= await createAll(scheduler);
    fired = 0;
    await moveTimers();
    if (Date.now() > slot - READY_MS) throw new Error('moving the timers took longer than their lead');
    await delay(slot - READY_MS - Date.now());
    return { createdPerSecond };
  },
  async round(restartClock) {
    const all = new Promise<void>((resolve) => {
      whenAll = resolve;
    });
    await delay(slot - Date.now());
    restartClock();
    await all;
    await as('scheduler_engine', async () => {
      while ((await admin`select from claims limit 1`).count > 0) await delay(2);
    });
    return fired;
  },
  async rest() {
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
    await scheduler?.[Symbol.asyncDispose]();
    await admin.end();
  },
});
