import { LRUCache } from 'lru-cache';
import type { ScheduleDefinition } from '../../domain/entities/definition.ts';
import { ScheduleVersion, type VersionKey } from '../../domain/entities/schedule-version.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import { SealedHeaders } from '../../domain/services/sealed-headers.ts';
import { remembered } from '../../domain/time/remembered.ts';
import { arrayLiteral, type EngineSql } from './engine-rows.ts';

/** A version, or why it does not compile any more (a zone that newer data dropped, say). */
export type CachedVersion =
  | { readonly number: number; readonly version: ScheduleVersion; readonly problem: null }
  | { readonly number: number; readonly version: null; readonly problem: string };

/**
 * The share of what was read that a full cache takes in. Schedules come round in cycles: where a cycle is longer than the
 * cache, taking in everything drops each version just before it is needed again, and nothing is ever found.
 */
const ADMITTED = 0.1;

export interface VersionLookup {
  of(scheduleId: ScheduleId, version: number): CachedVersion;
}

type Policies = Pick<ScheduleDefinition, 'dst' | 'misfire' | 'retry' | 'overlapPolicy' | 'onCompletion'>;

/** Policies are the same in most schedules, and so are targets in many: read once for all of them. */
const LONGEST_SHARED = 500;
const shared = {
  target: remembered<ScheduleDefinition['target']>(LONGEST_SHARED),
  policies: remembered<Policies>(LONGEST_SHARED),
};

const MISSING: CachedVersion = { number: 0, version: null, problem: 'its definition is gone' };

/**
 * Compiled definitions, which never change, of each schedule the version that was read last; bounded by count and by the size of
 * payloads. By the id alone: to look a text up that was just made costs V8 as much as all else that is done for a slot here.
 */
export class ScheduleVersionCache {
  readonly #cache: LRUCache<ScheduleId, CachedVersion>;
  readonly #headers: SealedHeaders;

  /** `entries` compiled versions of at most `bytes` in all; `headers` opens their header values. */
  constructor(entries: number, bytes: number, headers = new SealedHeaders(null)) {
    this.#headers = headers;
    this.#cache = new LRUCache({ max: entries, maxSize: bytes, sizeCalculation: sizeOf });
  }

  /** All the versions named; those not at hand are read in one statement. */
  async load(sql: EngineSql, keys: readonly VersionKey[]): Promise<VersionLookup> {
    const found = new FoundVersions();
    const missing = new Map<ScheduleId, VersionKey[]>();
    for (const key of keys) {
      const cached = this.#cache.get(key.scheduleId);
      if (cached?.number === key.version) found.add(key.scheduleId, cached);
      else addOnce(missing, key.scheduleId, key, ({ version }) => version === key.version);
    }
    if (missing.size > 0) await this.#read(sql, [...missing.values()].flat(), found);
    return found;
  }

  #hasRoom(): boolean {
    return this.#cache.size < this.#cache.max && this.#cache.calculatedSize < this.#cache.maxSize;
  }

  async #read(sql: EngineSql, keys: readonly VersionKey[], found: FoundVersions): Promise<void> {
    const rows = await sql<VersionRow[]>`
      /* schedule versions by primary key; the policies as one text, as each column costs the driver half a microsecond a row */
      select v.schedule_id, v.tenant_id, v.version, v.tz, v.trigger, v.target::text as target, v.payload, v.calendars, v.excluded,
             date_part('epoch', v.start_at) * 1000 as start_at, date_part('epoch', v.end_at) * 1000 as end_at,
             v.max_fires, v.jitter, v.timeout_sec, v.pause_on_failures, concat_ws(chr(10), v.dst, v.misfire, v.retry, v.overlap_policy, v.on_completion) as policies
      from unnest(${arrayLiteral(keys.map((key) => key.scheduleId))}::text::uuid[], ${arrayLiteral(keys.map((key) => key.version))}::text::int[]) as k(schedule_id, version)
      join schedule_versions v on v.schedule_id = k.schedule_id and v.version = k.version`;
    for (const row of rows) {
      const compiled = compile(row, this.#headers);
      if (this.#hasRoom() || Math.random() < ADMITTED) this.#cache.set(row.schedule_id, compiled);
      found.add(row.schedule_id, compiled);
    }
  }
}

