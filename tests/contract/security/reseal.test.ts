import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { v7 as newId } from 'uuid';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HttpTarget } from '../../../src/domain/entities/target.ts';
import type { ScheduleId } from '../../../src/domain/ids.ts';
import type { Seal } from '../../../src/domain/ports/seal.ts';
import { SchedulingService } from '../../../src/domain/services/scheduling-service.ts';
import { SealedHeaders } from '../../../src/domain/services/sealed-headers.ts';
import { SecretService } from '../../../src/domain/services/secret-service.ts';
import { SigningKeyService } from '../../../src/domain/services/signing-key-service.ts';
import { connectPool } from '../../../src/infra/db/client.ts';
import { EnginePool } from '../../../src/infra/db/engine-pool.ts';
import { PostgresSecretValues } from '../../../src/infra/repo/postgres-secret-values.ts';
import { PostgresSigningKeys } from '../../../src/infra/repo/postgres-signing-keys.ts';
import { resealAll } from '../../../src/infra/repo/reseal-secrets.ts';
import { ScheduleVersionCache } from '../../../src/infra/repo/schedule-version-cache.ts';
import { SecretBox } from '../../../src/infra/security/secret-box.ts';
import { newSigningKey } from '../../../src/infra/security/signature.ts';
import { scheduleInput, silentJournal } from '../../support/scheduling.ts';
import { newCaller, openWorkbench, type Workbench } from '../scheduling/workbench.ts';

const [oldKey, newKey] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
const before = new SecretBox([oldKey]);
const during = new SecretBox([newKey, oldKey]);
const after = new SecretBox([newKey]);
const caller = newCaller();
const headers = { Authorization: 'Bearer canary-literal', 'X-Ref': 'Bearer {{secret:TOKEN}}' };

let bench: Workbench;
let pool: EnginePool;
beforeEach(async () => {
  bench = await openWorkbench();
  const open = () => connectPool(bench.url, { role: 'scheduler_engine', max: 1, applicationName: 'test' });
  pool = new EnginePool(open, 10_000);
});
afterEach(async () => {
  await pool[Symbol.asyncDispose]();
  await bench.close();
});

function schedulingWith(seal: Seal | null): SchedulingService {
  const bell = { ring: () => undefined, listen: () => undefined };
  const senders = { of: () => ({ send: () => Promise.reject(new Error('never sent')) }), check: () => undefined };
  return new SchedulingService({ unitOfWork: bench.unitOfWork, bell, senders, seal, journal: silentJournal(), newId });
}

async function putToken(): Promise<void> {
  const secrets = new SecretService({ unitOfWork: bench.unitOfWork, seal: before });
  await secrets.put(caller, { name: 'TOKEN', value: 'canary-secret' }, null);
}

async function schedule(seal: Seal | null, given: HttpTarget['headers'] = headers): Promise<ScheduleId> {
  const target = { kind: 'HTTP', http: { url: 'https://example.com/', method: 'POST', headers: given } } as const;
  return (await schedulingWith(seal).create(caller, scheduleInput({ target }))).schedule.state.id;
}

/** What a delivery of the schedule's version sends. */
async function sent(scheduleId: ScheduleId, seal: Seal, version = 1): Promise<unknown> {
  const cache = new ScheduleVersionCache(10, 1e6, new SealedHeaders(seal));
  const lookup = await pool.query((sql) => cache.load(sql, [{ scheduleId, version }]));
  const target = lookup.of(scheduleId, version).version?.definition.target;
  return target?.kind === 'HTTP' ? target.http.headers : null;
}

async function stored(sql: postgres.Sql): Promise<string> {
  const tables = ['secrets', 'tenants', 'schedules', 'schedule_versions', 'audit_entries'];
  const rows = await Promise.all(tables.map((table) => sql.unsafe(`select t::text as row from ${table} t`)));
  return rows
    .flat()
    .map(({ row }) => String(row))
    .join('\n');
}

