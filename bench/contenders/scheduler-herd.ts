import { createScheduler, type Scheduler } from '../../src/index.ts';
import { contend } from '../support/contend.ts';
import { reached } from '../support/instant.ts';
import { ScheduleStore } from '../support/schedule-store.ts';

/*
 * The product with very many recurring schedules of 128 tenants, made by SQL, all due at one instant, history kept; HTTP targets, or a
 * no-op COMMAND without a URL. The clock starts at that instant.
 */

const jobs = Number(process.env['BENCH_JOBS']);
const url = process.env['BENCH_POSTGRES_URL'] ?? '';
const webhookUrl = process.env['BENCH_WEBHOOK_URL'] ?? '';
const LEAD_MS = 3_000;
const LEAD_MS_EACH = 0.15;
const READY_MS = 100;

let opened: { readonly store: ScheduleStore; readonly scheduler: Scheduler } | null = null;
let slot = 0;

async function open(): Promise<{ readonly store: ScheduleStore; readonly scheduler: Scheduler }> {
  const store = await ScheduleStore.open(url);
  const http = { kind: 'HTTP', http: { url: webhookUrl, method: 'POST', headers: {} } } as const;
  const schedules = { count: jobs, prefix: 'tenant', tenants: 128 };
  await store.fill(webhookUrl === '' ? schedules : { ...schedules, target: http });
  const more = { ROLES: 'engine', LOG_LEVEL: 'warn', HTTP_ALLOW_PRIVATE_NETWORKS: 'true' };
  const commands = { noop: () => undefined };
  const scheduler = await createScheduler({ commands, environment: { POSTGRES_URL: url, ...more } });
  await scheduler.start();
  return { store, scheduler };
}

contend({
  async prepare() {
    opened ??= await open();
    slot = Date.now() + LEAD_MS + Math.ceil(jobs * LEAD_MS_EACH);
    await opened.store.move({ count: jobs, prefix: 'tenant', at: slot });
    if (Date.now() > slot - READY_MS) throw new Error('moving the timers took longer than their lead');
    await reached(slot - READY_MS);
    return {};
  },
  async round(restartClock) {
    await reached(slot);
    restartClock();
    await opened?.store.drained(slot);
    return jobs;
  },
  async rest() {
    const succeeded = (await opened?.store.succeeded(slot, slot)) ?? 0;
    if (succeeded !== jobs) throw new Error(`${succeeded} runs have succeeded instead of ${jobs}`);
    return {};
  },
  async close() {
    await opened?.scheduler[Symbol.asyncDispose]();
    await opened?.store[Symbol.asyncDispose]();
  },
});
