import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { startBenchPostgres } from './bench-postgres.ts';
import { freePort } from './free-port.ts';
import { treeCpuMs } from './process-cpu.ts';
import { measuredOn } from './table.ts';

/** What the servers have used: so far, or in a stretch of time. */
export interface Usage {
  readonly postgresCpuMs: number;
  readonly redisCpuMs: number;
  readonly walBytes: number;
  /** Ended in our database, by whomever. */
  readonly transactions: number;
}

/** The databases of one benchmark, durable as in production, removed afterwards. */
export interface BenchServers extends AsyncDisposable {
  readonly postgresUrl: string;
  /** Another database on the same server, for the peers. */
  readonly peerPostgresUrl: string;
  /** Null where redis-server is not installed. */
  readonly redisUrl: string | null;
  usage(): Promise<Usage>;
  /** What they have used since. */
  usedSince(before: Usage): Promise<Usage>;
}

/** Checkpoints are kept out of the rounds, so that WAL is what a sustained load writes. */
const SETTINGS = {
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '1h',
  wal_compression: 'on',
  jit: 'off',
  max_connections: '200',
};
const STOP_MS = 20_000;

/** Starts PostgreSQL and Redis on free loopback ports. They end with this process, also when it is interrupted. */
export async function startServers(): Promise<BenchServers> {
  const folder = mkdtempSync(join(tmpdir(), 'scheduler-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const server = await startBenchPostgres(folder, SETTINGS);
  measuredOn(server.description);
  const redis = await startRedis(folder);
  const peerUrl = await peerDatabase(server.url);
  // Measures from the other database, so that asking is not counted.
  const admin = postgres(peerUrl, { max: 1, onnotice: () => undefined });
  const stop = async (): Promise<void> => {
    await admin.end({ timeout: 1 });
    await redis?.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  endOnSignal(stop);
  const usage = async (): Promise<Usage> => {
    const [row] = await admin<{ at: number; ended: number }[]>`
      select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as at, (xact_commit + xact_rollback)::float8 as ended
      from pg_stat_database where datname = 'scheduler'`;
    const redisCpuMs = redis === null ? 0 : treeCpuMs(redis.pid);
    return { postgresCpuMs: treeCpuMs(server.pid), redisCpuMs, walBytes: row?.at ?? 0, transactions: row?.ended ?? 0 };
  };
  return {
    postgresUrl: server.url,
    peerPostgresUrl: peerUrl,
    redisUrl: redis?.url ?? null,
    usage,
    async usedSince(before) {
      const now = await usage();
      return {
        postgresCpuMs: now.postgresCpuMs - before.postgresCpuMs,
        redisCpuMs: now.redisCpuMs - before.redisCpuMs,
        walBytes: now.walBytes - before.walBytes,
        transactions: now.transactions - before.transactions,
      };
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function peerDatabase(url: string): Promise<string> {
  const admin = postgres(url, { max: 1, onnotice: () => undefined });
  await admin`create database peers`;
  await admin.end();
  const peer = new URL(url);
  peer.pathname = '/peers';
  return peer.href;
}

function endOnSignal(stop: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stop().then(
        () => process.exit(1),
        () => process.exit(1),
      );
    });
  }
}

interface Redis {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

async function startRedis(folder: string): Promise<Redis | null> {
  const port = await freePort();
  const durable = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'];
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...durable], {
    stdio: 'ignore',
  });
  const failed = await Promise.race([
    once(child, 'error').then(() => true),
    once(child, 'exit').then(() => true),
    delay(500, false),
  ]);
  if (failed || child.pid === undefined) return null;
  process.once('exit', () => child.kill('SIGKILL'));
  return { url: `redis://127.0.0.1:${port}`, pid: child.pid, stop: () => stopChild(child) };
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await Promise.race([gone, delay(STOP_MS, undefined, { ref: false })]);
  child.kill('SIGKILL');
}
