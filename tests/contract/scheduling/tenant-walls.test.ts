import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CalendarEntity } from '../../../src/domain/entities/calendar.ts';
import type { Caller } from '../../../src/domain/entities/caller.ts';
import type { RunRow } from '../../../src/domain/entities/run.ts';
import type { ScheduleEntity } from '../../../src/domain/entities/schedule.ts';
import { checkRole, connectPool, openDatabase } from '../../../src/infra/db/client.ts';
import { idempotencyKeys, schedules } from '../../../src/infra/db/schema.ts';
import { scheduleInput } from '../../support/scheduling.ts';
import { codeOf, newCaller, openWorkbench, type Workbench } from './workbench.ts';

let bench: Workbench;
let owner: Caller;
let stranger: Caller;
let schedule: ScheduleEntity;
let run: RunRow;

beforeAll(async () => {
  bench = await openWorkbench();
  [owner, stranger] = [newCaller(), newCaller()];
  const input = scheduleInput({ key: 'k', target: { kind: 'EVENT', eventTopic: 'a.b' } });
  ({ schedule } = await bench.scheduling.create(owner, input, { key: 'request', requestHash: 'h' }));
  run = await bench.scheduling.trigger(owner, schedule.state.id, 'secret');
  await bench.engine`insert into tenants (tenant_id) values (${owner.tenantId})`;
});
afterAll(() => bench.close());

describe('another tenant', () => {
  test('finds nothing, by any way in', async () => {
    const { id } = schedule.state;
    const tried = [
      bench.scheduling.get(stranger, id),
      bench.scheduling.patch(stranger, id, (current) => ({ ...current, name: 'mine' }), null),
      bench.scheduling.remove(stranger, id, null),
      bench.scheduling.pause(stranger, id, { note: null, resumeAt: null }, null),
      bench.scheduling.trigger(stranger, id, null),
      bench.scheduling.upcoming(stranger, id, { count: 1 }),
      bench.runs.get(stranger, run),
      bench.runs.cancel(stranger, run),
      bench.runs.retry(stranger, run),
    ];
    expect(await Promise.all(tried.map(codeOf))).toEqual(Array(9).fill('NOT_FOUND'));
    const lists = await Promise.all([
      bench.scheduling.list(stranger, { filter: { organizationId: null }, sort: 'name', limit: 10, offset: 0 }),
      bench.runs.list(stranger, { organizationId: null, scheduleId: id, limit: 10 }),
    ]);
    expect(lists).toEqual([
      { items: [], next: null, total: 0 },
      { items: [], next: null, total: null },
    ]);
  });

  test('may have the same key and the same idempotency key', async () => {
    const input = scheduleInput({ key: 'k', target: { kind: 'EVENT', eventTopic: 'a.b' } });
    expect(await bench.scheduling.create(stranger, input, { key: 'request', requestHash: 'other' })).toMatchObject({
      replayed: false,
    });
  });
});

