import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { contend } from '../support/contend.ts';
import { CONNECTIONS, webhookClient } from '../support/webhook-client.ts';

/* Delayed jobs that fall due together, no-op or a POST each; Redis with appendonly everysec; no history kept, no next occurrence. */

const jobs = Number(process.env['BENCH_JOBS']);
const connection = new Redis(process.env['BENCH_REDIS_URL'] ?? '', { maxRetriesPerRequest: null });
const queue = new Queue('bench', { connection });
const CHUNK = 5000;
const webhookUrl = process.env['BENCH_WEBHOOK_URL'] ?? '';
const client = webhookUrl === '' ? null : webhookClient(webhookUrl);
const concurrency = client === null ? 100 : CONNECTIONS;
let worker: Worker | null = null;

contend({
  async prepare() {
    await queue.obliterate({ force: true });
    for (let from = 0; from < jobs; from += CHUNK) {
      const opts = { removeOnComplete: true, removeOnFail: true, delay: 1 };
      const chunk = Array.from({ length: Math.min(CHUNK, jobs - from) }, (_, index) => ({
        name: 'fire',
        data: { schedule: from + index },
        opts,
      }));
      await queue.addBulk(chunk);
    }
    worker = new Worker('bench', async () => client?.post(), { connection, concurrency, autorun: false });
    await worker.waitUntilReady();
    return {};
  },
  async round() {
    const running = worker;
    if (running === null) throw new Error('not prepared');
    let done = 0;
    await new Promise<void>((resolve, reject) => {
      running.on('completed', () => {
        done += 1;
        if (done === jobs) resolve();
      });
      running.run().catch(reject);
    });
    return done;
  },
  async rest() {
    await worker?.close();
    return {};
  },
  async close() {
    await queue.close();
    await client?.close();
    connection.disconnect();
  },
});
