import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/domain/entities/caller.ts';
import { policyOf } from '../../../src/domain/entities/tenant-policy.ts';
import { TenantPolicies } from '../../../src/domain/services/tenant-policies.ts';
import { SERVICE_POLICY, scheduleInput } from '../../support/scheduling.ts';
import { codeOf, newCaller, openWorkbench, type Workbench } from './workbench.ts';

let bench: Workbench;
let policies: TenantPolicies;
let now = 0;

beforeAll(async () => {
  bench = await openWorkbench();
  policies = new TenantPolicies({ unitOfWork: bench.unitOfWork, service: SERVICE_POLICY, monotonic: () => now });
});
afterAll(() => bench.close());

/** Somebody of a new tenant that may have so many schedules. */
async function limitedTo(schedules: number): Promise<Caller> {
  const caller = newCaller();
  const policy = policyOf(caller.tenantId, null, {
    ...SERVICE_POLICY,
    quotas: { ...SERVICE_POLICY.quotas, schedules },
  });
  await policies.inUse(caller.tenantId);
  return { ...caller, policy };
}

describe('the quota of schedules', () => {
  test('holds when many are created at once, of one tenant and of others', async () => {
    const callers = [await limitedTo(7), await limitedTo(3)];
    const input = scheduleInput({ target: { kind: 'EVENT', eventTopic: 'a.b' } });
    const tries = callers.flatMap((caller) =>
      Array.from({ length: 20 }, () => codeOf(bench.scheduling.create(caller, input))),
    );
    const codes = await Promise.all(tries);
    expect(codes.filter((code) => code === null)).toHaveLength(10);
    expect(new Set(codes)).toEqual(new Set([null, 'QUOTA_EXCEEDED']));
    const counts = await bench.engine`
      select count(*)::int as living from schedules where tenant_id in ${bench.engine(callers.map((caller) => caller.tenantId))} group by tenant_id order by 1`;
    expect(counts.map((row) => row['living'])).toEqual([3, 7]);
  });

  test('counts several of one transaction', async () => {
    const { tenantId } = await limitedTo(2);
    const admitted = await bench.unitOfWork.forTenant(tenantId, async ({ tenants }) => [
      await tenants.admitSchedule(2),
      await tenants.admitSchedule(2),
      await tenants.admitSchedule(2),
    ]);
    expect(admitted).toEqual([true, true, false]);
  });
});

describe('the policy of a tenant', () => {
  test('is read once for many requests, and anew after five seconds', async () => {
    const { tenantId } = newCaller();
    const [first, second] = await Promise.all([policies.of(tenantId), policies.of(tenantId)]);
    expect([first, first.isKnown]).toEqual([second, false]);
    await bench.engine`insert into tenants (tenant_id, quotas) values (${tenantId}, '{"schedules": 5}')`;
    now += 4_999;
    expect((await policies.of(tenantId)).quotas.schedules).toBe(null);
    now += 1;
    expect((await policies.of(tenantId)).quotas.schedules).toBe(5);
  });

  test('of one in use has a row, made once by many at the same time', async () => {
    const { tenantId } = newCaller();
    const used = await Promise.all(Array.from({ length: 5 }, () => policies.inUse(tenantId)));
    expect(used.map((policy) => policy.isKnown)).toEqual(Array(5).fill(true));
  });
});
