import { setTimeout as delay } from 'node:timers/promises';
import { PgBoss } from 'pg-boss';
import postgres from 'postgres';
import { contend } from '../support/contend.ts';

/* Batches of 2,000 by two fetchers; the next occurrence of each job is inserted again in its batch; completed rows are kept. */

const jobs = Number(process.env['BENCH_JOBS']);
const connectionString = process.env['BENCH_PEER_POSTGRES_URL'] ?? '';
const boss = new PgBoss({ connectionString, max: 10, supervise: false, schedule: false });
const admin = postgres(connectionString, { max: 1, onnotice: () => undefined });
const CHUNK = 5000;
const NEXT_SEC = 3600;
let isStarted = false;
let workId = '';

async function isOpen(): Promise<boolean> {
  return (await admin`select from pgboss.job where state = 'active' limit 1`).count > 0;
}

contend({
  async prepare() {
    if (!isStarted) {
      await boss.start();
      await boss.createQueue('bench');
      isStarted = true;
    }
    await boss.deleteAllJobs('bench');
    for (let from = 0; from < jobs; from += CHUNK) {
      const chunk = Array.from({ length: Math.min(CHUNK, jobs - from) }, (_, index) => ({
        data: { schedule: from + index },
      }));
      await boss.insert('bench', chunk);
    }
    await admin`vacuum analyze`;
    return {};
  },
  async round() {
    let done = 0;
    const tuned = { batchSize: 2000, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true, localConcurrency: 2 };
    workId = await boss.work<object>('bench', tuned, async (batch) => {
      const next = batch.map((job) => ({ data: job.data, startAfter: NEXT_SEC }));
      await boss.insert('bench', next);
      done += batch.length;
    });
    while (done < jobs || (await isOpen())) await delay(2);
    return done;
  },
  async rest() {
    await boss.offWork('bench', { id: workId, wait: true });
    return {};
  },
  async close() {
    await boss.stop({ graceful: false });
    await admin.end();
  },
});