class FoundVersions implements VersionLookup {
  readonly #bySchedule = new Map<ScheduleId, CachedVersion[]>();

  add(scheduleId: ScheduleId, found: CachedVersion): void {
    addOnce(this.#bySchedule, scheduleId, found, ({ number }) => number === found.number);
  }

  of(scheduleId: ScheduleId, version: number): CachedVersion {
    return this.#bySchedule.get(scheduleId)?.find(({ number }) => number === version) ?? MISSING;
  }
}

/** Nearly every schedule is asked for at one version, once. */
function addOnce<T>(to: Map<ScheduleId, T[]>, scheduleId: ScheduleId, what: T, isSame: (known: T) => boolean): void {
  const known = to.get(scheduleId);
  if (known === undefined) to.set(scheduleId, [what]);
  else if (!known.some(isSame)) known.push(what);
}

interface VersionRow {
  readonly schedule_id: ScheduleId;
  readonly tenant_id: TenantId;
  readonly version: number;
  readonly tz: string;
  readonly trigger: ScheduleDefinition['trigger'];
  readonly target: string;
  readonly payload: ScheduleDefinition['payload'];
  readonly calendars: ScheduleDefinition['calendars'];
  readonly excluded: ScheduleDefinition['excluded'];
  readonly start_at: number | null;
  readonly end_at: number | null;
  readonly max_fires: number | null;
  readonly jitter: string | null;
  readonly timeout_sec: number;
  readonly pause_on_failures: number | null;
  readonly policies: string;
}

function compile(row: VersionRow, headers: SealedHeaders): CachedVersion {
  try {
    const of = { scheduleId: row.schedule_id, tenantId: row.tenant_id, version: row.version };
    const policies = shared.policies(row.policies, () => policiesOf(row.policies));
    const definition: ScheduleDefinition = {
      tz: row.tz,
      trigger: row.trigger,
      target: headers.opened(
        shared.target(row.target, () => JSON.parse(row.target)),
        of,
      ),
      payload: row.payload,
      startAt: row.start_at === null ? null : new Date(Math.round(row.start_at)),
      endAt: row.end_at === null ? null : new Date(Math.round(row.end_at)),
      maxFires: row.max_fires,
      jitter: row.jitter,
      dst: policies.dst,
      calendars: row.calendars,
      excluded: row.excluded,
      overlapPolicy: policies.overlapPolicy,
      misfire: policies.misfire,
      retry: policies.retry,
      timeoutSec: row.timeout_sec,
      pauseOnFailures: row.pause_on_failures,
      onCompletion: policies.onCompletion,
    };
    return { number: row.version, version: new ScheduleVersion(of, definition), problem: null };
  } catch (error) {
    return { number: row.version, version: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** From their lines, none of which holds a line break: JSON is as PostgreSQL writes it. */
function policiesOf(text: string): Policies {
  const [dst = '', misfire = '', retry = '', overlap, completion] = text.split('\n');
  return {
    dst: JSON.parse(dst),
    misfire: JSON.parse(misfire),
    retry: JSON.parse(retry),
    overlapPolicy: overlap as Policies['overlapPolicy'],
    onCompletion: completion as Policies['onCompletion'],
  };
}

/** Roughly the bytes a compiled version holds (1,050 measured without payload), and its payload and target where they are large. */
function sizeOf(cached: CachedVersion): number {
  if (cached.version === null) return 500;
  const { payload, target, excluded } = cached.version.definition;
  const large = payload === null && target.kind !== 'HTTP' ? 0 : JSON.stringify([payload, target]).length * 2;
  return 1100 + large + (excluded?.days.length ?? 0) * 16;
}
