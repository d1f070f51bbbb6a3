import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/infra/db/embedded-postgres.ts';
import { migrate } from '../../src/infra/db/migrate.ts';
import { freePort } from '../support/external-services.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { type ServiceNode, startNode } from '../support/nodes.ts';
import { until } from '../support/until.ts';
import { installAudit } from './audit.ts';
import type { Fault, History } from './history.ts';

/** Nothing is lost by an immediate stop of the server: only a crash of the machine would need the disk. */
const SETTINGS = { fsync: 'off', full_page_writes: 'off', max_connections: '200' };

/** What nodes that end in order have compiled: the next campaign's start sooner. */
const COMPILED = join(tmpdir(), 'scheduler-chaos-compiled');
const RESTART_MS = 300;
const START_WITHIN_MS = 120_000;
/** A shutdown in order takes at most thirty seconds. */
const STOP_WITHIN_MS = 45_000;

/** A node of the cluster over all its lives. */
export interface Member {
  readonly proxy: FaultProxy;
  readonly api: string;
  /** The life it is in, such as `n1.2`; null while it is dead. */
  life: { readonly name: string; readonly process: ServiceNode } | null;
  lives: number;
}

export interface ClusterOptions {
  readonly leaseMs: number;
  readonly jwksUrl: string;
  readonly natsUrl: string | null;
  /** Preloaded into the last node, whose wall clock can then be moved; null leaves all clocks alone. */
  readonly fakeTime: string | null;
}

/** An own database server and some nodes on it, each behind a proxy of its own. */
export class Cluster implements AsyncDisposable {
  readonly members: readonly Member[];
  readonly dir: string;
  /** Lives that ended though nobody ended them, once they had started: what they said last. */
  readonly #crashes: string[] = [];
  /** From the start of each life to the moment it said that it was ready. */
  readonly starts: Fault[] = [];
  readonly #outputs = new Map<string, () => string>();
  readonly #wereReady = new Set<string>();
  readonly #options: ClusterOptions;
  #isOver = false;
  #server: EmbeddedPostgres;
  readonly url: string;

  private constructor(
    parts: { dir: string; server: EmbeddedPostgres; members: readonly Member[] },
    options: ClusterOptions,
  ) {
    this.dir = parts.dir;
    this.#server = parts.server;
    this.url = parts.server.url;
    this.members = parts.members;
    this.#options = options;
  }

  static async start(count: number, options: ClusterOptions): Promise<Cluster> {
    const dir = await mkdtemp(join(tmpdir(), `scheduler-tests-${process.pid}-chaos-`));
    await chmod(dir, 0o711);
    const server = await startEmbeddedPostgres({ dataDir: dir, settings: SETTINGS });
    await migrate(server.url);
    await installAudit(server.url);
    const members = await Promise.all(
      Array.from({ length: count }, async (): Promise<Member> => {
        const proxy = await FaultProxy.to(server.url);
        return { proxy, api: `http://127.0.0.1:${await freePort()}`, life: null, lives: 0 };
      }),
    );
    const cluster = new Cluster({ dir, server, members }, options);
    await writeFile(cluster.clockFile, '+0');
    for (const index of members.keys()) cluster.startMember(index);
    return cluster;
  }

  /** What the last node's wall clock is moved by is read from here. */
  get clockFile(): string {
    return join(this.dir, 'clock');
  }

  member(index: number): Member {
    const member = this.members[index];
    if (member === undefined) throw new Error(`there is no node ${index}`);
    return member;
  }

  startMember(index: number): void {
    const member = this.member(index);
    member.lives += 1;
    const name = `n${index + 1}.${member.lives}`;
    const { leaseMs, jwksUrl, natsUrl, fakeTime } = this.#options;
    const isFaked = fakeTime !== null && index === this.members.length - 1;
    const process = startNode({
      POSTGRES_URL: member.proxy.through(this.url),
      POSTGRES_DEADLINE_MS: '2000',
      LEASE_MS: String(leaseMs),
      JWKS_URL: jwksUrl,
      HTTP_ALLOW_PRIVATE_NETWORKS: 'true',
      LOG_LEVEL: 'warn',
      BUILD_ID: name,
      NODE_COMPILE_CACHE: COMPILED,
      HOST: '127.0.0.1',
      PORT: new URL(member.api).port,
      ...(natsUrl !== null && { NATS_URL: natsUrl }),
      ...(isFaked && {
        LD_PRELOAD: fakeTime,
        FAKETIME_TIMESTAMP_FILE: this.clockFile,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      }),
    });
    member.life = { name, process };
    this.#outputs.set(name, () => process.output());
    void this.#watchStart(member, name);
    process.gone().then(
      () => this.#ended(index, name, process.output()),
      () => undefined,
    );
  }

