import { Queue, Worker } from 'bullmq';
import { contend } from '../support/contender.ts';

/* 50,000 delayed jobs that fall due together; Redis with appendonly everysec; no history kept. */

const jobs = Number(process.env['BENCH_JOBS']);
const connection = { url: process.env['BENCH_REDIS_URL'] ?? '', maxRetriesPerRequest: null };
const queue = new Queue('bench', { connection });
let worker: Worker | null = null;

await contend({
  async prepare() {
    await worker?.close();
    await queue.obliterate({ force: true });
    for (let from = 0; from < jobs; from += 5000) {
      await queue.addBulk(
        Array.from({ length: Math.min(5000, jobs - from) }, (_, index) => ({
          name: 'fire',
          data: { schedule: from + index },
          opts: { removeOnComplete: true, removeOnFail: true, delay: 1, jobId: `j${from + index}` },
        })),
      );
    }
    worker = new Worker('bench', async () => undefined, { connection, concurrency: 100, autorun: false });
    await worker.waitUntilReady();
  },
  async round() {
    const running = worker;
    if (running === null) throw new Error('not prepared');
    let done = 0;
    await new Promise<void>((resolve) => {
      running.on('completed', () => {
        done += 1;
        if (done === jobs) resolve();
      });
      void running.run();
    });
    return { jobs: done };
  },
  async close() {
    await worker?.close();
    await queue.close();
  },
});
