import { unionOf } from '../entities/calendar.ts';
import type { CalendarPolicy, ExcludedDates, ScheduleDefinition } from '../entities/definition.ts';
import { sameJson } from '../entities/json.ts';
import { DomainError } from '../errors.ts';
import type { CalendarRepository } from '../ports/calendar-repository.ts';

/**
 * The dates that the named calendars hold now; they change for nobody until the transaction ends. Throws VALIDATION_FAILED
 * for names of no calendar.
 */
export async function datesOf(calendars: CalendarRepository, { exclude }: CalendarPolicy): Promise<ExcludedDates> {
  const found = await calendars.findToName(exclude);
  const known = new Set(found.map(({ state }) => state.name));
  const problems = exclude.flatMap((name, index) =>
    known.has(name) ? [] : [{ path: `calendars.exclude.${index}`, message: `there is no calendar "${name}"` }],
  );
  const [first] = problems;
  if (first !== undefined) throw new DomainError('VALIDATION_FAILED', first.message, problems);
  return { ...unionOf(found), revision: found.reduce((sum, { state }) => sum + state.revision, 0) };
}

/** The definition with the dates of its calendars: those it had, where it names the same ones as before. */
export async function withDates<Definition extends ScheduleDefinition>(
  calendars: CalendarRepository,
  definition: Definition,
  before: ScheduleDefinition | null,
): Promise<Definition> {
  const policy = definition.calendars;
  if (policy === null) return { ...definition, excluded: null };
  const isSame = before !== null && before.excluded !== null && sameJson(policy, before.calendars);
  return { ...definition, excluded: isSame ? before.excluded : await datesOf(calendars, policy) };
}
