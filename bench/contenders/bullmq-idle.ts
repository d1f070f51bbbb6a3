import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { contend } from '../support/contend.ts';
import { idleSide } from '../support/idle-side.ts';

/* One delayed job at a time and a worker with nothing else to do. */

const connection = new Redis(process.env['BENCH_REDIS_URL'] ?? '', { maxRetriesPerRequest: null });
const queue = new Queue('idle', { connection });
const startedAt = new Map<string, (at: number) => void>();
let worker: Worker | null = null;

contend(
  idleSide({
    async open() {
      const note = async (job: { readonly name: string }): Promise<void> => {
        startedAt.get(job.name)?.(performance.timeOrigin + performance.now());
      };
      worker = new Worker('idle', note, { connection, concurrency: 100 });
      await worker.waitUntilReady();
    },
    async due(at) {
      const name = String(at);
      const started = new Promise<number>((resolve) => startedAt.set(name, resolve));
      await queue.add(name, {}, { delay: at - Date.now(), removeOnComplete: true });
      const answer = await started;
      startedAt.delete(name);
      return answer;
    },
    async close() {
      await worker?.close();
      await queue.close();
      connection.disconnect();
    },
  }),
);