describe('the wall in the database', () => {
  /** Runs a query as the API does in a transaction of this tenant, only that the query forgot its tenant. */
  async function asTenant<T>(
    tenantId: string,
    work: (tx: Parameters<Parameters<ReturnType<typeof openDatabase>['transaction']>[0]>[0]) => Promise<T>,
  ): Promise<T> {
    const pool = connectPool(bench.url, { role: 'scheduler_api', max: 1, applicationName: 'test' });
    try {
      return await openDatabase(pool).transaction(async (tx) => {
        await tx.execute(`select set_config('app.tenant_id', '${tenantId}', true)`);
        return work(tx);
      });
    } finally {
      await pool.end();
    }
  }

  /** A row in each table that `beforeAll` left empty: a new table belongs in here. */
  async function fillTheRest(): Promise<void> {
    const { tenantId } = owner;
    const { id } = schedule.state;
    const { engine } = bench;
    await engine`
      insert into backfills (id, tenant_id, schedule_id, version, cursor, until, remaining, created_at, created_by)
      values (gen_random_uuid(), ${tenantId}, ${id}, 1, now(), now(), 1, now(), 'test')`;
    await engine`
      insert into redrives (id, tenant_id, filter, rate_per_sec, state, next_at, created_at, created_by)
      values (gen_random_uuid(), ${tenantId}, '{}', 1, 'RUNNING', now(), now(), 'test')`;
    await engine`insert into tenant_minutes (tenant_id, minute, fires) values (${tenantId}, now(), 1)`;
    const dates = { name: 'c', description: null, dates: [], ranges: [], weekly: [], ical: null };
    const at = new Date();
    const sealed = { tenantId, name: 's', sealed: 'sealed', keyId: 'k', version: 1, createdAt: at, updatedAt: at };
    await bench.unitOfWork.forTenant(tenantId, async ({ calendars, secrets, now }) => {
      await calendars.insert(CalendarEntity.create(dates, tenantId, { by: 'test', now }));
      await secrets.insert({ ...sealed, createdBy: 'test', updatedBy: 'test' });
    });
  }

  test('hides every table that has a tenant from a query without a condition', async () => {
    await fillTheRest();
    const tables = await bench.engine<{ name: string }[]>`
      select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and a.attname = 'tenant_id' and not a.attisdropped and has_table_privilege('scheduler_api', c.oid, 'SELECT')`;
    const seenBy = async (tenantId: string, table: string): Promise<readonly unknown[]> =>
      asTenant(tenantId, async (tx) =>
        (await tx.execute(`select distinct tenant_id from ${table}`)).map((row) => row['tenant_id']),
      );
    const seen: Record<string, unknown> = {};
    for (const { name } of tables)
      seen[name] = await Promise.all([owner.tenantId, 'nobody-knows', ''].map((tenantId) => seenBy(tenantId, name)));
    expect(tables.length).toBeGreaterThan(8);
    expect(seen).toEqual(Object.fromEntries(tables.map(({ name }) => [name, [[owner.tenantId], [], []]])));
  });

  test('hides them from a query that names the wrong tenant', async () => {
    const found = await asTenant(stranger.tenantId, (tx) =>
      tx.select().from(schedules).where(eq(schedules.tenantId, owner.tenantId)),
    );
    expect(found).toEqual([]);
  });

  test('refuses a row for another tenant, and changes none', async () => {
    const foreign = {
      tenantId: owner.tenantId,
      key: 'x',
      requestHash: 'h',
      scheduleId: schedule.state.id,
      createdAt: new Date(),
    };
    expect(
      await codeOf(asTenant(stranger.tenantId, (tx) => tx.insert(idempotencyKeys).values(foreign))),
    ).not.toBeNull();
    const changed = await asTenant(stranger.tenantId, (tx) => tx.update(schedules).set({ name: 'mine' }).returning());
    expect(changed.map((row) => row.tenantId)).toEqual(Array(changed.length).fill(stranger.tenantId));
  });

  test('forgets the tenant at the end of its transaction', async () => {
    const [row] =
      await bench.api`select current_setting('app.tenant_id', true) as tenant, (select count(*)::int from schedules) as seen`;
    expect([row?.['tenant'] ?? '', row?.['seen']]).toEqual(['', 0]);
  });

  test('keeps entries of the audit trail as they were written', async () => {
    expect(await codeOf(bench.api`update audit_entries set subject = 'somebody else'`)).toBe('42501');
    expect(await codeOf(bench.api`delete from audit_entries`)).toBe('42501');
    expect(await codeOf(bench.engine`update audit_entries set subject = 'somebody else'`)).toBe('42501');
  });

  test('keeps claims and the engine’s functions from the API', async () => {
    expect(await codeOf(bench.api`select from claims`)).toBe('42501');
    expect(await codeOf(bench.api`select make_run_partition(current_date)`)).toBe('42501');
  });
});

describe('the role of a pool', () => {
  test.each(['scheduler_api', 'scheduler_engine'] as const)('%s is bound by the walls', async (role) => {
    const pool = connectPool(bench.url, { role, max: 1, applicationName: 'test' });
    await expect(checkRole(pool)).resolves.toBeUndefined();
    await pool.end();
  });

  test('that owns the tables is refused', async () => {
    const pool = connectPool(bench.url, {
      role: 'scheduler_owner' as 'scheduler_api',
      max: 1,
      applicationName: 'test',
    });
    await expect(checkRole(pool)).rejects.toThrow('owns tables');
    await pool.end();
  });
});
