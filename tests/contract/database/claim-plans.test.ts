import postgres from 'postgres';
import { v7 as newId } from 'uuid';
import { expect, it } from 'vitest';
import { decideAll } from '../../../src/domain/services/fired-batch.ts';
import { EnginePool } from '../../../src/infra/db/engine-pool.ts';
import { PostgresEngineStore } from '../../../src/infra/repo/postgres-engine-store.ts';
import { ScheduleVersionCache } from '../../../src/infra/repo/schedule-version-cache.ts';
import { EngineBench } from '../../support/engine-bench.ts';

interface Plan {
  readonly 'Node Type': string;
  readonly Filter?: string;
  readonly Plans?: readonly Plan[];
}

const LIVE = 10;

/*
 * Plans are kept for as long as a connection lives, and a bulk creation may follow one: a condition on an array of places is then
 * looked through again for each timer there is.
 */
it('timers are joined by place, however few there were when the statements were planned', async () => {
  await using bench = await EngineBench.open();
  const sent: { readonly text: string; readonly parameters: never[] }[] = [];
  const open = (): postgres.Sql => {
    const sql = postgres(bench.url, {
      max: 1,
      onnotice: () => undefined,
      fetch_types: false,
      connection: { role: 'scheduler_engine' },
      debug: (_, text, parameters) => void sent.push({ text, parameters: parameters as never[] }),
    });
    return sql;
  };
  await using pool = new EnginePool(open, 60_000);
  const store = new PostgresEngineStore(pool, new ScheduleVersionCache(LIVE, 1e7), () => 0);
  const claim = async (): Promise<number> => {
    await bench.sql`update timers set next_due = now()`;
    const claimant = { claimId: newId(), owner: newId(), leaseMs: 60_000 };
    return (await store.fireDue({ live: LIVE, late: 0, excluded: [] }, claimant, decideAll)).due.length;
  };
  await Promise.all([bench.schedule(), bench.schedule(), bench.schedule()]);
  // The first fires what the second looks for.
  expect(await claim()).toBe(3);
  sent.length = 0;
  expect(await claim()).toBe(3);
  const byPlace = sent.filter(({ text }) => text.includes('::tid[]'));
  expect(byPlace).toHaveLength(2);
  for (const { text, parameters } of byPlace)
    expect((await filtersOf(bench.sql, text, parameters)).join()).not.toMatch(/ctid/);
});

async function filtersOf(sql: postgres.Sql, text: string, parameters: never[]): Promise<readonly string[]> {
  const [row] = await sql.unsafe<{ 'QUERY PLAN': readonly { readonly Plan: Plan }[] }[]>(
    `explain (format json) ${text}`,
    parameters,
  );
  const filters = (plan: Plan): readonly string[] => [plan.Filter ?? '', ...(plan.Plans ?? []).flatMap(filters)];
  return (row?.['QUERY PLAN'] ?? []).flatMap(({ Plan: plan }) => filters(plan));
}
