import { customType, integer, jsonb, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { CalendarPolicy, ExcludedDates, MisfirePolicy, OverlapPolicy } from '../../domain/entities/definition.ts';
import type { JsonValue } from '../../domain/entities/json.ts';
import type { Target } from '../../domain/entities/target.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { RetryPolicy } from '../../domain/time/backoff.ts';
import type { DstPolicy, Trigger } from '../../domain/time/trigger.ts';

/* The kinds of columns that several tables have. */

export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });
export const tenant = () => text('tenant_id').$type<TenantId>().notNull();
export const scheduleId = () => uuid('schedule_id').$type<ScheduleId>().notNull();
/** Postgres `timestamptz` that may be `infinity`, as epoch milliseconds. */
export const instantMs = customType<{ data: number; driverData: string }>({
  dataType: () => 'timestamp (3) with time zone',
  fromDriver: (value) => (value === 'infinity' ? Number.POSITIVE_INFINITY : Date.parse(value)),
  toDriver: (value) => (value === Number.POSITIVE_INFINITY ? 'infinity' : new Date(value).toISOString()),
});

/** What one version fixes: the same columns in `schedules` (the current one) and `schedule_versions` (each one). */
export const definitionColumns = () => ({
  tz: text('tz').notNull(),
  trigger: jsonb('trigger').$type<Trigger>().notNull(),
  target: jsonb('target').$type<Target>().notNull(),
  payload: jsonb('payload').$type<JsonValue>(),
  startAt: instant('start_at'),
  endAt: instant('end_at'),
  maxFires: integer('max_fires'),
  jitter: text('jitter'),
  dst: jsonb('dst').$type<DstPolicy>().notNull(),
  calendars: jsonb('calendars').$type<CalendarPolicy>(),
  excluded: jsonb('excluded').$type<ExcludedDates>(),
  overlapPolicy: text('overlap_policy').$type<OverlapPolicy>().notNull(),
  misfire: jsonb('misfire').$type<MisfirePolicy>().notNull(),
  retry: jsonb('retry').$type<RetryPolicy>().notNull(),
  timeoutSec: integer('timeout_sec').notNull(),
  pauseOnFailures: integer('pause_on_failures'),
  onCompletion: text('on_completion').$type<'KEEP' | 'DELETE'>().notNull(),
});
