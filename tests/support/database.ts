import { askServiceDesk } from './services.ts';
import { createDatabaseOn, type TestPostgres } from './test-postgres.ts';

export interface TestDatabase {
  /** For a login role that is no superuser and may act as the service's roles, as in production. */
  readonly url: string;
  /** Closes what is still connected and removes the database. */
  drop(): Promise<void>;
}

/** A migrated, empty database of the caller's own. Call it in `beforeAll` and `drop` in `afterAll`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  return createDatabaseOn(await askServiceDesk<Omit<TestPostgres, 'stop'>>('postgres'));
}
