import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DomainError } from '../../../src/domain/errors.ts';
import type { TenantId } from '../../../src/domain/ids.ts';
import { connectPool, openDatabase } from '../../../src/infra/db/client.ts';
import { DrizzleUnitOfWork } from '../../../src/infra/repo/drizzle-unit-of-work.ts';
import { scheduleInput } from '../../support/scheduling.ts';
import { codeOf, newCaller, openWorkbench, type Workbench } from './workbench.ts';

let bench: Workbench;
/** One connection: what a tenant left on it the next one would find. */
let pool: postgres.Sql;
let unitOfWork: DrizzleUnitOfWork;
const LIST = { filter: { organizationId: null }, sort: 'createdAt', limit: 10 } as const;

beforeAll(async () => {
  bench = await openWorkbench();
  pool = connectPool(bench.url, { role: 'scheduler_api', max: 1, applicationName: 'wall' });
  unitOfWork = new DrizzleUnitOfWork(openDatabase(pool));
});
afterAll(async () => {
  await pool.end();
  await bench.close();
});

/** The tenant that a query of nobody would be answered for, and how many schedules it would see. */
async function left(): Promise<unknown> {
  const [row] = await pool<{ tenant: string | null; seen: number }[]>`
    select nullif(current_setting('app.tenant_id', true), '') as tenant, count(*)::int as seen from schedules`;
  return row;
}

async function withSchedule(): Promise<{ readonly tenantId: TenantId; readonly names: Promise<string[]> }> {
  const caller = newCaller();
  const name = `of ${caller.tenantId}`;
  await bench.scheduling.create(caller, scheduleInput({ name, target: { kind: 'EVENT', eventTopic: 'a.b' } }));
  return { tenantId: caller.tenantId, names: namesSeenBy(caller.tenantId) };
}

async function namesSeenBy(tenantId: TenantId): Promise<string[]> {
  const { items } = await unitOfWork.reading(tenantId, ({ schedules }) => schedules.page(LIST));
  return items.map(({ state }) => state.name);
}

const NOBODY = { tenant: null, seen: 0 };

describe('a read', () => {
  test('sees its tenant’s rows alone, however many are under way at once', async () => {
    const made = await Promise.all([1, 2, 3, 4].map(() => withSchedule()));
    const seen = await Promise.all(made.flatMap(({ tenantId }) => [namesSeenBy(tenantId), namesSeenBy(tenantId)]));
    expect(seen).toEqual(made.flatMap(({ tenantId }) => [[`of ${tenantId}`], [`of ${tenantId}`]]));
    expect(await left()).toEqual(NOBODY);
  });

  test('leaves its tenant behind nowhere when it is done, refused by the caller or by the database', async () => {
    const { tenantId, names } = await withSchedule();
    await names;
    expect(await left()).toEqual(NOBODY);
    const refused = unitOfWork.reading(tenantId, async ({ schedules }) => {
      await schedules.page(LIST);
      throw new DomainError('NOT_FOUND', 'no');
    });
    expect(await codeOf(refused)).toBe('NOT_FOUND');
    expect(await left()).toEqual(NOBODY);
    const failing = unitOfWork.reading(tenantId, ({ schedules }) =>
      schedules.page({ ...LIST, after: { value: 1, id: 'no uuid' } }),
    );
    expect(await codeOf(failing)).toBe('VALIDATION_FAILED');
    expect(await left()).toEqual(NOBODY);
  });

  test('that was given up while it waited for a connection is never made, and leaves its tenant behind nowhere', async () => {
    const { tenantId, names } = await withSchedule();
    await names;
    const hasty = new DrizzleUnitOfWork(openDatabase(pool), 50);
    const end = Promise.withResolvers<void>();
    const holding = unitOfWork.forTenant(newCaller().tenantId, () => end.promise);
    expect(await codeOf(hasty.reading(tenantId, ({ schedules }) => schedules.page(LIST)))).toBe('UNAVAILABLE');
    end.resolve();
    await holding;
    expect(await left()).toEqual(NOBODY);
    expect(await namesSeenBy(tenantId)).toEqual([`of ${tenantId}`]);
  });
});

describe('a transaction', () => {
  test('leaves its tenant behind nowhere when it is done, refused by the caller or by the database', async () => {
    const { tenantId, names } = await withSchedule();
    await names;
    await unitOfWork.forTenant(tenantId, ({ schedules }) => schedules.page(LIST));
    expect(await left()).toEqual(NOBODY);
    const refused = unitOfWork.forTenant(tenantId, () => Promise.reject(new DomainError('NOT_FOUND', 'no')));
    expect(await codeOf(refused)).toBe('NOT_FOUND');
    expect(await left()).toEqual(NOBODY);
    const failing = unitOfWork.forTenant(tenantId, ({ schedules }) =>
      schedules.page({ ...LIST, after: { value: 1, id: 'no uuid' } }),
    );
    expect(await codeOf(failing)).toBe('VALIDATION_FAILED');
    expect(await left()).toEqual(NOBODY);
  });

  test('whose statement failed commits nothing, although nobody looked at the error', async () => {
    const { tenantId } = await withSchedule();
    const swallowed = unitOfWork.forTenant(tenantId, async ({ schedules }) => {
      await schedules.page({ ...LIST, after: { value: 1, id: 'no uuid' } }).catch(() => undefined);
    });
    expect(await codeOf(swallowed)).toBe('VALIDATION_FAILED');
  });

  test('that was given up leaves its tenant behind nowhere', async () => {
    const { tenantId } = await withSchedule();
    const hasty = new DrizzleUnitOfWork(openDatabase(pool), 50);
    const end = Promise.withResolvers<void>();
    expect(await codeOf(hasty.forTenant(tenantId, () => end.promise))).toBe('UNAVAILABLE');
    end.resolve();
    expect(await left()).toEqual(NOBODY);
  });
});
