import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { DomainError, type ErrorCode, type FieldProblem } from '../../domain/errors.ts';

type Issue = z.core.$ZodIssue;

const MAX_PROBLEMS = 50;
const MAX_PATH = 200;

/** Validates each part of a request with its zod schema; a refusal is a DomainError. A path that matches no id is a missing resource. */
export const validateWithZod: FastifySchemaCompiler<z.ZodType> = ({ schema }) => {
  return (data) => {
    const parsed = schema.safeParse(data, { error: messageOf });
    return parsed.success ? { value: parsed.data } : { error: invalidInput(parsed.error.issues) };
  };
};

/** The value that `schema` makes of `data`. Throws VALIDATION_FAILED, or the code that a check of the schema names. */
export function parsedBy<Schema extends z.ZodType>(schema: Schema, data: unknown): z.output<Schema> {
  const parsed = schema.safeParse(data, { error: messageOf });
  if (parsed.success) return parsed.data;
  throw invalidInput(parsed.error.issues);
}

/** A check's own error code, for `ctx.addIssue({ code: 'custom', params: failsAs('PAYLOAD_TOO_LARGE'), … })`. */
export function failsAs(code: ErrorCode): { readonly errorCode: ErrorCode } {
  return { errorCode: code };
}

/** `['target', 'http', 'url']` as `target.http.url`, cut where a caller made it absurdly long. */
export function dottedPath(path: readonly PropertyKey[]): string {
  const text = path.map(String).join('.');
  return text.length > MAX_PATH ? `${text.slice(0, MAX_PATH)}…`.toWellFormed() : text;
}

function invalidInput(issues: readonly Issue[]): DomainError {
  const problems = issues.flatMap(problemsOf).slice(0, MAX_PROBLEMS);
  const [first] = problems;
  const code = issues.map(ownCode).find((own) => own !== undefined) ?? 'VALIDATION_FAILED';
  const rest = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
  const said =
    first === undefined
      ? 'the request is not valid'
      : `${first.path === '' ? 'the request' : first.path} ${first.message}${rest}`;
  return code === 'NOT_FOUND' ? new DomainError(code, first?.message ?? said) : new DomainError(code, said, problems);
}

function ownCode(issue: Issue): ErrorCode | undefined {
  const params: { readonly errorCode?: ErrorCode } | undefined = issue.code === 'custom' ? issue.params : undefined;
  return params?.errorCode;
}

function problemsOf(issue: Issue): FieldProblem[] {
  if (issue.code === 'invalid_key')
    return [{ path: dottedPath(issue.path), message: `its name ${issue.issues[0]?.message ?? 'is not allowed'}` }];
  if (issue.code !== 'unrecognized_keys') return [{ path: dottedPath(issue.path), message: issue.message }];
  return issue.keys.map((key) => ({ path: dottedPath([...issue.path, key]), message: 'is not a known field' }));
}

/** What is wrong, in this project's words; undefined leaves zod's own. */
function messageOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined || (issue.input === null && issue.path?.length === 0)
        ? 'is required'
        : `must be ${typeName(issue.expected)}`;
    case 'too_small':
      return `must be at least ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${unitOf(issue.origin)}`;
    case 'invalid_value':
      return issue.input === undefined
        ? 'is required'
        : `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return 'has the wrong form';
    default:
      return undefined;
  }
}

function typeName(expected: string): string {
  switch (expected) {
    case 'int':
      return 'a whole number';
    case 'record':
    case 'object':
      return 'an object';
    case 'array':
      return 'an array';
    default:
      return `a ${expected}`;
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters long';
  return origin === 'array' ? ' items long' : '';
}