  async #watchStart(member: Member, name: string): Promise<void> {
    const from = Date.now();
    const isOver = async (): Promise<boolean> => {
      if (this.#isOver || member.life?.name !== name) return true;
      const isUp = await isReady(member.api);
      if (isUp) this.#wereReady.add(name);
      return isUp;
    };
    await until(`${name} is ready`, isOver, START_WITHIN_MS).catch(() => undefined);
    this.starts.push({ kind: 'start', what: `${name} starts`, node: name, from, to: Date.now() });
  }

  /** As a supervisor does: what could not start because its database was away is started again. */
  #ended(index: number, name: string, output: string): void {
    const member = this.member(index);
    if (this.#isOver || member.life?.name !== name) return;
    member.life = null;
    if (this.#wereReady.has(name)) this.#crashes.push(`${name}: ${output.slice(-1_000)}`);
    setTimeout(() => this.#isOver || member.life !== null || this.startMember(index), RESTART_MS);
  }

  /** Waits until every node says that it can do its work; what one that never does says of itself is told as a crash. */
  async ready(): Promise<void> {
    const waiting = this.members.map(async ({ api, life }) => {
      await until(`${api} is ready`, () => isReady(api), START_WITHIN_MS).catch(async () => {
        const health = await fetch(`${api}/health`).then((answer) => answer.text(), String);
        this.#crashes.push(`${life?.name} was never ready: ${health} ${life?.process.output().slice(-2_000)}`);
      });
    });
    await Promise.all(waiting);
  }

  /** Waits until the node says that it can do its work, or has had the time to. */
  async awaitMember(index: number): Promise<void> {
    const { api } = this.member(index);
    await until(`${api} is ready`, () => isReady(api), START_WITHIN_MS).catch(() => undefined);
  }

  /** The server ends at once, as in a crash, and comes back `downMs` later. */
  async crashDatabase(downMs: number): Promise<void> {
    const pid = Number((await readFile(join(this.dir, 'postgres/cluster/postmaster.pid'), 'utf8')).split('\n')[0]);
    process.kill(pid, 'SIGQUIT');
    await until('the server is gone', () => !isAlive(pid));
    const over = performance.now() + downMs;
    await until('the server comes back', () => performance.now() >= over, downMs + 1_000);
    const port = Number(new URL(this.url).port);
    this.#server = await startEmbeddedPostgres({ dataDir: this.dir, port, settings: SETTINGS });
  }

  /** Which lives ended though nobody ended them, and what each said. */
  story(): Pick<History, 'crashes' | 'logs'> {
    const logs = Object.fromEntries([...this.#outputs].map(([name, said]) => [name, said()]));
    return { crashes: this.#crashes, logs };
  }

  /** Ends every node in order; answers their exit codes, null for one that has to be killed. */
  async stopMembers(): Promise<readonly (number | null)[]> {
    this.#isOver = true;
    const killing = setTimeout(() => this.#signal('SIGKILL'), STOP_WITHIN_MS);
    this.#signal('SIGTERM');
    const codes = await Promise.all(this.members.map(async ({ life }) => life?.process.gone() ?? 0));
    clearTimeout(killing);
    return codes;
  }

  #signal(name: NodeJS.Signals): void {
    for (const { life } of this.members) life?.process.signal(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#signal('SIGKILL');
    await Promise.all(this.members.map(async ({ life }) => life?.process.gone()));
    await Promise.all(this.members.map(({ proxy }) => proxy[Symbol.asyncDispose]()));
    await this.#server.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

function isReady(api: string): Promise<boolean> {
  return fetch(`${api}/ready`).then(
    (answer) => answer.ok,
    () => false,
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
