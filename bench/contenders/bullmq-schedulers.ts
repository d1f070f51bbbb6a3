import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { contend } from '../support/contend.ts';
import { reached } from '../support/instant.ts';

/* Job schedulers with a cron pattern that fall due at one second; each computes and adds its next job; no history kept. */

const jobs = Number(process.env['BENCH_JOBS']);
const connection = new Redis(process.env['BENCH_REDIS_URL'] ?? '', { maxRetriesPerRequest: null });
const queue = new Queue('schedulers', { connection });
const CHUNK = 500;
/** For each scheduler, and before the second at which they fall due. */
const LEAD_MS_EACH = 2;
const LEAD_MS = 3_000;
const READY_MS = 300;
let worker: Worker | null = null;
let slot = 0;
let done = 0;
let whenAll: () => void = () => undefined;

contend({
  async prepare() {
    await queue.obliterate({ force: true });
    slot = Math.ceil((Date.now() + LEAD_MS + jobs * LEAD_MS_EACH) / 1000) * 1000;
    const at = new Date(slot);
    const pattern = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} * * *`;
    const template = { name: 'fire', opts: { removeOnComplete: true, removeOnFail: true } };
    for (let from = 0; from < jobs; from += CHUNK) {
      const ids = Array.from({ length: Math.min(CHUNK, jobs - from) }, (_, index) => `schedule-${from + index}`);
      await Promise.all(ids.map((id) => queue.upsertJobScheduler(id, { pattern, tz: 'UTC' }, template)));
    }
    done = 0;
    worker = new Worker('schedulers', async () => undefined, { connection, concurrency: 100 });
    worker.on('completed', () => {
      done += 1;
      if (done === jobs) whenAll();
    });
    await worker.waitUntilReady();
    if (Date.now() > slot - READY_MS) throw new Error('making the schedulers took longer than their lead');
    await reached(slot - READY_MS);
    return {};
  },
  async round(restartClock) {
    const all = new Promise<void>((resolve) => {
      whenAll = resolve;
    });
    await reached(slot);
    restartClock();
    await all;
    return done;
  },
  async rest() {
    await worker?.close();
    await queue.obliterate({ force: true });
    return {};
  },
  async close() {
    await queue.close();
    connection.disconnect();
  },
});
