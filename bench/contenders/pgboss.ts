import { PgBoss } from 'pg-boss';
import { contend } from '../support/contender.ts';

/* Batches of 2,000 by two fetchers; the next occurrence of each job is inserted again in its batch; completed rows are kept. */

const jobs = Number(process.env['BENCH_JOBS']);
const connectionString = process.env['BENCH_PEER_POSTGRES_URL'] ?? '';
const boss = new PgBoss({ connectionString, max: 10, supervise: false, schedule: false });
let isStarted = false;

await contend({
  async prepare() {
    if (!isStarted) {
      await boss.start();
      await boss.createQueue('bench');
      isStarted = true;
    }
    await boss.deleteAllJobs('bench');
    for (let from = 0; from < jobs; from += 5000) {
      await boss.insert('bench', Array.from({ length: Math.min(5000, jobs - from) }, (_, index) => ({ data: { schedule: from + index } })));
    }
    await boss.getDb().executeSql('analyze');
  },
  async round() {
    let done = 0;
    let resolve: () => void = () => undefined;
    const ended = new Promise<void>((settle) => {
      resolve = settle;
    });
    const id = await boss.work('bench', { batchSize: 2000, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true, localConcurrency: 2 }, async (batch: readonly { data: unknown }[]) => {
      await boss.insert('bench', batch.map((job) => ({ data: job.data as object, startAfter: 3600 })));
      done += batch.length;
      if (done >= jobs) setImmediate(resolve);
    });
    await ended;
    await boss.offWork('bench', { id, wait: true });
    return { jobs: done };
  },
  async close() {
    await boss.stop({ graceful: false });
  },
});
