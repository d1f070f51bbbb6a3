import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { JsonValue } from '../../domain/entities/json.ts';
import type { Attempt, RunCause, RunReason, RunRow, RunState } from '../../domain/entities/run.ts';
import type { Pause, ScheduleLifecycle, ScheduleScope } from '../../domain/entities/schedule.ts';
import type { ScheduleId } from '../../domain/ids.ts';
import type { IdempotentAnswer } from '../../domain/ports/idempotent-answers.ts';
import { definitionColumns, instant, instantMs, scheduleId, tenant } from './columns.ts';

/*
 * Hot and cold tables (docs/architecture.md tells why). Row-level security, grants, partitions and the functions are in
 * the hand-written part of the migrations; every table with a tenant has its policies there.
 */

export const schedules = pgTable(
  'schedules',
  {
    tenantId: tenant(),
    id: uuid('id').$type<ScheduleId>().notNull(),
    key: text('key'),
    name: text('name').notNull(),
    description: text('description'),
    labels: jsonb('labels').$type<Readonly<Record<string, string>>>().notNull(),
    scope: text('scope').$type<ScheduleScope>().notNull(),
    organizationId: text('organization_id'),
    ...definitionColumns(),
    state: text('state').$type<ScheduleLifecycle>().notNull(),
    stateReason: text('state_reason'),
    pause: jsonb('pause').$type<Pause>(),
    version: integer('version').notNull(),
    definitionVersion: integer('definition_version').notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    createdBy: text('created_by').notNull(),
    deletedAt: instant('deleted_at'),
    /** The timer while the schedule is not ACTIVE. */
    slot: instantMs('slot'),
    due: instantMs('due'),
    cursor: instantMs('cursor'),
    lastFired: instantMs('last_fired'),
    fires: bigint('fires', { mode: 'number' }).notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.id] }),
    uniqueIndex('schedules_key').on(table.tenantId, table.key).where(sql`deleted_at is null`),
    index('schedules_page').on(table.tenantId, table.createdAt, table.id).where(sql`deleted_at is null`),
    index('schedules_by_name').on(table.tenantId, table.name, table.id).where(sql`deleted_at is null`),
    // Lists of what most schedules are not: the others are in neither of these.
    index('schedules_organization')
      .on(table.tenantId, table.organizationId, table.createdAt, table.id)
      .where(sql`organization_id is not null and deleted_at is null`),
    index('schedules_stopped')
      .on(table.tenantId, table.state, table.id)
      .where(sql`state <> 'ACTIVE' and deleted_at is null`),
    // The runs of one slot, where very many share it: in the order of their schedules, also of deleted ones.
    index('schedules_of_tenant').on(table.tenantId, table.id),
    index('schedules_calendars').on(table.tenantId, table.id).where(sql`calendars is not null and deleted_at is null`),
    index('schedules_secrets')
      .on(table.tenantId, table.id)
      .where(sql`position('{{secret:' in target#>>'{http,headers}') > 0 and deleted_at is null`),
    index('schedules_suspended').on(table.tenantId, table.id).where(sql`state_reason = 'TENANT_SUSPENDED'`),
    index('schedules_deleted').on(table.tenantId, table.id).where(sql`deleted_at is not null`),
    index('schedules_removed').on(table.deletedAt).where(sql`deleted_at is not null`),
    index('schedules_auto_resume').on(sql`((pause->>'resumeAt'))`).where(sql`state = 'PAUSED' and deleted_at is null`),
  ],
);

export const scheduleVersions = pgTable(
  'schedule_versions',
  {
    tenantId: tenant(),
    scheduleId: scheduleId(),
    version: integer('version').notNull(),
    ...definitionColumns(),
    /** Null: the current one. */
    supersededAt: instant('superseded_at'),
  },
  (table) => [
    primaryKey({ columns: [table.scheduleId, table.version] }),
    index('schedule_versions_superseded').on(table.supersededAt).where(sql`superseded_at is not null`),
  ],
);

export const timers = pgTable(
  'timers',
  {
    scheduleId: scheduleId().primaryKey(),
    tenantId: tenant(),
    nextDue: instantMs('next_due').notNull(),
    slot: instantMs('slot').notNull(),
    cursor: instantMs('cursor').notNull(),
    lastFired: instantMs('last_fired'),
    fires: bigint('fires', { mode: 'number' }).notNull().default(0),
    version: integer('version').notNull(),
    /** Zone data that the slot was computed with, such as 2026c. */
    tzdata: text('tzdata'),
    /** The slot becomes no run: a person asked so. */
    skipNext: boolean('skip_next').notNull().default(false),
  },
  (table) => [index('timers_due').on(table.nextDue)],
);

