import { and, eq, ilike, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import type { TenantId } from '../../domain/ids.ts';
import type { ScheduleFilter } from '../../domain/ports/schedule-repository.ts';
import { schedules, timers } from '../db/schema.ts';

/** The hot row of a schedule's timer. */
export const timerOfSchedule = and(eq(timers.scheduleId, schedules.id), eq(timers.tenantId, schedules.tenantId));

/** The tenant's living schedules. */
export function isLiving(tenantId: TenantId): SQL | undefined {
  return and(eq(schedules.tenantId, tenantId), isNull(schedules.deletedAt));
}

/** The part of a filter that indexes find: schedules_organization, schedules_stopped, timers_due. Undefined where there is none. */
export function isIndexed({ organizationId, state, dueBefore }: ScheduleFilter): SQL | undefined {
  return and(
    organizationId === null ? undefined : eq(schedules.organizationId, organizationId),
    state === undefined || state === 'ACTIVE' ? undefined : eq(schedules.state, state),
    dueBefore === undefined ? undefined : lt(timers.nextDue, dueBefore),
  );
}

/** All that a filter asks of schedules joined with their timers; undefined where it asks nothing. */
export function passes(filter: ScheduleFilter): SQL | undefined {
  const { state, label, q, targetKind, triggerType } = filter;
  const part = q === undefined ? '' : `%${q.replace(/[\\%_]/g, '\\$&')}%`;
  return and(
    isIndexed(filter),
    state === 'ACTIVE' ? eq(schedules.state, state) : undefined,
    // Row-level security keeps operators that are not leakproof, as @> is, from an index: one on labels would not be used.
    label === undefined
      ? undefined
      : sql`${schedules.labels} @> ${JSON.stringify({ [label.key]: label.value })}::jsonb`,
    q === undefined ? undefined : or(ilike(schedules.name, part), ilike(schedules.key, part)),
    targetKind === undefined ? undefined : sql`${schedules.target}->>'kind' = ${targetKind}`,
    triggerType === undefined ? undefined : sql`${schedules.trigger}->>'type' = ${triggerType}`,
  );
}
