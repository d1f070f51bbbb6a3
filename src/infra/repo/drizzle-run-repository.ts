import { and, eq, exists, inArray, type SQL, sql } from 'drizzle-orm';
import { crashPoint } from '#crash-point';
import { OPEN_STATES, type RunRow } from '../../domain/entities/run.ts';
import type { RunKey, TenantId } from '../../domain/ids.ts';
import type { CancelledRun, Lane, RunQuery, RunRepository } from '../../domain/ports/run-repository.ts';
import type { Page } from '../../domain/ports/schedule-repository.ts';
import { pipelined, type Transaction } from '../db/client.ts';
import { retries, runs, schedules } from '../db/schema.ts';
import { walkRuns } from './run-walk.ts';
import { instantOf } from './schedule-rows.ts';
import { afterRunsEnded, lockTimers } from './terminal-transition.ts';
import { attemptsOf } from './untold-attempts.ts';

const LONGEST_PAGE = 200;

/** One tenant's runs, in one transaction. Touches timers first, then retries, runs, schedules. */
export class DrizzleRunRepository implements RunRepository {
  readonly #tx: Transaction;
  readonly #tenantId: TenantId;

  constructor(tx: Transaction, tenantId: TenantId) {
    this.#tx = tx;
    this.#tenantId = tenantId;
  }

  async find(key: RunKey, organizationId: string | null): Promise<RunRow | null> {
    // runs by primary key
    const select = this.#tx.select({ run: runs }).from(runs).$dynamic();
    if (organizationId !== null) select.innerJoin(schedules, ofOrganization(organizationId));
    const [found] = await select.where(this.#run(key)).prepare('find_run').execute();
    return found === undefined ? null : runOf(found.run);
  }

  async claimedVersion({ scheduleId, slot, space }: RunKey): Promise<number | null> {
    const [found] = await this.#tx.execute<{ version: number | null }>(
      sql`select claimed_version(${scheduleId}, ${instantOf(slot)}, ${space}) as version`,
    );
    return found?.version ?? null;
  }

  async page(query: RunQuery): Promise<Page<RunRow, RunKey>> {
    const limit = Math.min(query.limit, LONGEST_PAGE);
    const { rows, end } = await walkRuns(this.#tx, this.#tenantId, { ...query, limit: limit + 1 });
    const items = rows.slice(0, limit).map(runOf);
    const last = items.at(-1);
    if (rows.length <= limit || last === undefined) return { items, next: end, total: null };
    return { items, next: { scheduleId: last.scheduleId, slot: last.slot, space: last.space }, total: null };
  }

  async enqueue(run: RunRow, lane: Lane): Promise<void> {
    const { scheduleId, slot, space, tenantId, version } = run;
    crashPoint('trigger.before-write');
    await pipelined([
      this.#tx
        .insert(retries)
        .values({ scheduleId, slot, space, tenantId, version, lane, nextDue: run.due.getTime() })
        .prepare('insert_waiting')
        .execute(),
      this.#tx
        .insert(runs)
        .values({ ...run, payload: run.payload ?? null })
        .prepare('insert_run')
        .execute(),
    ]);
    crashPoint('trigger.after-write');
  }

  async retryNow(key: RunKey, lane: Lane, now: number): Promise<RunRow | null> {
    const nextAttemptAt = new Date(now);
    const isRetrying = exists(
      this.#tx
        .select({ one: sql`1` })
        .from(runs)
        .where(and(this.#run(key), eq(runs.state, 'RETRYING'))),
    );
    const waiting = await this.#tx
      .update(retries)
      .set({ nextDue: now })
      .where(and(this.#waiting(key), isRetrying))
      .returning({ lane: retries.lane });
    if (waiting.length > 0) return this.#update(key, eq(runs.state, 'RETRYING'), { reason: null, nextAttemptAt });
    const revived = await this.#update(key, eq(runs.state, 'DEAD'), {
      state: 'PENDING',
      reason: null,
      endedAt: null,
      nextAttemptAt,
    });
    if (revived === null) return null;
    const { scheduleId, slot, space, tenantId, version } = revived;
    await this.#tx.insert(retries).values({ scheduleId, slot, space, tenantId, version, lane, nextDue: now });
    return revived;
  }

  async cancel(run: RunRow, reason: 'BY_USER' | 'OVERLAP' | 'DELETED', now: number): Promise<CancelledRun | null> {
    const end = { state: 'CANCELLED', reason, endedAt: new Date(now), nextAttemptAt: null } as const;
    // Before the run, as claim and settlement do: opposite orders deadlock.
    await lockTimers(this.#tx, [run.scheduleId]);
    crashPoint('cancel.before-write');
    await this.#tx.delete(retries).where(this.#waiting(run));
    const [cancelled] = await this.#tx
      .insert(runs)
      .values({ ...run, payload: run.payload ?? null, ...end })
      .onConflictDoUpdate({
        target: [runs.scheduleId, runs.slot, runs.space],
        set: { ...end, claimId: null },
        setWhere: inArray(runs.state, OPEN_STATES),
      })
      .returning();
    if (cancelled === undefined) return null;
    crashPoint('cancel.after-write');
    const { scheduleId, slot, space } = cancelled;
    const aftermath = await afterRunsEnded(this.#tx, [
      { scheduleId, slot, space, state: 'CANCELLED', reason, endedAt: now },
    ]);
    crashPoint('cancel.before-commit');
    return { run: runOf(cancelled), ...aftermath };
  }

  #run({ scheduleId, slot, space }: RunKey): SQL | undefined {
    return and(
      eq(runs.tenantId, this.#tenantId),
      eq(runs.scheduleId, scheduleId),
      eq(runs.slot, slot),
      eq(runs.space, space),
    );
  }

  #waiting({ scheduleId, slot, space }: RunKey): SQL | undefined {
    return and(
      eq(retries.tenantId, this.#tenantId),
      eq(retries.scheduleId, scheduleId),
      eq(retries.slot, slot),
      eq(retries.space, space),
    );
  }

  async #update(key: RunKey, when: SQL, change: Partial<typeof runs.$inferInsert>): Promise<RunRow | null> {
    const [updated] = await this.#tx
      .update(runs)
      .set(change)
      .where(and(this.#run(key), when))
      .returning();
    return updated === undefined ? null : runOf(updated);
  }
}

/** A deleted schedule's row stays, so its runs keep their organization. */
function ofOrganization(organizationId: string): SQL | undefined {
  return and(
    eq(schedules.id, runs.scheduleId),
    eq(schedules.tenantId, runs.tenantId),
    eq(schedules.organizationId, organizationId),
  );
}

function runOf({ claimId, payload, httpStatus, ...run }: typeof runs.$inferSelect): RunRow {
  return { ...run, attempts: attemptsOf({ ...run, httpStatus }), payload: payload ?? undefined };
}
