import { getTableColumns, type SQL, sql, type Table } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';

type Row = Readonly<Record<string, unknown>>;

/** Apart from one another and from NULL by characters that JSON text cannot hold. */
const SEPARATOR = '\u001f';
const NULL_MARK = '\u001e';

/** Many rows of a table as `unnest` takes them: one array a column. Columns that no row says anything of are left to their defaults. */
export interface ColumnArrays {
  readonly names: SQL;
  readonly arrays: SQL;
}

/** The rows in the columns of `table`; column names come from its declaration, so none is forgotten. */
export function columnArrays(table: Table, rows: readonly Row[]): ColumnArrays {
  const said = Object.entries(columnsOf(table)).filter(([field]) => rows.some((row) => row[field] !== undefined));
  return {
    names: listed(said.map(([, column]) => sql.identifier(column.name))),
    arrays: listed(said.map(([field, column]) => arrayOf(column, rows, field))),
  };
}

/** The columns of a table by their field. */
export function columnsOf(table: Table): Readonly<Record<string, PgColumn>> {
  const columns: Readonly<Record<string, PgColumn>> = getTableColumns(table);
  return columns;
}

/** SQL separated by commas. */
export function listed(parts: readonly (SQL | ReturnType<typeof sql.identifier>)[]): SQL {
  return sql.join(
    parts.map((part) => sql`${part}`),
    sql`, `,
  );
}

function arrayOf(column: PgColumn, rows: readonly Row[], field: string): SQL {
  const texts = rows.map((row) => textOf(column, row[field]));
  const type = sql.raw(column.getSQLType());
  if (column.getSQLType() === 'jsonb')
    return sql`string_to_array(${texts.map((text) => text ?? NULL_MARK).join(SEPARATOR)}, chr(31), chr(30))::${type}[]`;
  return sql`${`{${texts.map(element).join(',')}}`}::text::${type}[]`;
}

/** A value as PostgreSQL reads it. */
export function textOf(column: PgColumn, value: unknown): string | null {
  return value === null || value === undefined ? null : String(column.mapToDriverValue(value));
}

function element(text: string | null): string {
  return text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`;
}
