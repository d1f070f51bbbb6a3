import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { DomainError, type ErrorCode, type FieldProblem } from '../../domain/errors.ts';
import type { Journal } from '../../domain/ports/journal.ts';

/** Codes that only HTTP knows, beside the domain's. */
export type ProblemCode =
  | ErrorCode
  | 'METHOD_NOT_ALLOWED'
  | 'REQUEST_TIMEOUT'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'HEADERS_TOO_LARGE'
  | 'INTERNAL';

/** The body of every error, RFC 9457. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string | undefined;
  readonly code: ProblemCode;
  readonly errors?: readonly FieldProblem[] | undefined;
  readonly traceId: string;
}

/** An error of HTTP itself, which the domain has no word for. */
export class HttpError extends Error {
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'HttpError';
    this.code = code;
    this.headers = headers;
  }
}

export const PROBLEM_JSON = 'application/problem+json';

/** What every error carries, also one that is answered before any hook has set headers. */
export const PROBLEM_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
};

/** The only table from error code to HTTP status. */
export const PROBLEMS: Readonly<Record<ProblemCode, { readonly status: number; readonly title: string }>> = {
  VALIDATION_FAILED: { status: 400, title: 'Validation failed' },
  INVALID_TRIGGER: { status: 400, title: 'The trigger cannot be read' },
  UNAUTHENTICATED: { status: 401, title: 'Not authenticated' },
  PERMISSION_DENIED: { status: 403, title: 'Permission denied' },
  TENANT_FORBIDDEN: { status: 403, title: 'Not a tenant of this token' },
  TENANT_SUSPENDED: { status: 403, title: 'The tenant takes nothing new' },
  QUOTA_EXCEEDED: { status: 403, title: 'Quota exceeded' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'Method not allowed' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive' },
  ALREADY_EXISTS: { status: 409, title: 'Already exists' },
  CONFLICT: { status: 409, title: 'Not possible in this state' },
  PRECONDITION_FAILED: { status: 412, title: 'Changed meanwhile' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'Too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'Unsupported media type' },
  TRIGGER_NEVER_FIRES: { status: 422, title: 'The trigger never fires' },
  UNKNOWN_COMMAND: { status: 422, title: 'Unknown command' },
  UNKNOWN_SECRET: { status: 422, title: 'Unknown secret' },
  SECRETS_NOT_CONFIGURED: { status: 422, title: 'No key to seal secrets with' },
  TARGET_NOT_ALLOWED: { status: 422, title: 'Target not allowed' },
  BACKFILL_TOO_LARGE: { status: 422, title: 'The backfill is too large' },
  IDEMPOTENCY_MISMATCH: { status: 422, title: 'Idempotency key used for another request' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  HEADERS_TOO_LARGE: { status: 431, title: 'Request headers too large' },
  INTERNAL: { status: 500, title: 'Internal error' },
  UNAVAILABLE: { status: 503, title: 'Temporarily unavailable' },
};

const RETRY_AFTER_SEC: Partial<Record<ProblemCode, string>> = { RATE_LIMITED: '1', UNAVAILABLE: '5' };

/** The document for `code`; a detail left out says nothing more than the title does. */
export function problemOf(
  code: ProblemCode,
  traceId: string,
  detail?: string,
  errors: readonly FieldProblem[] = [],
): Problem {
  const { status, title } = PROBLEMS[code];
  const type = `urn:problem-type:scheduler:${code.toLowerCase().replaceAll('_', '-')}`;
  return {
    type,
    title,
    status,
    ...(detail !== undefined && { detail }),
    code,
    ...(errors.length > 0 && { errors }),
    traceId,
  };
}

/** Answers with a problem document and the headers its code asks for. */
export function sendProblem(
  reply: FastifyReply,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): FastifyReply {
  const retryAfter = RETRY_AFTER_SEC[problem.code];
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  if (problem.code === 'UNAUTHENTICATED') reply.header('www-authenticate', challenge(reply.request));
  return reply
    .code(problem.status)
    .headers({ ...PROBLEM_HEADERS, ...headers })
    .type(PROBLEM_JSON)
    .send(Buffer.from(JSON.stringify(problem)));
}

/** The server's error handler: whatever was thrown becomes a problem document; what the caller cannot act on is logged once. */
export function problemHandler(
  journal: Pick<Journal, 'requestFailed'>,
): (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (error, request, reply) => {
    const traceId = request.id;
    if (error instanceof DomainError) {
      if (error.code === 'UNAVAILABLE') logFailure(journal, request, error);
      return sendProblem(reply, problemOf(error.code, traceId, error.message, error.problems));
    }
    if (error instanceof HttpError)
      return sendProblem(reply, problemOf(error.code, traceId, error.message), error.headers);
    const known = frameworkProblem(error);
    if (known !== null) return sendProblem(reply, problemOf(known.code, traceId, known.detail));
    logFailure(journal, request, error);
    return sendProblem(reply, problemOf('INTERNAL', traceId));
  };
}

/** RFC 6750: the error is named only where credentials were sent. */
function challenge(request: FastifyRequest): string {
  return request.headers.authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
}

function logFailure(journal: Pick<Journal, 'requestFailed'>, request: FastifyRequest, error: unknown): void {
  const route = request.routeOptions.url ?? 'unknown';
  journal.requestFailed({ method: request.method, route, traceId: request.id }, error);
}

/** What Fastify itself refuses; null for failures of ours. */
function frameworkProblem(error: unknown): { readonly code: ProblemCode; readonly detail: string } | null {
  if (!isFastifyError(error)) return null;
  switch (error.code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { code: 'UNSUPPORTED_MEDIA_TYPE', detail: 'send the body as application/json' };
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { code: 'PAYLOAD_TOO_LARGE', detail: 'the body is larger than this server accepts' };
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return { code: 'NOT_FOUND', detail: 'no such resource' };
    case 'FST_ERR_BAD_URL':
      return { code: 'VALIDATION_FAILED', detail: 'the URL is not valid percent-encoding' };
    case 'FST_ERR_HANDLER_TIMEOUT':
      return { code: 'UNAVAILABLE', detail: 'the request took too long to handle' };
  }
  const isClientFault = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
  return isClientFault ? { code: 'VALIDATION_FAILED', detail: 'the request could not be read' } : null;
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'statusCode' in error;
}
