import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/domain/entities/caller.ts';
import { TenantEntity } from '../../../src/domain/entities/tenant.ts';
import { policyOf } from '../../../src/domain/entities/tenant-policy.ts';
import { asScheduleId } from '../../../src/domain/ids.ts';
import { SERVICE_POLICY, scheduleInput } from '../../support/scheduling.ts';
import { codeOf, newCaller, openWorkbench, type Workbench } from './workbench.ts';

/* What many callers of a tenant ask at the same time shares transactions, and nobody can tell. */

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const INPUT = scheduleInput({ target: { kind: 'EVENT', eventTopic: 'a.b' } });
const MISSING = asScheduleId(newId());

/** The same number of times each, mixed. */
function often<T>(items: readonly T[], times: number): readonly T[] {
  return Array.from({ length: times }, () => items).flat();
}

/** The database's name for the transaction that wrote each schedule of a tenant. */
async function transactionsOf({ tenantId }: Caller): Promise<ReadonlySet<string>> {
  const rows = await bench.engine<{ xmin: string }[]>`
    select xmin::text from schedules where tenant_id = ${tenantId}`;
  return new Set(rows.map(({ xmin }) => xmin));
}

/** Who made what, by its name, as the trail tells it. */
async function recordedBy(caller: Caller): Promise<ReadonlyMap<unknown, string>> {
  const { items } = await bench.unitOfWork.forTenant(caller.tenantId, ({ audit }) =>
    audit.page({ organizationId: null, limit: 200 }),
  );
  return new Map(items.map(({ after, subject }) => [after?.['name'], subject]));
}

async function namesRecorded(caller: Caller): Promise<readonly string[]> {
  const names = [...(await recordedBy(caller)).keys()].filter((name) => typeof name === 'string');
  return names.toSorted((one, other) => one.localeCompare(other));
}

describe('reads at once', () => {
  test('answer each caller with what is its own, and with nothing of another tenant', async () => {
    const callers = [newCaller(), newCaller()];
    const made = await Promise.all(
      callers.map(
        async (caller) => (await bench.scheduling.create(caller, { ...INPUT, name: caller.tenantId })).schedule,
      ),
    );
    const ids = [...made.map(({ state }) => state.id), ...(MISSING === null ? [] : [MISSING])];
    const questions = often(
      callers.flatMap((caller) => ids.map((id) => ({ caller, id }))),
      20,
    );
    const answers = await Promise.all(
      questions.map(({ caller, id }) =>
        bench.scheduling.get(caller, id).then(
          ({ state }) => state.name,
          (error: unknown) => codeOf(Promise.reject(error)),
        ),
      ),
    );
    expect(answers).toEqual(
      questions.map(({ caller, id }) =>
        made[callers.indexOf(caller)]?.state.id === id ? caller.tenantId : 'NOT_FOUND',
      ),
    );
  });

  test('see what was committed before they were asked, however many are under way', async () => {
    const caller = newCaller();
    const { schedule } = await bench.scheduling.create(caller, INPUT);
    const { id } = schedule.state;
    for (let version = 2; version <= 6; version += 1) {
      const crowd = Array.from({ length: 20 }, () => bench.scheduling.get(caller, id));
      await bench.scheduling.patch(caller, id, (current) => ({ ...current, name: `version ${version}` }), null);
      expect((await bench.scheduling.get(caller, id)).state.version).toBe(version);
      await Promise.all(crowd);
    }
  });
});

describe('creates at once', () => {
  test('share transactions, and each leaves what it would alone', async () => {
    const caller = newCaller();
    const names = Array.from({ length: 30 }, (_, index) => `number ${String(index).padStart(2, '0')}`);
    const made = await Promise.all(
      names.map((name) => bench.scheduling.create({ ...caller, subject: `maker of ${name}` }, { ...INPUT, name })),
    );
    expect(made.map(({ schedule }) => schedule.state.name)).toEqual(names);
    expect((await transactionsOf(caller)).size).toBeLessThan(names.length / 2);
    expect(await namesRecorded(caller)).toEqual(names);
    const recorded = await recordedBy(caller);
    expect(recorded).toEqual(new Map(names.map((name) => [name, `maker of ${name}`])));
    const [counts] = await bench.engine`
      select (select count(*)::int from timers where tenant_id = ${caller.tenantId}) as timers,
             (select count(*)::int from schedule_versions where tenant_id = ${caller.tenantId}) as versions`;
    expect(counts).toEqual({ timers: 30, versions: 30 });
    const again = await Promise.all(made.map(({ schedule }) => bench.scheduling.get(caller, schedule.state.id)));
    expect(again.map(({ state }) => state)).toEqual(made.map(({ schedule }) => schedule.state));
  });

  test('are refused one by one, and a refused one leaves nothing behind', async () => {
    const caller = newCaller();
    await bench.scheduling.create(caller, { ...INPUT, name: 'first', key: 'taken' });
    const wishes = [
      { name: 'a' },
      { name: 'b' },
      { name: 'c', key: 'taken' },
      { name: 'd', key: 'twin' },
      { name: 'd', key: 'twin' },
      { name: 'e', trigger: { type: 'CRON', cron: 'never' } as const },
      { name: 'f', target: { kind: 'COMMAND', command: { name: 'unheard-of' } } as const },
      { name: 'g', organizationId: 'theirs', scope: 'ORGANIZATION' as const },
      { name: 'h' },
    ];
    const insider = { ...caller, organizationId: 'ours' };
    const codes = await Promise.all(
      wishes.map((wish) =>
        codeOf(bench.scheduling.create(wish.name === 'g' ? insider : caller, { ...INPUT, ...wish })),
      ),
    );
    expect(codes).toEqual([
      null,
      null,
      'ALREADY_EXISTS',
      null,
      'ALREADY_EXISTS',
      'INVALID_TRIGGER',
      'UNKNOWN_COMMAND',
      'PERMISSION_DENIED',
      null,
    ]);
    expect(await namesRecorded(caller)).toEqual(['a', 'b', 'd', 'first', 'h']);
  });

  test('of which the database refuses one are made one by one', async () => {
    const caller = newCaller();
    const payloads = ['a', 'b', 'c\u0000', 'd', 'e'];
    const codes = await Promise.all(
      payloads.map((payload) =>
        codeOf(bench.scheduling.create(caller, { ...INPUT, name: payload.slice(0, 1), payload })),
      ),
    );
    expect(codes).toEqual([null, null, 'VALIDATION_FAILED', null, null]);
    expect(await namesRecorded(caller)).toEqual(['a', 'b', 'd', 'e']);
  });

  test('fill a quota to the last place, also when others of them are refused', async () => {
    const plain = newCaller();
    const { tenantId } = plain;
    const policy = policyOf(tenantId, null, { ...SERVICE_POLICY, quotas: { ...SERVICE_POLICY.quotas, schedules: 4 } });
    const caller = { ...plain, policy };
    await bench.unitOfWork.forTenant(tenantId, ({ tenants, now }) => tenants.insert(TenantEntity.fresh(tenantId, now)));
    await bench.scheduling.create(caller, { ...INPUT, key: 'taken' });
    const keys = [null, null, 'taken', null, null, null];
    const codes = await Promise.all(keys.map((key) => codeOf(bench.scheduling.create(caller, { ...INPUT, key }))));
    // Those that have a transaction of their own may come last.
    expect(codes.filter((code) => code === null)).toHaveLength(3);
    expect(codes[2]).not.toBeNull();
  });
});
