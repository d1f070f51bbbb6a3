import { setTimeout as delay } from 'node:timers/promises';
import { Logger, makeWorkerUtils, type Runner, run, type WorkerUtils } from 'graphile-worker';
import postgres from 'postgres';
import { contend } from '../support/contend.ts';

/*
 * Batched as its documentation tunes it. One-shot: rows are deleted when done, no history, no next occurrence. With
 * BENCH_READD each handler adds its next job, the only dynamic recurrence it has.
 */

const jobs = Number(process.env['BENCH_JOBS']);
const isReadding = process.env['BENCH_READD'] === 'true';
const connectionString = process.env['BENCH_PEER_POSTGRES_URL'] ?? '';
const admin = postgres(connectionString, { max: 1, onnotice: () => undefined });
const CHUNK = 5000;
const NEXT_MS = 3_600_000;
/** Otherwise it writes a line for each job. */
const logger = new Logger(() => () => undefined);
let utils: WorkerUtils | null = null;
let runner: Runner | null = null;
let whenHandled: () => void = () => undefined;

function start(): Promise<Runner> {
  return run({
    preset: {
      worker: {
        connectionString,
        concurrentJobs: 100,
        maxPoolSize: 25,
        pollInterval: 100,
        completeJobBatchDelay: 5,
        failJobBatchDelay: 5,
        localQueue: { size: 1000 },
      },
    },
    noHandleSignals: true,
    logger,
    taskList: {
      fire: async (payload, helpers) => {
        if (isReadding) await helpers.addJob('fire', payload, { runAt: new Date(Date.now() + NEXT_MS) });
        whenHandled();
      },
    },
  });
}

contend({
  async prepare() {
    if (utils === null) {
      utils = await makeWorkerUtils({ connectionString, logger });
      await utils.migrate();
    }
    await admin`delete from graphile_worker._private_jobs`;
    const runAt = new Date(Date.now() - 1000);
    for (let from = 0; from < jobs; from += CHUNK) {
      const chunk = Array.from({ length: Math.min(CHUNK, jobs - from) }, (_, index) => ({
        identifier: 'fire',
        payload: { schedule: from + index },
        runAt,
      }));
      await utils.addJobs(chunk);
    }
    await admin`vacuum analyze`;
    return {};
  },
  async round() {
    let handled = 0;
    const all = new Promise<void>((resolve) => {
      whenHandled = () => {
        handled += 1;
        if (handled === jobs) resolve();
      };
    });
    runner = await start();
    await all;
    while ((await admin`select from graphile_worker._private_jobs where run_at <= now() limit 1`).count > 0)
      await delay(2);
    return handled;
  },
  async rest() {
    await runner?.stop();
    runner = null;
    return {};
  },
  async close() {
    await utils?.release();
    await admin.end();
  },
});
