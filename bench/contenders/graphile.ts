import { makeWorkerUtils, run, type Runner, type WorkerUtils } from 'graphile-worker';
import pg from 'pg';
import { contend } from '../support/contender.ts';

/* One-shot jobs, batched as its documentation tunes it; rows are deleted when done: no history, no next occurrence. */

const jobs = Number(process.env['BENCH_JOBS']);
const connectionString = process.env['BENCH_PEER_POSTGRES_URL'] ?? '';
let utils: WorkerUtils | null = null;
let runner: Runner | null = null;
const pool = new pg.Pool({ connectionString, max: 2 });

async function stopped(): Promise<void> {
  const running = runner;
  runner = null;
  await running?.stop();
}

await contend({
  async prepare() {
    await stopped();
    utils ??= await makeWorkerUtils({ connectionString });
    await utils.migrate();
    await pool.query('delete from graphile_worker._private_jobs');
    await pool.query(
      `select graphile_worker.add_job('fire', json_build_object('schedule', n), run_at := now() - interval '1 second') from generate_series(1, $1) as n`,
      [jobs],
    );
    await pool.query('analyze graphile_worker._private_jobs');
  },
  async round() {
    let done = 0;
    await new Promise<void>((resolve, reject) => {
      run({
        connectionString,
        concurrency: 100,
        maxPoolSize: 25,
        noHandleSignals: true,
        pollInterval: 100,
        taskList: {
          fire: () => {
            done += 1;
          },
        },
        preset: { worker: { completeJobBatchDelay: 5, failJobBatchDelay: 5, localQueue: { size: 1000 } } },
      }).then((running) => {
        runner = running;
        running.events.on('job:complete', () => {
          if (done === jobs) resolve();
        });
      }, reject);
    });
    return { jobs: done };
  },
  async close() {
    await stopped();
    await utils?.release();
    await pool.end();
  },
});
