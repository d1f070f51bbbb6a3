import postgres from 'postgres';
import { asTenantId } from '../../src/domain/ids.ts';
import type { ScheduleInput } from '../../src/domain/entities/schedule.ts';
import type { Trigger } from '../../src/domain/time/trigger.ts';
import { createScheduler, type Scheduler } from '../../src/index.ts';
import { contend } from '../support/contender.ts';
import { postgresCpuMs } from '../support/postgres-cpu.ts';

/*
 * The product with default policies: distinct CRON and RRULE schedules over zones and tenants, all due together, a no-op
 * COMMAND, run history kept. Schedules are made by the service itself; a round moves their timers to now.
 */

const jobs = Number(process.env['BENCH_JOBS']);
const url = process.env['BENCH_POSTGRES_URL'] ?? '';
const ZONES = [
  'UTC', 'Europe/Berlin', 'Europe/London', 'Europe/Madrid', 'Europe/Kyiv', 'Africa/Cairo', 'Africa/Casablanca', 'Africa/Lagos', 'America/New_York',
  'America/Chicago', 'America/Denver', 'America/Los_Angeles', 'America/Sao_Paulo', 'America/Santiago', 'Asia/Tokyo', 'Asia/Kolkata', 'Asia/Tehran',
  'Asia/Shanghai', 'Australia/Sydney', 'Australia/Lord_Howe', 'Pacific/Auckland', 'Pacific/Apia',
];
const TENANTS = 128;
const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];

const admin = postgres(url, { max: 1, onnotice: () => undefined });
let scheduler: Scheduler | null = null;
let fired = 0;
let whenAll: () => void = () => undefined;

function open(): Promise<Scheduler> {
  return createScheduler({
    commands: {
      noop: () => {
        fired += 1;
        if (fired === jobs) whenAll();
      },
    },
    environment: { POSTGRES_URL: url, ROLES: 'engine', LOG_LEVEL: 'warn', DELIVERY_CONCURRENCY: '4000' },
  });
}

function triggerOf(index: number): Trigger {
  const minute = index % 60;
  const hour = Math.floor(index / 60) % 24;
  const day = 1 + (Math.floor(index / 1440) % 28);
  if (index % 4 === 3) return { type: 'RRULE', rrule: `FREQ=WEEKLY;BYDAY=${DAYS[day % 7]};BYHOUR=${hour};BYMINUTE=${minute};BYSECOND=${day}` };
  return { type: 'CRON', cron: `${day} ${minute} ${hour} * * ${index % 3 === 0 ? '1-5' : '*'}` };
}

async function createAll(service: Scheduler['scheduling']): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < jobs) {
      const index = next++;
      const tenantId = asTenantId(`tenant-${index % TENANTS}`);
      if (tenantId === null) throw new Error('a tenant id was refused');
      const input: ScheduleInput = {
        name: `schedule ${index}`, key: null, description: null, labels: {}, scope: 'TENANT', organizationId: null,
        tz: ZONES[index % ZONES.length] ?? 'UTC', trigger: triggerOf(index), target: { kind: 'COMMAND', command: { name: 'noop' } }, payload: null,
        startAt: null, endAt: null, maxFires: null, jitter: null, dst: {}, overlapPolicy: 'SKIP',
        misfire: { policy: 'FIRE_ONCE', thresholdSec: 60, windowSec: 86_400 },
        retry: { maxAttempts: 8, initialDelaySec: 5, backoffCoefficient: 3, maxDelaySec: 3600, jitter: 1, maxAgeSec: 86_400 },
        timeoutSec: 30, pauseOnFailures: null, onCompletion: 'KEEP',
      };
      await service.create({ tenantId, subject: 'bench', organizationId: null }, input);
    }
  };
  await Promise.all(Array.from({ length: 10 }, one));
}

async function walBytes(): Promise<number> {
  const [row] = await admin<{ at: string }[]>`select (pg_current_wal_lsn() - '0/0'::pg_lsn)::text as at`;
  return Number(row?.at);
}

await contend({
  async prepare() {
    const isFirst = scheduler === null;
    await scheduler?.[Symbol.asyncDispose]();
    scheduler = await open();
    if (isFirst) {
      await createAll(scheduler.scheduling);
    }
    await admin`set role scheduler_engine`;
    await admin`delete from runs`;
    await admin`update timers set next_due = date_trunc('milliseconds', now()), slot = date_trunc('milliseconds', now()), last_fired = null`;
    await admin`reset role`;
    await admin`set role scheduler_owner`;
    await admin`vacuum analyze timers, runs, claims, schedule_versions`;
    await admin`reset role`;
    fired = 0;
  },
  async round() {
    if (scheduler === null) throw new Error('not prepared');
    const done = new Promise<void>((resolve) => {
      whenAll = resolve;
    });
    const cpu = postgresCpuMs();
    const wal = await walBytes();
    await scheduler.start();
    await done;
    await admin`set role scheduler_engine`;
    for (;;) {
      const [row] = await admin<{ rows: number; open: number }[]>`
        select (select count(*) from runs where state = 'SUCCEEDED')::int as rows, (select count(*) from claims)::int as open`;
      if (row?.rows === jobs && row.open === 0) break;
    }
    const [row] = await admin<{ rows: number }[]>`select count(*)::int as rows from runs where state = 'SUCCEEDED' and space = 0`;
    await admin`reset role`;
    return { jobs: fired, extra: { runRows: row?.rows ?? 0, walBytesPerFire: ((await walBytes()) - wal) / jobs, postgresUsPerFire: ((postgresCpuMs() - cpu) * 1000) / jobs } };
  },
  async close() {
    await scheduler?.[Symbol.asyncDispose]();
    await admin.end();
  },
});
