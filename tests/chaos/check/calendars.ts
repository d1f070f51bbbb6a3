import type { History, Operation, RunRecord } from '../history.ts';
import { calmWithin, type Facts, nameOf, type Subject } from './facts.ts';

/* Slots follow the dates of their calendar: those of the version that made their record, and soon after a change the new ones. */

/** Upkeep looks every ten seconds. */
const TAKEN_OVER_MS = 15_000;

/** Fired on an excluded date, or passed over on another. */
export function misdated(facts: Facts): readonly string[] {
  const { history } = facts;
  const tenants = new Map(history.plans.map(({ index, tenant }) => [index, tenant]));
  const changes = Map.groupBy(
    history.operations.filter(({ kind, outcome }) => kind === 'calendar' && outcome !== 'refused'),
    ({ plan }) => tenants.get(plan),
  );
  return facts.subjects
    .filter(({ plan }) => plan.calendar !== null)
    .flatMap((subject) => {
      const ofTenant = changes.get(subject.plan.tenant) ?? [];
      return subject.slots.flatMap((run) => {
        const problem = whyMisdated(facts, subject, run, ofTenant);
        return problem === null ? [] : [nameOf(run, problem)];
      });
    });
}

function whyMisdated(
  { history, holds }: Facts,
  { schedule }: Subject,
  run: RunRecord,
  changes: readonly Operation[],
): string | null {
  const version = history.versions[schedule.id]?.find(({ number }) => number === run.version);
  if (version === undefined) return `of version ${run.version}, which there is none`;
  const isPassedOver = run.reason === 'CALENDAR';
  if (isPassedOver !== version.isShut)
    return `${run.state} ${run.reason}, of a version that ${version.isShut ? 'excludes' : 'does not exclude'} its date`;
  const decidedAt =
    run.state === 'SKIPPED' ? run.endedAt : run.cause === 'SCHEDULE' ? holds.get(run.id)?.[0]?.at : null;
  if (decidedAt === null || decidedAt === undefined) return null;
  const possible = statesAt(history, changes, decidedAt);
  return possible.has(version.isShut) ? null : `by dates that its calendar had not had for ${TAKEN_OVER_MS} ms`;
}

/** What the calendar said, or had said not long before: a change counts at the latest when it was acknowledged and taken over. */
function statesAt(history: History, changes: readonly Operation[], at: number): ReadonlySet<boolean | undefined> {
  const isOutdated = (change: Operation): boolean =>
    changes.some(
      (later) =>
        later.outcome === 'ok' && later.at > change.until && calmWithin(history, later.until, at) > TAKEN_OVER_MS,
    );
  return new Set(changes.filter((change) => change.at <= at && !isOutdated(change)).map(({ isShut }) => isShut));
}
