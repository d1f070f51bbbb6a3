import type { TenantId } from '../../../src/domain/ids.ts';
import { connectPool, type Transaction, transactionOn } from '../../../src/infra/db/client.ts';
import type { Workbench } from './workbench.ts';

interface Plan {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

/** Steps that read a row, or its place in an index that tells enough. */
const READING = new Set([
  'Seq Scan',
  'Index Scan',
  'Index Only Scan',
  'Bitmap Heap Scan',
  'Tid Scan',
  'Tid Range Scan',
]);

/** What statements did: their kinds of steps, the indexes they used, and the rows they read from tables and indexes, those they passed over too. */
export interface Explained {
  readonly steps: Set<string>;
  readonly indexes: Set<string>;
  readonly looked: number;
}

/** Runs `work` for a tenant as the API does, and every statement of it once more to see its plan. */
export async function explained(
  { api }: Pick<Workbench, 'api'>,
  tenantId: TenantId,
  work: (tx: Transaction) => Promise<unknown>,
): Promise<Explained> {
  const [steps, indexes] = [new Set<string>(), new Set<string>()];
  let looked = 0;
  const look = (plan: Plan): void => {
    const rows = (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'];
    // Partitions without a row are read whole.
    if (plan['Node Type'] !== 'Seq Scan' || rows > 0) steps.add(plan['Node Type']);
    // The one of a partition is called after it.
    const index = plan['Index Name']?.replace(/^runs_(?:\d{8}|default)_/, 'runs: ');
    if (index !== undefined) indexes.add(index);
    if (READING.has(plan['Node Type'])) looked += rows;
    plan.Plans?.forEach(look);
  };
  await api.begin(async (tx) => {
    await tx`select set_config('app.tenant_id', ${tenantId}, true)`;
    const sent: Parameters<typeof tx.unsafe>[] = [];
    const unsafe = (...statement: Parameters<typeof tx.unsafe>) => {
      sent.push(statement);
      return tx.unsafe(...statement);
    };
    const client = Object.assign(Object.create(tx), { unsafe });
    await work(transactionOn(client));
    for (const [text, parameters] of sent) {
      const [row] = await tx.unsafe<{ 'QUERY PLAN': string }[]>(`explain (analyze, format json) ${text}`, parameters);
      for (const { Plan: plan } of JSON.parse(row?.['QUERY PLAN'] ?? '[]')) look(plan);
    }
  });
  return { steps, indexes, looked };
}

/** So that plans are made for what the tables hold. */
export async function vacuumAnalyze({ url }: Pick<Workbench, 'url'>, ...tables: readonly string[]): Promise<void> {
  const owner = connectPool(url, { max: 1, applicationName: 'test', statementTimeoutMs: 60_000 });
  await owner`set role scheduler_owner`;
  await owner.unsafe(`vacuum analyze ${tables.join(', ')}`);
  await owner.end();
}
