import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { startEmbeddedPostgres } from '../../src/infra/db/embedded-postgres.ts';

/** The databases of one benchmark, durable as in production, removed afterwards. */
export interface BenchServers extends AsyncDisposable {
  readonly postgresUrl: string;
  /** Another database on the same server, for the peers. */
  readonly peerPostgresUrl: string;
  /** Null where redis-server is not installed. */
  readonly redisUrl: string | null;
}

export async function startServers(): Promise<BenchServers> {
  const folder = mkdtempSync(join(tmpdir(), 'scheduler-bench-'));
  const settings = { shared_buffers: '1GB', max_wal_size: '4GB', wal_compression: 'on', jit: 'off', max_connections: '200' };
  const server = await startEmbeddedPostgres({ dataDir: folder, settings });
  const admin = postgres(server.url, { max: 1, onnotice: () => undefined });
  await admin`create database peers`;
  await admin.end();
  const peer = new URL(server.url);
  peer.pathname = '/peers';
  const redis = await startRedis(folder);
  return {
    postgresUrl: server.url,
    peerPostgresUrl: peer.href,
    redisUrl: redis?.url ?? null,
    async [Symbol.asyncDispose]() {
      await redis?.stop();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startRedis(folder: string): Promise<{ url: string; stop(): Promise<void> } | null> {
  const port = await freePort();
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'], {
    stdio: 'ignore',
  });
  const failed = await Promise.race([once(child, 'error').then(() => true), delay(500, false)]);
  if (failed) return null;
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
