import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { withoutOrphans } from './external-services.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A process of the service, as an operator would run it. */
export interface ServiceNode {
  readonly pid: number;
  /** What it has said on stdout and stderr so far. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** The exit code, once it is gone; null when a signal ended it. */
  gone(): Promise<number | null>;
}

/** What an engine without an API needs to deliver to a receiver on this machine. */
export function engineEnvironment(url: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { POSTGRES_URL: url, ROLES: 'engine', HTTP_ALLOW_PRIVATE_NETWORKS: 'true', LOG_LEVEL: 'warn', ...more };
}

/** Starts the service with these variables, and nothing else of ours but the path; `options` are Node's own. */
export function startNode(environment: Readonly<Record<string, string>>, options: readonly string[] = []): ServiceNode {
  const [command, ...args] = withoutOrphans(process.execPath, [...options, MAIN]);
  const child: ChildProcess = spawn(command, args, {
    env: { PATH: process.env['PATH'] ?? '', LOG_FORMAT: 'json', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-200_000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const gone = once(child, 'exit').then(([code]: unknown[]) => (typeof code === 'number' ? code : null));
  if (child.pid === undefined) throw new Error('the process did not start');
  return { pid: child.pid, output: () => output, signal: (name) => void child.kill(name), gone: () => gone };
}
