import { type Act, ScheduleEntity, type ScheduleInput } from '../../../src/domain/entities/schedule.ts';
import type { ScheduleVersion } from '../../../src/domain/entities/schedule-version.ts';
import { asScheduleId, asTenantId, type ScheduleId, type TenantId } from '../../../src/domain/ids.ts';
import { scheduleInput } from '../../support/scheduling.ts';

/** Monday 2 March 2026, 10:00:00 UTC. */
export const TEN = Date.UTC(2026, 2, 2, 10);
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const ID = brandedScheduleId('01956000-0000-7000-8000-000000000001');
export const TENANT = brandedTenantId('acme');

export const HOURLY = { type: 'CRON', cron: '0 * * * *' } as const;

/** Somebody, at `now`. */
export function actAt(now: number): Act {
  return { by: 'ada', now };
}

/** A schedule made a minute before ten, every full hour unless told otherwise. */
export function createdAt(now: number, given: Partial<ScheduleInput> = {}): ScheduleEntity {
  return ScheduleEntity.create(scheduleInput({ trigger: HOURLY, ...given }), { id: ID, tenantId: TENANT }, actAt(now));
}

/** The first version of such a schedule. */
export function versionOf(given: Partial<ScheduleInput> = {}): ScheduleVersion {
  return createdAt(TEN - MINUTE, given).currentVersion;
}

/** RFC 3339 without its zeroes, as tests compare instants. */
export function at(instant: number | null | undefined): string | null {
  if (instant === null || instant === undefined) return null;
  return instant === Number.POSITIVE_INFINITY ? 'never' : new Date(instant).toISOString().replace('.000Z', 'Z');
}

/** The code of the DomainError that `act` throws; null when it throws nothing. */
export function codeOf(act: () => unknown): unknown {
  try {
    act();
    return null;
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
}

function brandedScheduleId(text: string): ScheduleId {
  const id = asScheduleId(text);
  if (id === null) throw new Error(`${text} is no id`);
  return id;
}

function brandedTenantId(text: string): TenantId {
  const id = asTenantId(text);
  if (id === null) throw new Error(`${text} is no tenant`);
  return id;
}
