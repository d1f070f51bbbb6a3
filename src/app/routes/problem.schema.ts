import { z } from 'zod';
import { PROBLEM_JSON, PROBLEMS, type ProblemCode } from '../middleware/problem.ts';

const codes = Object.keys(PROBLEMS);

/** The body of every error, RFC 9457. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.enum(codes),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .readonly()
      .optional(),
    traceId: z.string(),
  })
  .meta({ id: 'Problem' });

interface DescribedResponse {
  readonly description: string;
  readonly content: { readonly [PROBLEM_JSON]: { readonly schema: typeof problem } };
}

/** The response schemas of these error codes, one for each status. */
export function problems(...expected: readonly ProblemCode[]): Record<number, DescribedResponse> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of expected)
    byStatus.set(PROBLEMS[code].status, [...(byStatus.get(PROBLEMS[code].status) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      { description: same.join(', '), content: { [PROBLEM_JSON]: { schema: problem } } },
    ]),
  );
}

/** What any request to a guarded operation may meet. */
export const GUARDED: readonly ProblemCode[] = [
  'VALIDATION_FAILED',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'TENANT_FORBIDDEN',
  'TENANT_SUSPENDED',
  'RATE_LIMITED',
  'INTERNAL',
  'UNAVAILABLE',
];

/** What a request with a body may meet besides. */
export const WITH_BODY: readonly ProblemCode[] = [
  ...GUARDED,
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'REQUEST_TIMEOUT',
];

/** What a definition may be refused for besides. */
export const WITH_DEFINITION: readonly ProblemCode[] = [
  ...WITH_BODY,
  'INVALID_TRIGGER',
  'TRIGGER_NEVER_FIRES',
  'UNKNOWN_COMMAND',
  'UNKNOWN_SECRET',
  'TARGET_NOT_ALLOWED',
  'QUOTA_EXCEEDED',
];
