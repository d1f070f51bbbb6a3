import type { Attempt, RunRow } from '../../domain/entities/run.ts';

/*
 * A run that succeeded at its first attempt, of which nothing is known but that it was accepted: the other columns of its row say when it
 * began and ended, and its list of attempts is stored empty. Nearly all runs of COMMAND, EVENT and QUEUE targets are such, and
 * their attempts would be a third of the row. Without attempts no run succeeds, so the two cannot be confused.
 */

const TOLD: readonly (keyof Attempt)[] = ['httpStatus', 'error', 'responseSnippet', 'final', 'possibleDuplicate'];

/** Whether the attempts of a run that has just succeeded, and never had a row before, say nothing that its other columns do not. */
export function areUntold([first, second]: readonly Attempt[]): boolean {
  return first !== undefined && second === undefined && TOLD.every((field) => first[field] === undefined);
}

/** The attempts of a run as its row tells them. */
export function attemptsOf(row: Pick<RunRow, 'state' | 'attempts' | 'startedAt' | 'endedAt'>): readonly Attempt[] {
  const { state, attempts, startedAt, endedAt } = row;
  if (state !== 'SUCCEEDED' || attempts.length > 0 || startedAt === null || endedAt === null) return attempts;
  return [{ number: 1, startedAt: startedAt.toISOString(), endedAt: endedAt.toISOString(), outcome: 'ACCEPTED' }];
}
