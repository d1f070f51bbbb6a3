import { DomainError, type FieldProblem } from '../errors.ts';
import { SYSTEM_TENANT, type TenantId } from '../ids.ts';
import { durationMs } from '../time/duration.ts';
import type { ScheduleDefinition } from './definition.ts';
import type { ScheduleScope } from './schedule.ts';

const MAX_JITTER_MS = 24 * 60 * 60 * 1000;

/** Whose a schedule is. */
export interface Ownership {
  readonly tenantId: TenantId;
  readonly scope: ScheduleScope;
  readonly organizationId: string | null;
}

/** What must hold between the fields of a definition. Throws VALIDATION_FAILED with every problem. */
export function checkDefinition(definition: ScheduleDefinition): void {
  refuseFor([...windowProblems(definition), ...policyProblems(definition)]);
}

/** SYSTEM stays in its tenant, ORGANIZATION names one, the others name none. Throws VALIDATION_FAILED with every problem. */
export function checkOwnership(owner: Ownership): void {
  const { scope, organizationId, tenantId } = owner;
  const problems: FieldProblem[] = [];
  if (scope === 'SYSTEM' && tenantId !== SYSTEM_TENANT)
    problems.push({ path: 'scope', message: `SYSTEM schedules live in the tenant "${SYSTEM_TENANT}"` });
  if (scope === 'ORGANIZATION' && organizationId === null)
    problems.push({ path: 'organizationId', message: 'must be given with scope ORGANIZATION' });
  if (scope !== 'ORGANIZATION' && organizationId !== null)
    problems.push({ path: 'organizationId', message: 'goes with scope ORGANIZATION' });
  refuseFor(problems);
}

function windowProblems({ startAt, endAt, trigger }: ScheduleDefinition): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (startAt !== null && endAt !== null && endAt <= startAt)
    problems.push({ path: 'endAt', message: 'must lie after startAt' });
  if (startAt !== null && trigger.type === 'ONE_SHOT')
    problems.push({ path: 'startAt', message: 'stands in the trigger of a ONE_SHOT schedule' });
  return problems;
}

function policyProblems({ jitter, retry, misfire, calendars, trigger }: ScheduleDefinition): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const jitterMs = jitter === null ? 0 : durationMs(jitter);
  if (jitterMs === null || jitterMs > MAX_JITTER_MS)
    problems.push({ path: 'jitter', message: 'must be an ISO 8601 duration of at most 24 hours' });
  // The end of a run decides when the next slot of a chain is: there is nothing to put ahead of it.
  if (trigger.type === 'FIXED_DELAY' && calendars !== null && /PRECEDING|MODIFIED/.test(calendars.onExcluded))
    problems.push({ path: 'calendars.onExcluded', message: 'is SKIP or FOLLOWING with a FIXED_DELAY trigger' });
  if (retry.maxDelaySec < retry.initialDelaySec)
    problems.push({ path: 'retry.maxDelaySec', message: 'must not be less than initialDelaySec' });
  if (misfire.windowSec < misfire.thresholdSec)
    problems.push({ path: 'misfire.windowSec', message: 'must not be less than thresholdSec' });
  return problems;
}

function refuseFor(problems: readonly FieldProblem[]): void {
  if (problems.length > 0) throw new DomainError('VALIDATION_FAILED', 'the schedule contradicts itself', problems);
}

/** True when the end of a run may move the timer or the schedule: a chain, a buffer, or a trigger that ends. */
export function endOfRunMatters({
  trigger,
  endAt,
  maxFires,
  overlapPolicy,
  pauseOnFailures,
  calendars,
}: ScheduleDefinition): boolean {
  if (endAt !== null || maxFires !== null || pauseOnFailures !== null) return true;
  if (overlapPolicy === 'BUFFER_ONE' || overlapPolicy === 'BUFFER_ALL') return true;
  // Slots that are moved to one date wait for one another: see `ScheduleVersion.fire`.
  if (calendars !== null && calendars.onExcluded !== 'SKIP') return true;
  switch (trigger.type) {
    case 'CRON':
      return false;
    case 'INTERVAL':
      return trigger.repeat !== undefined;
    case 'RRULE':
      return /COUNT|UNTIL/i.test(trigger.rrule) || !/FREQ/i.test(trigger.rrule);
    case 'FIXED_DELAY':
    case 'ONE_SHOT':
      return true;
  }
}
