import type { ScheduleVersion } from '../../domain/entities/schedule-version.ts';
import type { ScheduleId } from '../../domain/ids.ts';
import type { VersionSource } from '../../domain/ports/courier.ts';
import type { EnginePool } from '../db/engine-pool.ts';
import type { ScheduleVersionCache } from './schedule-version-cache.ts';

/** Definitions one by one, from the cache or the database. */
export class PostgresVersionSource implements VersionSource {
  readonly #pool: EnginePool;
  readonly #versions: ScheduleVersionCache;

  constructor(pool: EnginePool, versions: ScheduleVersionCache) {
    this.#pool = pool;
    this.#versions = versions;
  }

  async of(scheduleId: ScheduleId, version: number): Promise<ScheduleVersion | null> {
    const found = await this.#pool.query((sql) => this.#versions.load(sql, [{ scheduleId, version }]));
    return found.of(scheduleId, version).version;
  }
}
