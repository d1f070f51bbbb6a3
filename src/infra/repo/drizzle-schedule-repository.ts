import { and, eq, gt, isNull, lte, sql } from 'drizzle-orm';
import { crashPoint } from '#crash-point';
import type { Address } from '../../domain/entities/bulk.ts';
import type { ScheduleEntity } from '../../domain/entities/schedule.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import { neverReached } from '../../domain/never.ts';
import type {
  ListPosition,
  Page,
  SavedSchedule,
  ScheduleQuery,
  ScheduleRepository,
} from '../../domain/ports/schedule-repository.ts';
import { keyTaken } from '../../domain/services/schedule-drafts.ts';
import { pipelined, type Transaction } from '../db/client.ts';
import { isUniqueViolation, LostRace } from '../db/database-errors.ts';
import { idempotencyKeys, nodes, schedules, scheduleVersions, timers } from '../db/schema.ts';
import { removeAll, saveAll } from './bulk-changes.ts';
import { findAllForChange, insertAll } from './bulk-schedules.ts';
import { findSchedule } from './find-schedule.ts';
import { insertRow } from './insert-row.ts';
import { recordPassed } from './passed-slots.ts';
import { schedulePage } from './schedule-page.ts';
import { changedMeanwhile, entityOf, scheduleRow, timerRow, versionRow } from './schedule-rows.ts';
import type { SentWrites } from './sent-writes.ts';
import { isRedefined, type TimerChange, timerChangeOf } from './timer-change.ts';
import { withWaitedRuns } from './waited-runs.ts';

const A_DAY = sql`interval '24 hours'`;
/** A node that has not been heard of for this long is not counted on. */
const FRESH = sql`interval '30 seconds'`;

/** One tenant's living schedules, in one transaction. Locks timers first, then schedules, then what waits and its runs, as a claim does. */
export class DrizzleScheduleRepository implements ScheduleRepository {
  readonly #tx: Transaction;
  readonly #tenantId: TenantId;
  readonly #writes: SentWrites;
  /** What was asked in this transaction: a bulk names the same few again and again. */
  readonly #commands = new Map<string, Promise<boolean>>();

  constructor(tx: Transaction, tenantId: TenantId, writes: SentWrites) {
    this.#tx = tx;
    this.#tenantId = tenantId;
    this.#writes = writes;
  }

