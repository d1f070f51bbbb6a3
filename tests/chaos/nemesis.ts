import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import type { ProxyMode } from '../support/fault-proxy.ts';
import { until } from '../support/until.ts';
import type { Broker } from './broker.ts';
import type { Cluster } from './cluster.ts';
import type { Fault, Stop } from './history.ts';
import type { Receivers } from './receivers.ts';
import type { FaultStep } from './steps.ts';

/** A shutdown in order takes at most thirty seconds. */
const STOP_WITHIN_MS = 45_000;

/** Breaks things, mends them, and writes down when which was broken. */
export class Nemesis {
  readonly faults: Fault[] = [];
  readonly stops: Stop[] = [];
  readonly #cluster: Cluster;
  readonly #receivers: Receivers;
  readonly #broker: Broker | null;
  /** Nodes, and what all share, that a fault holds; another must wait for its turn. */
  readonly #busy = new Set<string>();

  constructor(cluster: Cluster, receivers: Receivers, broker: Broker | null) {
    this.#cluster = cluster;
    this.#receivers = receivers;
    this.#broker = broker;
  }

  /** Makes the fault and mends it; answers what it was. What is broken already is left alone. */
  async perform(step: FaultStep): Promise<string> {
    const place = 'node' in step ? `node ${step.node}` : step.kind;
    if (this.#busy.has(place)) return `${place} is in trouble already`;
    this.#busy.add(place);
    try {
      return await this.#make(step);
    } finally {
      this.#busy.delete(place);
    }
  }

  /** Resolves once nothing is broken. */
  async healed(): Promise<void> {
    await until('nothing is broken', () => this.#busy.size === 0, 300_000, 50);
  }

  #make(step: FaultStep): Promise<string> {
    switch (step.kind) {
      case 'kill':
        return this.#kill(step.node, step.ms);
      case 'kill-all':
        return this.#killAll(step.ms);
      case 'restart':
        return this.#restartAll();
      case 'stop':
        return this.#stop(step.node, step.ms);
      case 'network':
        return this.#breakNetwork(step.node, modeOf(step.how), step.ms);
      case 'clock':
        return this.#moveClock(step.hours, step.ms);
      case 'backends':
        return this.#endBackends(step.share);
      case 'database':
        return this.#during({ kind: 'database', what: `the database crashes for ${step.ms} ms`, node: null }, () =>
          this.#cluster.crashDatabase(step.ms),
        );
      case 'broker':
        return this.#stopBroker(step.ms);
      case 'receivers':
        return this.#closeReceivers(step.ms);
    }
  }

