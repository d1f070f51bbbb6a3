import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScheduleId } from '../../../src/domain/ids.ts';
import { connectPool } from '../../../src/infra/db/client.ts';
import { EnginePool } from '../../../src/infra/db/engine-pool.ts';
import { PostgresUpkeepStore } from '../../../src/infra/repo/postgres-upkeep-store.ts';
import { newCaller, openWorkbench, type Workbench } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

test('entries of the audit trail go when they are past their time, in chunks', async () => {
  const caller = newCaller();
  const { url } = bench;
  await bench.unitOfWork.forTenant(caller.tenantId, async ({ audit }) => {
    audit.record(caller, ...[1, 2, 3, 4].map((id) => ({ action: 'thing.made' as const, id: String(id) })));
  });
  const owner = connectPool(url, { max: 1, applicationName: 'test' });
  await owner`set role scheduler_owner`;
  await owner`alter table audit_entries no force row level security`;
  await owner`update audit_entries set at = at - interval '31 days' where resource_id < '4'`;
  await owner.end();
  const open = () => connectPool(url, { role: 'scheduler_engine', max: 1, applicationName: 'test' });
  await using pool = new EnginePool(open, 10_000);
  const upkeep = new PostgresUpkeepStore(pool);
  const left = async () => (await bench.engine`select resource_id from audit_entries`).map((row) => row['resource_id']);
  await upkeep.forgetAudit(30, 2);
  expect(await left()).toHaveLength(2);
  await upkeep.forgetAudit(30, 2);
  expect(await left()).toEqual(['4']);
});

test('a change whose entry cannot be stored is not made', async () => {
  const caller = newCaller();
  const { organizationId, tenantId } = caller;
  const making = bench.unitOfWork.forTenant(tenantId, async ({ audit, schedules }) => {
    audit.record({ ...caller, subject: 'half \u0000' }, { action: 'thing.made', id: '1', organizationId });
    await schedules.storeIdempotent('k', 'h', '0198c5b2-7a31-7c44-9d0e-2f6b8a1c3e55' as ScheduleId);
  });
  await expect(making).rejects.toThrow();
  expect(await bench.unitOfWork.forTenant(tenantId, ({ schedules }) => schedules.findIdempotent('k'))).toBeNull();
});
