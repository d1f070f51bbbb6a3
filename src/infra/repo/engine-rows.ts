import { PgDialect } from 'drizzle-orm/pg-core';
import type postgres from 'postgres';
import type { JsonValue } from '../../domain/entities/json.ts';
import type { Attempt, RunCause } from '../../domain/entities/run.ts';
import type { ScheduleId } from '../../domain/ids.ts';
import type { ClaimedRun } from '../../domain/ports/engine-store.ts';
import type { VersionLookup } from './schedule-version-cache.ts';
import type { Executor } from './terminal-transition.ts';

const dialect = new PgDialect();

/** A connection held for one transaction, or the pool itself: what an engine statement is sent through. */
export type EngineSql = postgres.TransactionSql | postgres.Sql;

/** Text of a Postgres array of numbers, uuids or words that need no quotes. */
export function arrayLiteral(values: readonly (number | string | null)[]): string {
  return bracedText(values.map((value) => (value === null ? 'NULL' : value)));
}

/** Text of a Postgres array of whole milliseconds after `base`, as short numbers are read soonest; instants are epoch milliseconds. */
export function instantsSince(base: number, instants: readonly (number | null)[]): string {
  return arrayLiteral(instants.map((instant) => (instant === null ? null : Math.round(instant - base))));
}

/**
 * Of rows with a `tenant_id`: those of tenants that are neither suspended nor being deleted. The others are few; they are read once
 * for the statement.
 */
export function ofActiveTenant(sql: EngineSql): postgres.PendingQuery<postgres.Row[]> {
  return sql`tenant_id not in (select i.tenant_id from tenants i where i.state <> 'ACTIVE')`;
}

/** Text of a Postgres array of names without quotes or backslashes, of which one may spell NULL. */
export function quotedLiteral(values: readonly string[]): string {
  return bracedText(values.map((value) => `"${value}"`));
}

/** The braces are joined with the elements: to put them around a text afterwards makes a copy of it. PostgreSQL reads `Infinity` as JavaScript writes it. */
function bracedText(elements: (number | string)[]): string {
  const last = elements.length - 1;
  if (last < 0) return '{}';
  elements[0] = `{${elements[0]}`;
  elements[last] = `${elements[last]}}`;
  return elements.join(',');
}

/** A waiting or recovered run as the claiming statements return it; instants are float epoch ms. */
export interface RunningRow {
  readonly schedule_id: ScheduleId;
  readonly slot: number;
  readonly space: number;
  readonly version: number;
  readonly cause: RunCause | null;
  readonly attempts: readonly Attempt[] | null;
  readonly payload: JsonValue;
  readonly due: number | null;
  readonly started_at: number | null;
}

/** The row as a run to deliver; null when its version no longer compiles. */
export function claimedRun(row: RunningRow, versions: VersionLookup): ClaimedRun | null {
  const { version } = versions.of(row.schedule_id, row.version);
  if (version === null) return null;
  const slot = Math.round(row.slot);
  return {
    key: { scheduleId: row.schedule_id, slot, space: row.space },
    version,
    cause: row.cause ?? 'SCHEDULE',
    attempts: row.attempts ?? [],
    payload: row.payload,
    due: row.due === null ? version.dueOf(slot) : Math.round(row.due),
    startedAt: row.started_at === null ? null : Math.round(row.started_at),
    freshAt: null,
  };
}

/** Lets statements written for a drizzle transaction run on an engine connection, prepared. */
export function executorOf(sql: EngineSql): Executor {
  return {
    execute: (query) => {
      const { sql: text, params } = dialect.sqlToQuery(query);
      return sql.unsafe(text, params as never[], { prepare: true });
    },
  };
}
