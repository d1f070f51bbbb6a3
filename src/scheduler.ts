import type { FastifyInstance } from 'fastify';
import type { Engine } from './app/workers/engine.ts';
import type { SteadyLoops } from './app/workers/loops.ts';
import type { Worker } from './app/workers/worker.ts';
import type { Config } from './config.ts';
import type { Journal } from './domain/ports/journal.ts';
import type { NodeService } from './domain/services/node-service.ts';
import type { RunService } from './domain/services/run-service.ts';
import type { SchedulingService } from './domain/services/scheduling-service.ts';
import type { DatabaseHealthProbe } from './infra/db/health-probe.ts';
import { onceItAnswers } from './infra/db/once-it-answers.ts';
import type { DevIssuer } from './infra/security/dev-tokens.ts';

/** The service in one process: what its doors hold on to. Disposing it drains, settles and closes all. */
export interface Scheduler extends AsyncDisposable {
  readonly scheduling: SchedulingService;
  readonly runs: RunService;
  readonly journal: Journal;
  readonly server: FastifyInstance | null;
  /** Signs development tokens in embedded mode; else null. */
  readonly issuer: DevIssuer | null;
  /** Starts the loops and, for the api role, listens. Answers the API's address. */
  start(): Promise<string | null>;
}

interface Parts {
  readonly config: Config;
  readonly scheduling: SchedulingService;
  readonly runs: RunService;
  readonly journal: Journal;
  readonly server: FastifyInstance | null;
  readonly ops: FastifyInstance | null;
  readonly issuer: DevIssuer | null;
  readonly engine: Engine | null;
  readonly worker: Worker | null;
  readonly steady: SteadyLoops | null;
  readonly node: NodeService;
  readonly health: DatabaseHealthProbe;
  readonly closing: AsyncDisposableStack;
}

/** The parts of a process in the order of their life. */
export class ComposedScheduler implements Scheduler {
  readonly scheduling: SchedulingService;
  readonly runs: RunService;
  readonly journal: Journal;
  readonly server: FastifyInstance | null;
  readonly issuer: DevIssuer | null;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.scheduling = parts.scheduling;
    this.runs = parts.runs;
    this.journal = parts.journal;
    this.server = parts.server;
    this.issuer = parts.issuer;
    this.#parts = parts;
  }

  async start(): Promise<string | null> {
    const { server, ops, engine, worker, steady, node, config, journal } = this.#parts;
    if (ops !== null && config.OPS_PORT !== undefined) await ops.listen({ port: config.OPS_PORT, host: config.host });
    if (steady !== null) {
      await onceItAnswers(
        () => node.prepare(),
        (error) => journal.loopFailed('start', error),
      );
      steady.start();
    }
    worker?.start();
    engine?.start();
    return server === null ? null : server.listen({ port: config.PORT, host: config.host });
  }

  /** Not ready first; then the engine drains while requests end; leases and connections last. A step that fails keeps none behind it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { server, ops, engine, worker, steady, node, health, config, closing, journal } = this.#parts;
    await using ending = new AsyncDisposableStack();
    ending.use(closing);
    ending.defer(() => journal.note('stopped', {}));
    ending.defer(() => ops?.close());
    if (steady !== null) ending.defer(() => node.leave().catch((error: unknown) => journal.loopFailed('leave', error)));
    ending.defer(() => {
      const loops = [engine, worker, steady].map(async (part) => part?.[Symbol.asyncDispose]());
      return allEnded(...loops, Promise.resolve(server?.close()));
    });
    health.drain();
    journal.note('draining', {});
    await new Promise((resolve) => setTimeout(resolve, config.SHUTDOWN_DELAY_MS));
  }
}

/** Waits for all, whichever fail; throws what the first of them throws. */
async function allEnded(...ending: readonly PromiseLike<unknown>[]): Promise<void> {
  const ends = await Promise.allSettled(ending);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
