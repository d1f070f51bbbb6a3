import { getTableColumns, type SQL, sql, type Table } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';

export type Row = Readonly<Record<string, unknown>>;

/** Apart from one another and from NULL by characters that JSON text cannot hold. */
const SEPARATOR = '\u001f';
const NULL_MARK = '\u001e';

/**
 * Many rows of a table as a query gives them. A column in which all rows say the same is one value, read once; the others are
 * arrays, one a column. Columns that no row says anything of are left to their defaults.
 */
export interface GivenRows {
  readonly columns: readonly PgColumn[];
  readonly names: SQL;
  readonly query: SQL;
}

/** A column of a table, and what the rows say in it as PostgreSQL reads it. */
interface GivenColumn {
  readonly column: PgColumn;
  readonly texts: readonly (string | null)[];
}

/** At least one row, in the columns of `table`; column names come from its declaration, so none is forgotten. */
export function givenRows(table: Table, rows: readonly Row[]): GivenRows {
  const said = Object.entries(columnsOf(table)).filter(([field]) => rows.some((row) => row[field] !== undefined));
  const given = said.map(([field, column]) => ({ column, texts: textsOf(column, rows, field) }));
  const many = given.filter(({ texts }) => texts.length > 1);
  const values = given.map(({ column, texts }) =>
    texts.length > 1
      ? sql.identifier(column.name)
      : sql`${scalarOf(column, texts[0] ?? null)} as ${sql.identifier(column.name)}`,
  );
  const source =
    many.length === 0
      ? sql`generate_series(1, ${rows.length}::int)`
      : sql`unnest(${listed(many.map(arrayOf))}) as many(${listed(many.map(({ column }) => sql.identifier(column.name)))})`;
  return {
    columns: said.map(([, column]) => column),
    names: listed(said.map(([, column]) => sql.identifier(column.name))),
    query: sql`select ${listed(values)} from ${source}`,
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

/** A value as PostgreSQL reads it. */
export function textOf(column: PgColumn, value: unknown): string | null {
  return value === null || value === undefined ? null : String(column.mapToDriverValue(value));
}

/** What the rows say in a column: one text for all where it is the same. */
function textsOf(column: PgColumn, rows: readonly Row[], field: string): readonly (string | null)[] {
  const first = rows[0]?.[field];
  if (rows.every((row) => isSame(row[field], first))) return [textOf(column, first)];
  const texts = rows.map((row) => textOf(column, row[field]));
  return texts.every((text) => text === texts[0]) ? texts.slice(0, 1) : texts;
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || (one instanceof Date && other instanceof Date && one.getTime() === other.getTime());
}

function scalarOf(column: PgColumn, text: string | null): SQL {
  return sql`${text}::text::${sql.raw(column.getSQLType())}`;
}

function arrayOf({ column, texts }: GivenColumn): SQL {
  const type = sql.raw(column.getSQLType());
  if (column.getSQLType() === 'jsonb')
    return sql`string_to_array(${texts.map((text) => text ?? NULL_MARK).join(SEPARATOR)}, chr(31), chr(30))::${type}[]`;
  return sql`${`{${texts.map(element).join(',')}}`}::text::${type}[]`;
}

function element(text: string | null): string {
  return text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`;
}
