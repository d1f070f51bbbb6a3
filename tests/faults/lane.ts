import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type postgres from 'postgres';
import { connectPool } from '../../src/infra/db/client.ts';
import { PostgresBell } from '../../src/infra/messaging/postgres-bell.ts';
import { freePort } from '../support/external-services.ts';
import { engineEnvironment, type ServiceNode, startNode } from '../support/nodes.ts';
import { type OpenScheduling, openScheduling } from '../support/scheduling.ts';
import { createDatabaseOn, type TestPostgres } from '../support/test-postgres.ts';
import { until } from '../support/until.ts';
import { Arming } from './arming.ts';
import { type Issuer, startIssuer } from './issuer.ts';
import { startTargets, type Targets } from './targets.ts';

/** One process by itself, which a test starts again when it has died; or two, of which the other goes on. */
export const COMPANIES = ['alone', 'others'] as const;
export type Company = (typeof COMPANIES)[number];

export const LEASE_MS = 1_000;
export const TENANT = 'acme';
/** How long a process may take to start on a machine that does much else. */
const START_MS = 180_000;

/** A process of the service with the crash points in it. */
export interface FaultNode {
  readonly process: ServiceNode;
  readonly address: string;
  isGone: boolean;
}

/** How something is asked for. */
export interface How {
  readonly method?: 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer of the API; status 0: none came. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * A database with its processes, on which cases run one after the other. A process costs more than a case, so those that
 * outlive one serve the next.
 */
export class Lane implements AsyncDisposable {
  readonly company: Company;
  readonly sql: postgres.Sql;
  readonly scheduling: OpenScheduling;
  readonly targets: Targets;
  readonly arming: Arming;
  readonly #url: string;
  readonly #issuer: Issuer;
  readonly #closing: AsyncDisposableStack;
  #nodes: FaultNode[] = [];

  private constructor(parts: {
    company: Company;
    url: string;
    sql: postgres.Sql;
    scheduling: OpenScheduling;
    targets: Targets;
    arming: Arming;
    issuer: Issuer;
    closing: AsyncDisposableStack;
  }) {
    this.company = parts.company;
    this.sql = parts.sql;
    this.scheduling = parts.scheduling;
    this.targets = parts.targets;
    this.arming = parts.arming;
    this.#url = parts.url;
    this.#issuer = parts.issuer;
    this.#closing = parts.closing;
  }

  static async open(server: Omit<TestPostgres, 'stop'>, company: Company): Promise<Lane> {
    await using closing = new AsyncDisposableStack();
    const { url } = closing.adopt(await createDatabaseOn(server), (made) => made.drop());
    const pool = () =>
      closing.adopt(connectPool(url, { role: 'scheduler_engine', max: 1, applicationName: 'faults' }), (opened) =>
        opened.end(),
      );
    const bell = new PostgresBell(pool, () => undefined);
    const scheduling = closing.adopt(await openScheduling(url, undefined, bell), (opened) => opened.close());
    const sql = pool();
    const targets = closing.use(await startTargets());
    const arming = closing.use(await Arming.create());
    const issuer = closing.use(await startIssuer(TENANT));
    return new Lane({ company, url, sql, scheduling, targets, arming, issuer, closing: closing.move() });
  }

  /** The processes that are there. */
  get nodes(): readonly FaultNode[] {
    return this.#nodes.filter((node) => !node.isGone);
  }

  nodeOf(pid: number): FaultNode | undefined {
    return this.#nodes.find((node) => node.process.pid === pid);
  }

  /** As many processes as the company has, all of them started. */
  async fill(): Promise<void> {
    this.#nodes = [...this.nodes];
    const missing = (this.company === 'alone' ? 1 : 2) - this.#nodes.length;
    const fresh = await Promise.all(Array.from({ length: missing }, () => this.#start()));
    this.#nodes.push(...fresh);
    await Promise.all(fresh.map((node) => until('a process has started', () => hasStarted(node), START_MS)));
  }

  /** A process ends in order, and another is started in its place. */
  async replace(node: FaultNode): Promise<void> {
    node.process.signal('SIGTERM');
    await node.process.gone();
    this.#nodes.push(await this.#start());
  }

  /** What a process answers; `method` and `headers` are POST's and none unless given. */
  async ask(
    node: FaultNode,
    path: string,
    body: unknown = {},
    { method = 'POST', headers = {} }: How = {},
  ): Promise<Answer> {
    try {
      const answer = await fetch(`${node.address}${path}`, {
        method,
        headers: {
          ...headers,
          authorization: `Bearer ${this.#issuer.token}`,
          ...(method === 'POST' && { 'content-type': 'application/json' }),
        },
        body: method === 'POST' ? JSON.stringify(body) : null,
        signal: AbortSignal.timeout(START_MS),
      });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
    } catch {
      return { status: 0, body: null };
    }
  }

  /** What the processes have said lately, for the report of a case that failed. */
  output(): string {
    return this.#nodes.map(({ process }) => `--- ${process.pid}\n${process.output().slice(-6_000)}`).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.nodes.map(async ({ process }) => {
        process.signal('SIGKILL');
        await process.gone();
      }),
    );
    await this.#closing.disposeAsync();
  }

  async #start(): Promise<FaultNode> {
    const port = await freePort();
    const environment = {
      ...{ ROLES: 'api,engine', HOST: '127.0.0.1', PORT: String(port), JWKS_URL: this.#issuer.jwksUrl },
      ...{ LEASE_MS: String(LEASE_MS), DELIVERY_CONCURRENCY: '6', MIGRATE_AT_START: 'false', LOG_LEVEL: 'info' },
      ...{ POSTGRES_API_POOL: '3', POSTGRES_ENGINE_POOL: '5', CRASH_FOLDER: this.arming.folder },
      NODE_COMPILE_CACHE: join(tmpdir(), 'scheduler-faults-compiled'),
    };
    const process = startNode(engineEnvironment(this.#url, environment), ['--conditions=crash-points']);
    const node: FaultNode = { process, address: `http://127.0.0.1:${port}`, isGone: false };
    void process.gone().then(() => {
      node.isGone = true;
    });
    return node;
  }
}

function hasStarted({ process, isGone }: FaultNode): boolean {
  if (isGone) throw new Error(`a process ended before it had started: ${process.output()}`);
  return process.output().includes('"started"');
}