export const claims = pgTable(
  'claims',
  {
    id: uuid('id').primaryKey(),
    owner: uuid('owner').notNull(),
    fence: integer('fence').notNull(),
    leaseUntil: instant('lease_until').notNull(),
    recoveries: smallint('recoveries').notNull().default(0),
    scheduleIds: uuid('schedule_ids').array().notNull(),
    slots: instant('slots').array().notNull(),
    spaces: integer('spaces').array().notNull(),
    versions: integer('versions').array().notNull(),
  },
  (table) => [index('claims_lease').on(table.leaseUntil)],
);

/** Partitioned by day of the slot (hand-written part of the migration). */
export const runs = pgTable(
  'runs',
  {
    scheduleId: scheduleId(),
    slot: instantMs('slot').notNull(),
    space: integer('space').notNull(),
    tenantId: tenant(),
    version: integer('version').notNull(),
    state: text('state').$type<RunState>().notNull(),
    reason: text('reason').$type<RunReason>(),
    cause: text('cause').$type<RunCause>().notNull(),
    range: jsonb('range').$type<RunRow['range']>(),
    attempts: jsonb('attempts').$type<readonly Attempt[]>().notNull().default([]),
    /** Of the one attempt of a run whose attempts the row leaves untold. */
    httpStatus: smallint('http_status'),
    payload: jsonb('payload').$type<JsonValue>(),
    due: instant('due').notNull(),
    startedAt: instant('started_at'),
    endedAt: instant('ended_at'),
    nextAttemptAt: instant('next_attempt_at'),
    claimId: uuid('claim_id'),
  },
  (table) => [
    primaryKey({ columns: [table.scheduleId, table.slot, table.space] }),
    index('runs_page').on(table.tenantId, table.slot),
    index('runs_dead').on(table.tenantId, table.slot).where(sql`state = 'DEAD'`),
    // Lists of what nearly all runs are not: a slot that succeeds is in neither of these.
    index('runs_by_state').on(table.tenantId, table.state, table.slot).where(sql`state not in ('SUCCEEDED', 'DEAD')`),
    index('runs_by_cause').on(table.tenantId, table.cause, table.slot).where(sql`cause <> 'SCHEDULE'`),
    /** Few rows: a run that succeeds at once is never in it. */
    index('runs_open')
      .on(table.scheduleId, table.slot, table.space)
      .where(sql`state in ('PENDING', 'RUNNING', 'RETRYING')`),
  ],
);

/** What waits for its time beside the timers: retries, manual, buffered, backfilled and redriven runs. */
export const retries = pgTable(
  'retries',
  {
    scheduleId: scheduleId(),
    slot: instantMs('slot').notNull(),
    space: integer('space').notNull(),
    tenantId: tenant(),
    version: integer('version').notNull(),
    lane: smallint('lane').notNull(),
    nextDue: instantMs('next_due').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.scheduleId, table.slot, table.space] }),
    index('retries_due').on(table.nextDue),
    index('retries_lane_due').on(table.lane, table.nextDue),
  ],
);

/** A stretch of slots to run after the fact, emitted in chunks from its cursor. */
export const backfills = pgTable(
  'backfills',
  {
    id: uuid('id').primaryKey(),
    tenantId: tenant(),
    scheduleId: scheduleId(),
    version: integer('version').notNull(),
    /** No slot at or before it is left to emit. */
    cursor: instantMs('cursor').notNull(),
    until: instantMs('until').notNull(),
    remaining: integer('remaining').notNull(),
    createdAt: instant('created_at').notNull(),
    createdBy: text('created_by').notNull(),
  },
  (table) => [index('backfills_age').on(table.createdAt), index('backfills_schedule').on(table.scheduleId)],
);

export const nodes = pgTable('nodes', {
  id: uuid('id').primaryKey(),
  build: text('build').notNull(),
  tzdata: text('tzdata').notNull(),
  roles: text('roles').array().notNull(),
  commands: text('commands').array().notNull(),
  heartbeat: instant('heartbeat').notNull(),
});

export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    tenantId: tenant(),
    key: text('key').notNull(),
    requestHash: text('request_hash').notNull(),
    /** What the request made, where it made one schedule; else its answer. */
    scheduleId: uuid('schedule_id').$type<ScheduleId>(),
    answer: jsonb('answer').$type<IdempotentAnswer>(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.key] }), index('idempotency_keys_age').on(table.createdAt)],
);
