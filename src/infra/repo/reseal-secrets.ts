import type { SealedSigningKey } from '../../domain/entities/signing-key.ts';
import type { Target } from '../../domain/entities/target.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { Seal, SealedPlace } from '../../domain/ports/seal.ts';
import { SealedHeaders } from '../../domain/services/sealed-headers.ts';
import type { EnginePool } from '../db/engine-pool.ts';

/*
 * After the sealing key has changed: whatever another key sealed, or none did, is sealed with the one that seals now, in chunks
 * beside the running service. A row is written only as it was read, so a change meanwhile wins; that one is sealed with a key of
 * its process, which must know the new one before this begins. Once nothing is left over, the old key may go.
 */

/** How many were sealed again, and how many could not be opened: with those the old key is not known here. */
export interface Resealed {
  readonly resealed: number;
  readonly unopened: number;
}

interface Chunk extends Resealed {
  /** Null: this was the last. */
  readonly next: readonly string[] | null;
}

const CHUNK = 500;
const FIRST_UUID = '00000000-0000-0000-0000-000000000000';

/** Seals all again, each kind after the other. */
export async function resealAll(pool: EnginePool, seal: Seal): Promise<Readonly<Record<string, Resealed>>> {
  const headers = new SealedHeaders(seal);
  return {
    secrets: await untilDone(['', ''], (after) => resealSecrets(pool, seal, after)),
    'signing keys': await untilDone([''], (after) => resealSigningKeys(pool, seal, after)),
    schedules: await untilDone([FIRST_UUID], (after) => resealSchedules(pool, headers, after)),
    'schedule versions': await untilDone([FIRST_UUID, '0'], (after) => resealVersions(pool, headers, after)),
  };
}

async function untilDone(
  first: readonly string[],
  step: (after: readonly string[]) => Promise<Chunk>,
): Promise<Resealed> {
  const total = { resealed: 0, unopened: 0 };
  for (let after: readonly string[] | null = first; after !== null; ) {
    const chunk: Chunk = await step(after);
    total.resealed += chunk.resealed;
    total.unopened += chunk.unopened;
    after = chunk.next;
  }
  return total;
}

async function resealSecrets(
  pool: EnginePool,
  seal: Seal,
  [tenant = '', name = '']: readonly string[],
): Promise<Chunk> {
  const rows = await pool.query(
    (sql) => sql<{ tenant: TenantId; name: string; sealed: string }[]>`
      select tenant_id as tenant, name, sealed from secrets
      where (tenant_id, name) > (${tenant}, ${name}) and key_id <> ${seal.keyId} order by tenant_id, name limit ${CHUNK}`,
  );
  return inChunk(
    rows,
    (row) => [row.tenant, row.name],
    async (row) => {
      const sealed = sealedAgain(seal, row.sealed, { tenantId: row.tenant, name: row.name });
      if (sealed === null) return false;
      await pool.query(
        (sql) => sql`
        update secrets set sealed = ${sealed}, key_id = ${seal.keyId}
        where tenant_id = ${row.tenant} and name = ${row.name} and sealed = ${row.sealed}`,
      );
      return true;
    },
  );
}

async function resealSigningKeys(pool: EnginePool, seal: Seal, [tenant = '']: readonly string[]): Promise<Chunk> {
  const rows = await pool.query(
    (sql) => sql<{ tenant: TenantId; keys: readonly SealedSigningKey[] }[]>`
      select tenant_id as tenant, signing_keys as keys from tenants
      where tenant_id > ${tenant} and signing_keys <> '[]' order by tenant_id limit ${CHUNK}`,
  );
  return inChunk(
    rows,
    (row) => [row.tenant],
    async ({ tenant: tenantId, keys }) => {
      if (keys.every((key) => seal.keyIdOf(key.sealed) === seal.keyId)) return null;
      const again = keys.map((key) => ({ ...key, sealed: sealedAgain(seal, key.sealed, { tenantId, name: key.id }) }));
      if (again.some((key) => key.sealed === null)) return false;
      await pool.query(
        (sql) => sql`
        update tenants set signing_keys = ${JSON.stringify(again)}::text::jsonb
        where tenant_id = ${tenantId} and signing_keys = ${JSON.stringify(keys)}::text::jsonb`,
      );
      return true;
    },
  );
}

interface TargetRow {
  readonly tenant: TenantId;
  readonly schedule: ScheduleId;
  readonly version: number;
  readonly target: Target;
}

async function resealSchedules(pool: EnginePool, headers: SealedHeaders, [id = '']: readonly string[]): Promise<Chunk> {
  const rows = await pool.query(
    (sql) => sql<TargetRow[]>`
      select tenant_id as tenant, id as schedule, 0 as version, target from schedules
      where id > ${id} and target#>'{http,headers}' <> '{}' order by id limit ${CHUNK}`,
  );
  return inChunk(
    rows,
    (row) => [row.schedule],
    (row) =>
      resealTarget(headers, row, (target) =>
        pool.query(
          (sql) => sql`
          update schedules set target = ${JSON.stringify(target)}::text::jsonb
          where id = ${row.schedule} and target = ${JSON.stringify(row.target)}::text::jsonb`,
        ),
      ),
  );
}

async function resealVersions(
  pool: EnginePool,
  headers: SealedHeaders,
  [id = '', version = '']: readonly string[],
): Promise<Chunk> {
  const rows = await pool.query(
    (sql) => sql<TargetRow[]>`
      select tenant_id as tenant, schedule_id as schedule, version, target from schedule_versions
      where (schedule_id, version) > (${id}, ${version}::text::int) and target#>'{http,headers}' <> '{}'
      order by schedule_id, version limit ${CHUNK}`,
  );
  return inChunk(
    rows,
    (row) => [row.schedule, String(row.version)],
    (row) =>
      resealTarget(headers, row, (target) =>
        pool.query(
          (sql) => sql`
          update schedule_versions set target = ${JSON.stringify(target)}::text::jsonb
          where schedule_id = ${row.schedule} and version = ${row.version} and target = ${JSON.stringify(row.target)}::text::jsonb`,
        ),
      ),
  );
}

/** Null: nothing to do. False: a value could not be opened; the others are sealed again. */
async function resealTarget(
  headers: SealedHeaders,
  row: TargetRow,
  write: (target: Target) => Promise<unknown>,
): Promise<boolean | null> {
  const of = { tenantId: row.tenant, scheduleId: row.schedule };
  const target = headers.resealed(row.target, of);
  if (target === row.target) return null;
  await write(target);
  return headers.resealed(target, of) === target;
}

/** Null where it cannot be opened. */
function sealedAgain(seal: Seal, sealed: string, place: SealedPlace): string | null {
  try {
    return seal.seal(seal.open(sealed, place), place);
  } catch {
    return null;
  }
}

async function inChunk<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => readonly string[],
  reseal: (row: Row) => Promise<boolean | null>,
): Promise<Chunk> {
  let resealed = 0;
  let unopened = 0;
  for (const row of rows) {
    const isDone = await reseal(row);
    if (isDone === true) resealed += 1;
    if (isDone === false) unopened += 1;
  }
  const last = rows.at(-1);
  return { resealed, unopened, next: rows.length < CHUNK || last === undefined ? null : keyOf(last) };
}
