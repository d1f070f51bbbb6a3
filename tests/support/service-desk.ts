import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { findDateutil } from './dateutil.ts';
import { type ExternalService, isExternalService, startExternalService } from './external-services.ts';
import { startTestPostgres, type TestPostgres } from './test-postgres.ts';

/** What the desk says about a broker. */
export type ServiceAnswer = { readonly url: string } | { readonly why: string };

/** Test file → why it could not run. Shared with the reporter, which vitest loads as a module of its own. */
export function absences(): Map<string, string> {
  const shared = globalThis as { [key: symbol]: Map<string, string> | undefined };
  const key = Symbol.for('scheduler-domain.absent-services');
  shared[key] ??= new Map();
  return shared[key];
}

/** Starts each service the first time a test file asks for it, and stops them all at `close`. */
export async function openServiceDesk(): Promise<{ url: string; close(): Promise<void> }> {
  const services = new Map<ExternalService, ReturnType<typeof startExternalService>>();
  let postgres: Promise<TestPostgres> | undefined;

  async function answer(path: string, file: string): Promise<unknown> {
    if (path === '/postgres') {
      postgres ??= startTestPostgres();
      const { url, template, prefix } = await postgres;
      return { url, template, prefix };
    }
    if (path === '/dateutil') {
      const oracle = findDateutil();
      if ('why' in oracle) absences().set(file, oracle.why);
      return oracle;
    }
    const name = path.slice(1);
    if (!isExternalService(name)) {
      throw new Error(`no service ${name}`);
    }
    const starting = services.get(name) ?? startExternalService(name);
    services.set(name, starting);
    const service = await starting;
    if ('why' in service) {
      absences().set(file, service.why);
      return { why: service.why };
    }
    return { url: service.url };
  }

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://desk');
    answer(pathname, searchParams.get('file') ?? '').then(
      (found) => response.end(JSON.stringify(found)),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      const stopping = [...services.values()].map(async (starting) => {
        const service = await starting;
        await ('why' in service ? undefined : service.stop());
      });
      await Promise.allSettled([...stopping, postgres?.then((running) => running.stop())]);
    },
  };
}