test('the sealing key changes under a running service: seal again, drop the old one, everything still opens', async () => {
  const { unitOfWork } = bench;
  const keys = new SigningKeyService({ unitOfWork, seal: before, newId, newKey: newSigningKey });
  await putToken();
  const signing = await keys.rotate(caller);
  const [sealed, plain] = [await schedule(before), await schedule(null)];
  await schedulingWith(before).patch(caller, sealed, (input) => ({ ...input, payload: 'changed' }), null);
  expect(await stored(bench.engine)).not.toContain('canary-secret');

  expect(await resealAll(pool, during)).toEqual({
    secrets: { resealed: 1, unopened: 0 },
    'signing keys': { resealed: 1, unopened: 0 },
    schedules: { resealed: 2, unopened: 0 },
    'schedule versions': { resealed: 3, unopened: 0 },
  });
  const dump = await stored(bench.engine);
  expect([dump.includes('canary'), dump.includes(before.keyId), dump.includes(after.keyId)]).toEqual([
    false,
    // The audit trail names the key that once sealed.
    true,
    true,
  ]);
  expect(Object.values(await resealAll(pool, after)).map(({ resealed }) => resealed)).toEqual([0, 0, 0, 0]);

  const values = await new PostgresSecretValues(pool, after).of(caller.tenantId, ['TOKEN']);
  expect([...values]).toEqual([['TOKEN', 'canary-secret']]);
  expect(await new PostgresSigningKeys(pool, after).of(caller.tenantId)).toEqual([signing.key]);
  expect([await sent(sealed, after), await sent(sealed, after, 2), await sent(plain, after)]).toEqual([
    headers,
    headers,
    headers,
  ]);
});

test('what the keys at hand do not open is counted and left as it is', async () => {
  const { unitOfWork } = bench;
  await putToken();
  await new SigningKeyService({ unitOfWork, seal: before, newId, newKey: newSigningKey }).rotate(caller);
  const id = await schedule(before);
  const dump = await stored(bench.engine);
  const unopened = { resealed: 0, unopened: 1 };
  expect(await resealAll(pool, after)).toEqual({
    secrets: unopened,
    'signing keys': unopened,
    schedules: unopened,
    'schedule versions': unopened,
  });
  expect(await stored(bench.engine)).toBe(dump);
  expect(await sent(id, before)).toEqual(headers);
});

test('more than fit in one chunk are all sealed again', async () => {
  const rows = Array.from({ length: 1_001 }, (_, at) => {
    const [tenant, name] = [`tenant-${at % 7}`, `S${at}`];
    return { tenant, name, sealed: before.seal('a value', { tenantId: tenant, name }) };
  });
  const owner = connectPool(bench.url, { max: 1, applicationName: 'test' });
  await owner`set role scheduler_owner`;
  await owner`alter table secrets no force row level security`;
  await owner`
    insert into secrets select r->>'tenant', r->>'name', r->>'sealed', ${before.keyId}, 1, now(), now(), 'a', 'a'
    from jsonb_array_elements(${JSON.stringify(rows)}::text::jsonb) r`;
  await owner.end();
  expect(await resealAll(pool, during)).toMatchObject({ secrets: { resealed: 1_001, unopened: 0 } });
});

test('a header value is stored sealed, and the same value sent again is no change', async () => {
  const scheduling = schedulingWith(before);
  await putToken();
  const id = await schedule(before);
  expect(await stored(bench.engine)).not.toContain('canary');
  const same = await scheduling.patch(caller, id, (input) => input, null);
  expect(same.state.version).toBe(1);
  const renamed = await scheduling.patch(caller, id, (input) => ({ ...input, name: 'renamed' }), null);
  expect([renamed.state.version, renamed.state.definitionVersion]).toEqual([2, 1]);
  expect(await sent(id, before)).toEqual(headers);
  await scheduling.pause(caller, id, { note: null, resumeAt: null }, null);
  await scheduling.patch(caller, id, (input) => ({ ...input, timeoutSec: 5 }), null);
  expect(await sent(id, before, 4)).toEqual(headers);
});

test('header values of another schedule do not open in this one', async () => {
  await putToken();
  const [one, other] = [await schedule(before), await schedule(before)];
  await bench.engine`update schedule_versions set target = (select target from schedules where id = ${other}) where schedule_id = ${one}`;
  expect(await sent(one, before)).toEqual({ ...headers, Authorization: expect.stringMatching(/^\{\{sealed:v1\./) });
});
