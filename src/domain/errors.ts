/** What a caller can act on. The one table from code to HTTP status is `app/middleware/problem.ts`. */
export type ErrorCode =
  | 'VALIDATION_FAILED'
  | 'INVALID_TRIGGER'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'TENANT_FORBIDDEN'
  | 'TENANT_SUSPENDED'
  | 'QUOTA_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'CONFLICT'
  | 'PRECONDITION_FAILED'
  | 'PAYLOAD_TOO_LARGE'
  | 'TRIGGER_NEVER_FIRES'
  | 'UNKNOWN_COMMAND'
  | 'UNKNOWN_SECRET'
  | 'SECRETS_NOT_CONFIGURED'
  | 'TARGET_NOT_ALLOWED'
  | 'IDEMPOTENCY_MISMATCH'
  | 'BACKFILL_TOO_LARGE'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE';

/** One place in the caller's input that is wrong: a dotted path (`trigger.cron`) and what is wrong there. */
export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** An error whose reader is the caller. Its message is lower case, names the thing and holds no secret. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly problems: readonly FieldProblem[];

  constructor(code: ErrorCode, message: string, problems: readonly FieldProblem[] = [], options?: ErrorOptions) {
    super(message, options);
    this.name = 'DomainError';
    this.code = code;
    this.problems = problems;
  }
}
