import { performance } from 'node:perf_hooks';
import type { ComponentHealth, HealthProbe, HealthReport } from '../../domain/ports/health.ts';
import type { EnginePool } from './engine-pool.ts';

const PROBE_MS = 2_000;
/** Probes within this time share one answer, so that they cost the database nothing under a flood. */
const SHARED_MS = 250;

interface Parts {
  readonly pool: EnginePool;
  readonly build: string;
  readonly version: string;
  readonly tzdata: string;
  /** The newest migration this build knows. */
  readonly migration: number;
  /** Loops of this process that no longer turn. */
  readonly staleLoops: () => readonly string[];
  /** What the watchmen of this process have found; null where it has none. Never makes it unready. */
  readonly watchmen: () => ComponentHealth | null;
  /** Why this process must not compute slots; null when it may. */
  readonly outdated: () => string | null;
  /** Deliveries are passed on to nodes with the role `worker`. */
  readonly needsWorkers: boolean;
}

interface DatabaseState {
  readonly component: ComponentHealth;
  readonly isMigrated: boolean;
  readonly upkeep: ComponentHealth | null;
  /** Null where they are not needed. */
  readonly workers: ComponentHealth | null;
}

interface ProbeRow {
  readonly at: number | null;
  readonly upkeep: boolean;
  readonly engine: boolean;
  readonly worker: boolean;
}

/** What the probes of this process answer. */
export class DatabaseHealthProbe implements HealthProbe {
  readonly #parts: Parts;
  #isDraining = false;
  #last: { readonly at: number; readonly state: Promise<DatabaseState> } | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** From now on the process is not ready. */
  drain(): void {
    this.#isDraining = true;
  }

  live(): boolean {
    return true;
  }

  async ready(): Promise<{ readonly ready: boolean; readonly reason: string | null }> {
    if (this.#isDraining) return { ready: false, reason: 'draining' };
    const database = await this.#database();
    if (database.component.status !== 'ok')
      return { ready: false, reason: `database: ${database.component.detail ?? 'down'}` };
    if (!database.isMigrated) return { ready: false, reason: 'migrations are not current' };
    const outdated = this.#parts.outdated();
    if (outdated !== null) return { ready: false, reason: outdated };
    const stale = this.#parts.staleLoops();
    return stale.length > 0
      ? { ready: false, reason: `loops without a good turn: ${stale.join(', ')}` }
      : { ready: true, reason: null };
  }

  async health(): Promise<HealthReport> {
    const { build, version, tzdata } = this.#parts;
    const { component, upkeep, workers } = await this.#database();
    const stale = this.#parts.staleLoops();
    const engine: ComponentHealth = {
      status: stale.length === 0 ? 'ok' : 'degraded',
      latencyMs: null,
      detail: stale.length === 0 ? null : `no good turn: ${stale.join(', ')}`,
    };
    const watchmen = this.#parts.watchmen();
    const components = {
      database: component,
      engine,
      ...(upkeep !== null && { upkeep }),
      ...(workers !== null && { workers }),
      ...(watchmen !== null && { watchmen }),
    };
    const isWell = Object.values(components).every((part) => part.status === 'ok');
    const status = component.status !== 'ok' ? component.status : isWell ? 'ok' : 'degraded';
    return { status, build, version, tzdata, components };
  }

  #database(): Promise<DatabaseState> {
    const now = performance.now();
    if (this.#last === null || now - this.#last.at > SHARED_MS) this.#last = { at: now, state: this.#ask(now) };
    return this.#last.state;
  }

  async #ask(askedAt: number): Promise<DatabaseState> {
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => resolve(null), PROBE_MS);
    try {
      const rows = await Promise.race([
        late,
        this.#parts.pool.query(
          (sql) => sql<ProbeRow[]>`
            select max_migration() as at, coalesce(bool_or('upkeep' = any(roles)), false) as upkeep, coalesce(bool_or('engine' = any(roles)), false) as engine,
                   coalesce(bool_or('worker' = any(roles)), false) as worker
            from nodes where heartbeat > now() - interval '60 seconds'`,
        ),
      ]);
      const latencyMs = Math.round(performance.now() - askedAt);
      if (rows === null) return down(`no answer within ${PROBE_MS} ms`);
      return {
        component: { status: 'ok', latencyMs, detail: null },
        isMigrated: (rows[0]?.at ?? 0) >= this.#parts.migration,
        upkeep: upkeepOf(rows[0]),
        workers: this.#parts.needsWorkers ? workersOf(rows[0]) : null,
      };
    } catch {
      return down('not reachable');
    } finally {
      clearTimeout(timer);
    }
  }
}

function down(detail: string): DatabaseState {
  return { component: { status: 'down', latencyMs: null, detail }, isMigrated: false, upkeep: null, workers: null };
}

function workersOf(row: ProbeRow | undefined): ComponentHealth {
  if (row?.worker === true) return { status: 'ok', latencyMs: null, detail: null };
  return { status: 'degraded', latencyMs: null, detail: 'no live node has the role worker: nothing is delivered' };
}

/** Whether anybody keeps the store in order; engines stand in where no node has the role. */
function upkeepOf(row: ProbeRow | undefined): ComponentHealth {
  if (row?.upkeep === true) return { status: 'ok', latencyMs: null, detail: null };
  if (row?.engine === true)
    return { status: 'ok', latencyMs: null, detail: 'no live node has the role upkeep: engines stand in' };
  return {
    status: 'degraded',
    latencyMs: null,
    detail: 'no live node does the upkeep: partitions, retention, repairs',
  };
}
