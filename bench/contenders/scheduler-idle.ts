import { asTenantId } from '../../src/domain/ids.ts';
import { createScheduler, type Scheduler } from '../../src/index.ts';
import { contend } from '../support/contend.ts';
import { idleSide } from '../support/idle-side.ts';
import { scheduleInput } from '../support/schedules.ts';

/* The product with nothing to do but one ONE_SHOT schedule at a time, created through the service. */

const tenant = asTenantId('tenant-1');
const startedAt = new Map<string, (at: number) => void>();
let made = 0;
let scheduler: Scheduler | null = null;

async function open(): Promise<Scheduler> {
  const environment = { POSTGRES_URL: process.env['BENCH_POSTGRES_URL'], ROLES: 'engine', LOG_LEVEL: 'warn' };
  const opened = await createScheduler({
    commands: {
      note: (call) => startedAt.get(call.scheduledFor.toISOString())?.(performance.timeOrigin + performance.now()),
    },
    environment,
  });
  await opened.start();
  return opened;
}

contend(
  idleSide({
    async open() {
      scheduler = await open();
    },
    async due(at) {
      if (scheduler === null || tenant === null) throw new Error('not open');
      const instant = new Date(at).toISOString();
      const started = new Promise<number>((resolve) => startedAt.set(instant, resolve));
      const input = scheduleInput(made++, 'note', { type: 'ONE_SHOT', startAt: instant });
      await scheduler.scheduling.create({ tenantId: tenant, subject: 'bench', organizationId: null }, input);
      const answer = await started;
      startedAt.delete(instant);
      return answer;
    },
    async close() {
      await scheduler?.[Symbol.asyncDispose]();
    },
  }),
);
