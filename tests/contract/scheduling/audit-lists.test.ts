import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/domain/entities/caller.ts';
import type { AuditPosition, AuditQuery } from '../../../src/domain/ports/audit-trail.ts';
import { DrizzleAuditTrail } from '../../../src/infra/repo/drizzle-audit-trail.ts';
import { SentWrites } from '../../../src/infra/repo/sent-writes.ts';
import { type Explained, explained, vacuumAnalyze } from './plans.ts';
import { newCaller, openWorkbench, type Workbench } from './workbench.ts';

/*
 * The audit trail of two tenants with 8,000 entries each, 500 of one instant. Of each thousand one is bob's, one a calendar's, one an
 * organization's; one schedule has 1,600.
 */

const COUNT = 8000;

let bench: Workbench;
let caller: Caller;

beforeAll(async () => {
  bench = await openWorkbench();
  caller = newCaller();
  for (const { tenantId } of [caller, newCaller()])
    await bench.api.begin(async (tx) => {
      await tx`select set_config('app.tenant_id', ${tenantId}, true)`;
      await tx`
        insert into audit_entries (tenant_id, at, id, subject, action, kind, resource_id, organization_id)
        select ${tenantId}, '2026-03-02'::timestamptz + i / 500 * interval '1 minute', gen_random_uuid(), case when i % 1000 = 1 then 'bob' else 'ada' end,
               case when i % 1000 = 2 then 'calendar.created' else 'schedule.updated' end, case when i % 1000 = 2 then 'calendar' else 'schedule' end,
               case when i % 5 = 0 then 'busy' else i::text end, case when i % 1000 = 3 then 'acme' end
        from generate_series(1, ${COUNT}::int) i`;
    });
  await vacuumAnalyze(bench, 'audit_entries');
});
afterAll(() => bench.close());

function pageOf(query: Partial<AuditQuery>) {
  const whole = { organizationId: null, limit: 50, ...query };
  return bench.unitOfWork.forTenant(caller.tenantId, ({ audit }) => audit.page(whole));
}

async function listed(
  query: Partial<AuditQuery>,
): Promise<{ readonly ids: readonly string[]; readonly pages: number }> {
  const ids: string[] = [];
  let pages = 0;
  let after: AuditPosition | undefined;
  do {
    const page = await pageOf({ ...query, after });
    ids.push(...page.items.map(({ id }) => id));
    after = page.next ?? undefined;
    pages += 1;
  } while (after !== undefined);
  return { ids, pages };
}

describe('the audit trail', () => {
  test.each([
    ['nothing', {}, 'true', 160],
    ['a subject', { subject: 'bob' }, "subject = 'bob'", 9],
    ['a kind', { kind: 'calendar' }, "kind = 'calendar'", 9],
    ['an action', { action: 'calendar.created' }, "kind = 'calendar'", 9],
    ['an organization', { organizationId: 'acme' }, "organization_id = 'acme'", 9],
    ['a resource', { kind: 'schedule', resourceId: 'busy' }, "resource_id = 'busy'", 33],
    ['a resource and a subject', { kind: 'schedule', resourceId: 'busy', subject: 'bob' }, 'false', 2],
  ] as const)('holds every entry once, newest first, asked for %s', async (_name, query, where, most) => {
    const { ids, pages } = await listed(query);
    const rows = await bench.engine.unsafe<{ id: string }[]>(
      `select id from audit_entries where tenant_id = $1 and ${where} order by at desc, id desc`,
      [caller.tenantId],
    );
    expect(ids).toEqual(rows.map(({ id }) => id));
    expect(pages).toBeLessThanOrEqual(most);
  });

  test.each([
    ['nothing', {}, 'audit_entries_tenant_id_at_id_pk', 51],
    ['a subject', { subject: 'bob' }, 'audit_entries_tenant_id_at_id_pk', 3000],
    ['a kind', { kind: 'calendar' }, 'audit_entries_tenant_id_at_id_pk', 3000],
    ['an organization', { organizationId: 'none' }, 'audit_entries_tenant_id_at_id_pk', 3000],
    ['a resource', { kind: 'schedule', resourceId: 'busy' }, 'audit_entries_resource', 201],
  ] as const)('looks at a bounded number of entries, asked for %s', async (_name, query, index, most) => {
    const middle = { at: Date.UTC(2026, 2, 2, 0, 8), id: '7fffffff-7a31-7c44-9d0e-2f6b8a1c3e55' };
    for (const after of [undefined, middle]) {
      const { steps, indexes, looked } = await plansOf({ ...query, after });
      expect(indexes).toContain(index);
      expect(steps).not.toContain('Seq Scan');
      expect(looked).toBeLessThanOrEqual(most);
    }
  });

  function plansOf(query: Partial<AuditQuery>): Promise<Explained> {
    const { tenantId } = caller;
    return explained(bench, tenantId, (tx) =>
      new DrizzleAuditTrail(tx, tenantId, { now: 0, writes: new SentWrites() }).page({
        organizationId: null,
        limit: 50,
        ...query,
      }),
    );
  }
});
