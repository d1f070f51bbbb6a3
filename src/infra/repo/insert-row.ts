import { getTableName, type Table } from 'drizzle-orm';
import type { Transaction } from '../db/client.ts';
import { clientOf } from '../db/statement.ts';
import { columnsOf, textOf } from './column-arrays.ts';

/** Inserts one row of a table, by the names and types of its declaration. Columns that the row says nothing of are left to their defaults. */
export async function insertRow<T extends Table>(tx: Transaction, table: T, row: T['$inferInsert']): Promise<void> {
  const given: Readonly<Record<string, unknown>> = row;
  const said = Object.entries(columnsOf(table)).filter(([field]) => given[field] !== undefined);
  const names = said.map(([, column]) => `"${column.name}"`).join(', ');
  const places = said.map((_, index) => `$${index + 1}`).join(', ');
  const values = said.map(([field, column]) => textOf(column, given[field]));
  const text = `insert into "${getTableName(table)}" (${names}) values (${places})`;
  await clientOf(tx).unsafe(text, values, { prepare: true });
}