  async #kill(index: number, downMs: number): Promise<string> {
    const member = this.#cluster.member(index);
    const { life } = member;
    if (life === null) return 'it is dead';
    return this.#during({ kind: 'kill', what: `kill -9 ${life.name}, ${downMs} ms`, node: life.name }, async () => {
      member.life = null;
      life.process.signal('SIGKILL');
      await life.process.gone();
      await sleep(downMs);
      this.#cluster.startMember(index);
    });
  }

  /** Nodes that another fault holds too, but for those that are dead. */
  async #killAll(downMs: number): Promise<string> {
    const lives = this.#cluster.members.flatMap((member, index) =>
      member.life === null ? [] : [{ member, index, process: member.life.process }],
    );
    const what = `kill -9 of ${lives.length} nodes at once, ${downMs} ms`;
    return this.#during({ kind: 'kill-all', what, node: null }, async () => {
      for (const { member, process } of lives) {
        member.life = null;
        process.signal('SIGKILL');
      }
      await Promise.all(lives.map(({ process }) => process.gone()));
      await sleep(downMs);
      for (const { index } of lives) this.#cluster.startMember(index);
    });
  }

  /** A roll-out: one node after the other ends in order and is started anew. */
  async #restartAll(): Promise<string> {
    const done: string[] = [];
    for (const index of this.#cluster.members.keys()) {
      const place = `node ${index}`;
      if (this.#busy.has(place)) continue;
      this.#busy.add(place);
      try {
        done.push(await this.#restart(index));
      } finally {
        this.#busy.delete(place);
      }
    }
    return done.join(', ');
  }

  async #restart(index: number): Promise<string> {
    const member = this.#cluster.member(index);
    const { life } = member;
    if (life === null) return 'one is dead';
    const told = Date.now();
    await this.#during({ kind: 'restart', what: `${life.name} ends in order`, node: life.name }, async () => {
      member.life = null;
      life.process.signal('SIGTERM');
      const killing = setTimeout(() => life.process.signal('SIGKILL'), STOP_WITHIN_MS);
      const code = await life.process.gone();
      clearTimeout(killing);
      this.stops.push({ node: life.name, code, from: told, to: Date.now() });
      this.#cluster.startMember(index);
    });
    await this.#cluster.awaitMember(index);
    return `${life.name} ended in order`;
  }

  async #stop(index: number, ms: number): Promise<string> {
    const { life } = this.#cluster.member(index);
    if (life === null) return 'it is dead';
    return this.#during({ kind: 'stop', what: `stop ${life.name} for ${ms} ms`, node: life.name }, async () => {
      life.process.signal('SIGSTOP');
      await sleep(ms);
      life.process.signal('SIGCONT');
    });
  }

  async #breakNetwork(index: number, mode: ProxyMode, ms: number): Promise<string> {
    const { life, proxy } = this.#cluster.member(index);
    if (life === null) return 'it is dead';
    const what = `${mode.kind} between ${life.name} and the database for ${ms} ms`;
    return this.#during({ kind: 'network', what, node: life.name }, async () => {
      proxy.mode = mode;
      await sleep(ms);
      proxy.mode = { kind: 'pass' };
    });
  }

  async #moveClock(hours: number, ms: number): Promise<string> {
    const last = this.#cluster.members.at(-1)?.life;
    if (last === undefined || last === null) return 'it is dead';
    const what = `the clock of ${last.name} jumps by ${hours} h for ${ms} ms`;
    return this.#during({ kind: 'clock', what, node: last.name }, async () => {
      await writeFile(this.#cluster.clockFile, `${hours < 0 ? '-' : '+'}${Math.abs(hours)}h`);
      await sleep(ms);
      await writeFile(this.#cluster.clockFile, '+0');
    });
  }

  async #endBackends(share: number): Promise<string> {
    const sql = postgres(this.#cluster.url, { max: 1, onnotice: () => undefined });
    try {
      const what = `pg_terminate_backend of ${Math.round(share * 100)} %`;
      return await this.#during({ kind: 'backends', what, node: null }, async () => {
        await sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where application_name like 'scheduler%' and datname = current_database() and random() < ${share}::float8`;
      });
    } finally {
      await sql.end({ timeout: 1 });
    }
  }

  async #stopBroker(ms: number): Promise<string> {
    const broker = this.#broker;
    if (broker === null) return 'there is no broker here';
    return this.#during({ kind: 'broker', what: `NATS is killed for ${ms} ms`, node: null }, async () => {
      await broker.kill();
      await sleep(ms);
      await broker.start();
    });
  }

  async #closeReceivers(ms: number): Promise<string> {
    return this.#during(
      { kind: 'receivers', what: `every receiver answers 503 for ${ms} ms`, node: null },
      async () => {
        this.#receivers.isDown = true;
        await sleep(ms);
        this.#receivers.isDown = false;
      },
    );
  }

  /** A fault that fails (the database was away) was a fault all the same. */
  async #during(fault: Pick<Fault, 'kind' | 'what' | 'node'>, work: () => Promise<void>): Promise<string> {
    const from = Date.now();
    try {
      await work();
      return fault.what;
    } finally {
      this.faults.push({ ...fault, from, to: Date.now() });
    }
  }
}

function modeOf(how: 'blackhole' | 'deaf' | 'mute' | 'reset' | 'delay' | 'cut'): ProxyMode {
  if (how === 'delay') return { kind: how, ms: 200 };
  return how === 'cut' ? { kind: how, bytes: 700 } : { kind: how };
}
