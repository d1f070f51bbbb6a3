import type { Attempt, RunRow } from '../../domain/entities/run.ts';

/*
 * A run that succeeded at its first attempt, of which nothing is known but that it was accepted, and the status of an HTTP answer: the
 * other columns of its row say all of it, and its list of attempts is stored empty. Nearly all runs are such, and their
 * attempts would be a third of the row. Without attempts no run succeeds, so the two cannot be confused.
 */

const TOLD: readonly (keyof Attempt)[] = ['error', 'responseSnippet', 'final', 'possibleDuplicate'];

/** Whether the attempts of a run that has just succeeded, and never had a row before, say nothing that its other columns do not. */
export function areUntold([first, second]: readonly Attempt[]): boolean {
  if (first === undefined || second !== undefined) return false;
  return fits(first.httpStatus) && TOLD.every((field) => first[field] === undefined);
}

/** A sender that is not ours may answer any number. */
function fits(status: number | undefined): boolean {
  return status === undefined || (Number.isInteger(status) && status >= 100 && status <= 999);
}

type Told = Pick<RunRow, 'state' | 'attempts' | 'startedAt' | 'endedAt'> & { readonly httpStatus: number | null };

/** The attempts of a run as its row tells them. */
export function attemptsOf({ state, attempts, startedAt, endedAt, httpStatus }: Told): readonly Attempt[] {
  if (state !== 'SUCCEEDED' || attempts.length > 0 || startedAt === null || endedAt === null) return attempts;
  const answered = httpStatus === null ? {} : { httpStatus };
  return [
    { number: 1, startedAt: startedAt.toISOString(), endedAt: endedAt.toISOString(), outcome: 'ACCEPTED', ...answered },
  ];
}
