import postgres from 'postgres';
import { DomainError } from '../../domain/errors.ts';

/** SQLSTATE of transactions that lost a race and may simply run again. */
const RACES = ['40001', '40P01'];
/** Classes and codes of SQLSTATE that say the database cannot answer now: connection, resources, operator, time limits, a standby. */
const OUTAGE = /^(?:08|53|57|58|25006|25P03|25P04|55P03)/;
/** Text or a number that Postgres cannot store; what the schema of a request lets through is still the caller's. */
const UNSTORABLE = ['22021', '22P05', '22P02', '22003', '22007', '22008'];
const CONNECTION =
  /^(?:CONNECTION_(?:CLOSED|ENDED|DESTROYED)|CONNECT_TIMEOUT|ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_CLOSED|ERR_STREAM_DESTROYED)$/;

/** Thrown by a transaction that found out too late what it must lock first: run again, it knows from the start. */
export class LostRace extends Error {
  override readonly name = 'LostRace';
}

/** True for a deadlock or serialization failure, and for a {@link LostRace} of ours. */
export function isLostRace(error: unknown): boolean {
  const cause = databaseError(error);
  if (cause instanceof LostRace) return true;
  return cause instanceof postgres.PostgresError && RACES.includes(cause.code);
}

/** True when the database could not be reached or could not answer. */
export function isOutage(error: unknown): boolean {
  const cause = databaseError(error);
  if (cause instanceof postgres.PostgresError) return OUTAGE.test(cause.code);
  return cause instanceof Error && 'code' in cause && CONNECTION.test(String(cause.code));
}

/** True when the error tells that its connection is gone or is going: nothing may be sent on it any more. */
export function isConnectionLost(error: unknown): boolean {
  const cause = databaseError(error);
  return cause instanceof postgres.PostgresError
    ? cause.severity === 'FATAL' || cause.severity === 'PANIC'
    : isOutage(cause);
}

/** True for a second row with the same key in this unique index, or in any. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const cause = databaseError(error);
  if (!(cause instanceof postgres.PostgresError) || cause.code !== '23505') return false;
  return constraint === undefined || cause.constraint_name === constraint;
}

/**
 * The error as the domain knows it: an outage is UNAVAILABLE, text that cannot be stored is VALIDATION_FAILED. Anything else is
 * a bug; it keeps the database's code and the names of things, never the values, the statement or its parameters.
 */
export function asDomainError(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  const cause = databaseError(error);
  if (cause instanceof postgres.PostgresError) return ofPostgres(cause);
  if (cause instanceof LostRace) return new DomainError('UNAVAILABLE', 'the database is not available', [], { cause });
  if (!isOutage(cause)) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return new DomainError('UNAVAILABLE', 'the database cannot be reached', [], { cause: new Error(code) });
}

function ofPostgres(error: postgres.PostgresError): Error {
  const named = [error.code, error.table_name, error.column_name, error.constraint_name]
    .filter((name) => name !== undefined)
    .join(' ');
  const cause = new Error(`postgres ${named}`);
  if (RACES.includes(error.code) || OUTAGE.test(error.code))
    return new DomainError('UNAVAILABLE', 'the database is not available', [], { cause });
  if (UNSTORABLE.includes(error.code))
    return new DomainError('VALIDATION_FAILED', 'a value cannot be stored', [], { cause });
  return new Error(`the database refused a statement: ${named}`, { cause: new Error(error.severity) });
}

/** drizzle wraps errors and puts statement and parameters into the message. */
function databaseError(error: unknown): unknown {
  let inner = error;
  while (inner instanceof Error && !(inner instanceof postgres.PostgresError) && inner.cause instanceof Error)
    inner = inner.cause;
  return inner;
}