  async find(id: ScheduleId): Promise<ScheduleEntity | null> {
    const [row] = await findSchedule(this.#tx, { tenantId: this.#tenantId, id });
    return row === undefined ? null : entityOf(row);
  }

  async findForChange(by: Address): Promise<ScheduleEntity | null> {
    const id = 'id' in by ? by.id : await this.#idOf(by.key);
    if (id === null) return null;
    const [timer, [schedule]] = await pipelined([this.#lockTimer(id), this.#lockSchedule(id)]);
    if (schedule === undefined || ('key' in by && schedule.key !== by.key)) return null;
    if (schedule.state !== 'ACTIVE') {
      const [stopped] = await withWaitedRuns(this.#tx, [entityOf({ schedule, timer: null })]);
      return stopped ?? null;
    }
    // A resume committed while we waited for the schedule. Its timer is there now, and timers are locked first.
    if (timer === null && (await this.#hasTimer(id))) throw new LostRace('the schedule was resumed meanwhile');
    return entityOf({ schedule, timer });
  }

  findAllForChange(addresses: readonly Address[]): Promise<readonly (ScheduleEntity | null)[]> {
    return findAllForChange(this.#tx, this.#tenantId, addresses);
  }

  page(query: ScheduleQuery): Promise<Page<ScheduleEntity, ListPosition>> {
    return schedulePage(this.#tx, this.#tenantId, query);
  }

  insert(entity: ScheduleEntity): void {
    crashPoint('create.before-write');
    const inserted = insertRow(this.#tx, schedules, scheduleRow(entity));
    this.#writes.add(inserted.catch((error: unknown) => Promise.reject(keyTakenOr(error, entity))));
    this.#writes.add(this.#insertVersion(entity));
    if (entity.isActive) this.#writes.add(insertRow(this.#tx, timers, timerRow(entity, true)));
    crashPoint('create.before-commit');
  }

  insertAll(entities: readonly ScheduleEntity[]): Promise<ReadonlySet<ScheduleId>> {
    return insertAll(this.#tx, entities);
  }

  async save(entity: ScheduleEntity, before: ScheduleEntity): Promise<void> {
    crashPoint('change.before-write');
    await this.#changeTimer(entity.state.id, timerChangeOf({ before, after: entity }));
    crashPoint('change.after-timer');
    await this.#update(entity, before.state.version);
    if (isRedefined({ before, after: entity }))
      await pipelined([this.#insertVersion(entity), this.#supersede(before, entity.state.updatedAt)]);
    if (entity.passed !== null) await recordPassed(this.#tx, entity, entity.passed, entity.state.updatedAt.getTime());
    crashPoint('change.after-write');
  }

  saveAll(saved: readonly SavedSchedule[]): Promise<void> {
    return saveAll(this.#tx, this.#tenantId, saved);
  }

  removeAll(entities: readonly ScheduleEntity[], now: number): Promise<void> {
    return removeAll(this.#tx, this.#tenantId, entities, now);
  }

  knowsCommand(name: string): Promise<boolean> {
    const answer = this.#commands.get(name) ?? this.#isCommand(name);
    this.#commands.set(name, answer);
    return answer;
  }

  async #isCommand(name: string): Promise<boolean> {
    const known = await this.#tx
      .select({ id: nodes.id })
      .from(nodes)
      .where(and(gt(nodes.heartbeat, sql`now() - ${FRESH}`), sql`${name} = any(${nodes.commands})`))
      .limit(1);
    return known.length > 0;
  }

  async findIdempotent(
    key: string,
  ): Promise<{ readonly requestHash: string; readonly scheduleId: ScheduleId | null } | null> {
    const { requestHash, scheduleId, createdAt } = idempotencyKeys;
    const [found] = await this.#tx
      .select({ requestHash, scheduleId })
      .from(idempotencyKeys)
      .where(
        and(
          eq(idempotencyKeys.tenantId, this.#tenantId),
          eq(idempotencyKeys.key, key),
          gt(createdAt, sql`now() - ${A_DAY}`),
        ),
      )
      .prepare('find_idempotent')
      .execute();
    return found ?? null;
  }

  async storeIdempotent(key: string, requestHash: string, scheduleId: ScheduleId): Promise<boolean> {
    const row = { requestHash, scheduleId, createdAt: sql`now()` };
    const stored = await this.#tx
      .insert(idempotencyKeys)
      .values({ tenantId: this.#tenantId, key, ...row })
      .onConflictDoUpdate({
        target: [idempotencyKeys.tenantId, idempotencyKeys.key],
        set: row,
        setWhere: lte(idempotencyKeys.createdAt, sql`now() - ${A_DAY}`),
      })
      .returning({ key: idempotencyKeys.key })
      .prepare('store_idempotent')
      .execute();
    return stored.length > 0;
  }

  #living(id: ScheduleId) {
    return and(eq(schedules.tenantId, this.#tenantId), eq(schedules.id, id), isNull(schedules.deletedAt));
  }

  #timer(id: ScheduleId) {
    return and(eq(timers.tenantId, this.#tenantId), eq(timers.scheduleId, id));
  }

  async #idOf(key: string): Promise<ScheduleId | null> {
    // index schedules_key
    const [found] = await this.#tx
      .select({ id: schedules.id })
      .from(schedules)
      .where(and(eq(schedules.tenantId, this.#tenantId), eq(schedules.key, key), isNull(schedules.deletedAt)))
      .prepare('id_of_schedule_key')
      .execute();
    return found?.id ?? null;
  }

  async #hasTimer(id: ScheduleId): Promise<boolean> {
    return (await this.#tx.$count(timers, this.#timer(id))) > 0;
  }

  async #lockTimer(id: ScheduleId): Promise<typeof timers.$inferSelect | null> {
    const [timer] = await this.#tx
      .select()
      .from(timers)
      .where(this.#timer(id))
      .for('update')
      .prepare('lock_timer')
      .execute();
    return timer ?? null;
  }

  #lockSchedule(id: ScheduleId): Promise<(typeof schedules.$inferSelect)[]> {
    return this.#tx.select().from(schedules).where(this.#living(id)).for('update').prepare('lock_schedule').execute();
  }

  async #changeTimer(id: ScheduleId, change: TimerChange): Promise<void> {
    switch (change.kind) {
      case 'unchanged':
        return;
      case 'removed':
        return this.#deleteTimer(id);
      case 'inserted':
        return insertRow(this.#tx, timers, change.row);
      case 'moved':
        return this.#saveTimer(id, change.row);
      case 'reversioned':
        return this.#saveTimer(id, { version: change.version });
      default:
        neverReached(change);
    }
  }

  async #saveTimer(id: ScheduleId, values: Partial<typeof timers.$inferInsert>): Promise<void> {
    await this.#tx.update(timers).set(values).where(this.#timer(id)).prepare('save_timer').execute();
  }

  async #update(entity: ScheduleEntity, version: number): Promise<void> {
    const saving = this.#tx
      .update(schedules)
      .set(scheduleRow(entity))
      .where(and(this.#living(entity.state.id), eq(schedules.version, version)))
      .returning({ id: schedules.id })
      .prepare('save_schedule');
    const saved = await saving.execute().catch((error: unknown) => {
      throw keyTakenOr(error, entity);
    });
    if (saved.length === 0) throw changedMeanwhile();
  }

  #insertVersion(entity: ScheduleEntity): Promise<void> {
    return insertRow(this.#tx, scheduleVersions, versionRow(entity));
  }

  async #supersede({ state }: ScheduleEntity, at: Date): Promise<void> {
    const { tenantId, scheduleId, version } = scheduleVersions;
    const of = and(eq(tenantId, this.#tenantId), eq(scheduleId, state.id), eq(version, state.definitionVersion));
    await this.#tx.update(scheduleVersions).set({ supersededAt: at }).where(of);
  }

  async #deleteTimer(id: ScheduleId): Promise<void> {
    await this.#tx.delete(timers).where(this.#timer(id)).prepare('delete_timer').execute();
  }
}

/** The error of a write as the domain knows it where a living schedule has the key. */
function keyTakenOr(error: unknown, entity: ScheduleEntity): unknown {
  return isUniqueViolation(error, 'schedules_key') ? keyTaken(entity) : error;
}
