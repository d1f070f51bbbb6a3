import type { BulkResult } from '../entities/bulk.ts';
import { DomainError, type FieldProblem } from '../errors.ts';

const MOST_PROBLEMS = 50;

/** The result of an item that its error refuses. */
export function refusalOf({ code, message, problems }: DomainError): BulkResult {
  return { did: 'REFUSED', code, message, problems };
}

/** The error of an item whose schedule an earlier item names. */
export function namedTwice(first: number): DomainError {
  return new DomainError('VALIDATION_FAILED', `names the same schedule as items.${first}`);
}

/** Rethrows with the places of what was thrown under `part` of the item. */
export function under(part: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof DomainError)) throw error;
    const problems = error.problems.map(({ path, message }) => ({ path: `${part}.${path}`, message }));
    throw new DomainError(error.code, error.message, problems, { cause: error });
  };
}

/** The error of an atomic request: the code of its first refused item, and the places of all. */
export function rolledBack(results: readonly BulkResult[]): DomainError {
  const refused = results.flatMap((result, index) => (result.did === 'REFUSED' ? [{ index, result }] : []));
  const [first] = refused;
  if (first === undefined) throw new Error('no item was refused');
  const rest = refused.length > 1 ? `, and ${refused.length - 1} more` : '';
  const problems = refused.flatMap(({ index, result }) => placesOf(index, result)).slice(0, MOST_PROBLEMS);
  return new DomainError(
    first.result.code,
    `nothing was changed: items.${first.index} ${first.result.message}${rest}`,
    problems,
  );
}

/** Where an item is wrong, as paths of the request's body. */
export function placesOf(
  index: number,
  { message, problems }: Pick<Extract<BulkResult, { did: 'REFUSED' }>, 'message' | 'problems'>,
): readonly FieldProblem[] {
  if (problems.length === 0) return [{ path: `items.${index}`, message }];
  return problems.map((problem) => ({ path: join(index, problem.path), message: problem.message }));
}

function join(index: number, path: string): string {
  return path === '' ? `items.${index}` : `items.${index}.${path}`;
}
