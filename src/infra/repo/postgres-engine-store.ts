import { crashPoint } from '#crash-point';
import type { FireDecision } from '../../domain/entities/timer.ts';
import type { RunKey } from '../../domain/ids.ts';
import type {
  Claimant,
  ClaimedRuns,
  DueSlot,
  EngineStore,
  FiredBatch,
  Lease,
  RecoveredClaims,
  SettledRun,
  SettledRuns,
} from '../../domain/ports/engine-store.ts';
import { isUniqueViolation } from '../db/database-errors.ts';
import type { EnginePool } from '../db/engine-pool.ts';
import { claimDue } from './claim-due.ts';
import { claimWaiting } from './claim-waiting.ts';
import { ClaimWatermark } from './claim-watermark.ts';
import { arrayLiteral, type EngineSql, executorOf, ofActiveTenant } from './engine-rows.ts';
import { FireQuotas } from './fire-quotas.ts';
import { type RecoveryRequest, recoverClaims } from './recover-claims.ts';
import type { ScheduleVersionCache } from './schedule-version-cache.ts';
import { insertRunning, settleRuns } from './settle-runs.ts';
import { applyEnds, type EndedRun, lockTimers, schedulesOf } from './terminal-transition.ts';
import { writeFired } from './write-fired.ts';

/** The engine's statements on PostgreSQL, across tenants. */
export class PostgresEngineStore implements EngineStore {
  readonly #pool: EnginePool;
  readonly #versions: ScheduleVersionCache;
  readonly #watermark: ClaimWatermark;
  readonly #quotas: FireQuotas;

  /** `firesPerMinute`: of tenants that were granted nothing else; null: no limit. */
  constructor(
    pool: EnginePool,
    versions: ScheduleVersionCache,
    monotonic: () => number,
    firesPerMinute: number | null = null,
  ) {
    this.#pool = pool;
    this.#versions = versions;
    this.#watermark = new ClaimWatermark(monotonic);
    this.#quotas = new FireQuotas(firesPerMinute, monotonic);
  }

  async fireDue(
    limit: number,
    claimant: Claimant,
    decide: (due: readonly DueSlot[], now: number) => readonly FireDecision[],
  ): Promise<FiredBatch> {
    const turn = this.#watermark.begin();
    const { low } = turn;
    try {
      const batch = await this.#pool.transaction(async (sql): Promise<FiredBatch> => {
        crashPoint('claim.before-lock');
        const { now, due } = await claimDue(sql, { limit, low }, this.#versions);
        if (now === null) return { ...(await nextDue(sql, 'timers', low)), due: [], decisions: [], over: [] };
        crashPoint('claim.after-lock');
        const decisions = await this.#quotas.enforce(sql, due, decide(due, now));
        const decided = due.map((slot, index) => ({ slot, decision: decisionAt(decisions, index) }));
        const [over, next] = await Promise.all([writeFired(sql, decided, claimant), nextDue(sql, 'timers', low)]);
        crashPoint('claim.after-write');
        return { ...next, now, due, decisions, over };
      });
      const mayBeBelow = this.#watermark.end(turn, batch.due.at(-1)?.timer.due ?? null, writtenBack(batch));
      return mayBeBelow ? { ...batch, isBehind: true } : batch;
    } catch (error) {
      this.#watermark.giveUp(turn);
      throw error;
    }
  }

  async claimWaiting(limit: number, claimant: Claimant): Promise<ClaimedRuns> {
    return this.#pool.transaction(async (sql) => {
      crashPoint('retry.before-lock');
      const runs = await claimWaiting(sql, limit, claimant, this.#versions);
      if (runs.length > 0) crashPoint('retry.after-write');
      return { runs, ...(await nextDue(sql, 'retries', 0)) };
    });
  }

  async settle(settled: readonly SettledRun[], closed: readonly Lease[]): Promise<SettledRuns> {
    const mattering = settled.filter((run) => run.endMatters && run.state !== 'RETRYING');
    if (mattering.length === 0) {
      const stale = await this.#settleAlone(settled, closed);
      return { stale, nextDue: Number.POSITIVE_INFINITY, over: [] };
    }
    const ends = mattering.map(endedRun);
    return this.#pool.transaction(async (sql) => {
      const tx = executorOf(sql);
      const [timers, stale] = await Promise.all([lockTimers(tx, schedulesOf(ends)), settleRuns(sql, settled, closed)]);
      const lost = new Set(stale.map(nameOf));
      const written = ends.filter((run) => !lost.has(nameOf(run)));
      crashPoint('settle.after-write');
      const aftermath = await applyEnds(tx, timers, written);
      crashPoint('settle.before-commit');
      return { stale, ...aftermath };
    });
  }

  async showRunning(running: readonly SettledRun[]): Promise<void> {
    await this.#pool.query((sql) => insertRunning(sql, running));
  }

  async renew(leases: readonly Lease[], leaseMs: number): Promise<ReadonlySet<string>> {
    const rows = await this.#pool.query(
      (sql) => sql<{ id: string }[]>`
        /* claims by primary key, locked in the order of their ids as everywhere */
        with held as materialized (
          select c.id from claims c
          join unnest(${arrayLiteral(leases.map((lease) => lease.claimId))}::text::uuid[], ${arrayLiteral(leases.map((lease) => lease.fence))}::text::int[])
            as u(id, fence) on c.id = u.id and c.fence = u.fence
          order by c.id for update of c
        )
        update claims c set lease_until = now() + ${leaseMs}::float8 * interval '1 millisecond' from held h where c.id = h.id
        returning c.id`,
    );
    return new Set(rows.map((row) => row.id));
  }

  async endedElsewhere(keys: readonly RunKey[]): Promise<readonly RunKey[]> {
    const rows = await this.#pool.query(
      (sql) => sql<{ s: RunKey['scheduleId']; t: number; p: number }[]>`
        /* runs by primary key */
        select k.s, k.t, k.p
        from unnest(${arrayLiteral(keys.map((key) => key.scheduleId))}::text::uuid[], ${arrayLiteral(keys.map((key) => key.slot))}::text::float8[],
                    ${arrayLiteral(keys.map((key) => key.space))}::text::int[]) as k(s, t, p)
        join runs r on r.schedule_id = k.s and r.slot = to_timestamp(k.t / 1000) and r.space = k.p
        where r.state in ('SUCCEEDED', 'CANCELLED', 'DEAD')`,
    );
    return rows.map((row) => ({ scheduleId: row.s, slot: Math.round(row.t), space: row.p }));
  }

  async recover(claimant: Claimant, request: RecoveryRequest): Promise<RecoveredClaims> {
    return this.#pool.transaction((sql) => recoverClaims(sql, claimant, request, this.#versions));
  }

  /** In one statement, no end of a run matters to its schedule. */
  async #settleAlone(settled: readonly SettledRun[], closed: readonly Lease[]): Promise<readonly RunKey[]> {
    if (settled.every((run) => !run.hasRow)) {
      try {
        return await this.#pool.query((sql) => settleRuns(sql, settled, closed, 'NONE'));
      } catch (error) {
        // Somebody has written one meanwhile: a cancel, or this very statement, whose answer was lost.
        if (!isUniqueViolation(error)) throw error;
      }
    }
    return this.#pool.query((sql) => settleRuns(sql, settled, closed));
  }
}

/** The database's time; the earliest due time after the transaction's start; whether earlier ones are held elsewhere or were left over. */
async function nextDue(
  sql: EngineSql,
  table: 'timers' | 'retries',
  low: number,
): Promise<{ readonly now: number; readonly nextDue: number; readonly isBehind: boolean }> {
  const [row] = await sql<{ now: number; due: number | null; behind: boolean }[]>`
    /* index timers_due or retries_due */
    select date_part('epoch', clock_timestamp()) * 1000 as now,
           (select date_part('epoch', next_due) * 1000 from ${sql(table)} where next_due > now() order by next_due limit 1) as due,
           exists (select from ${sql(table)} where next_due <= now() and next_due >= to_timestamp(${low}::float8 / 1000) and ${ofActiveTenant(sql)}) as behind`;
  return { now: row?.now ?? 0, nextDue: row?.due ?? Number.POSITIVE_INFINITY, isBehind: row?.behind ?? false };
}

function writtenBack({ decisions }: FiredBatch): readonly number[] {
  return decisions.flatMap(({ next }) => (typeof next === 'object' && 'due' in next ? [next.due] : []));
}

function decisionAt(decisions: readonly FireDecision[], index: number): FireDecision {
  const decision = decisions[index];
  if (decision === undefined) throw new Error('a due slot was left undecided');
  return decision;
}

function endedRun(run: SettledRun): EndedRun {
  const state = run.state === 'SUCCEEDED' || run.state === 'CANCELLED' ? run.state : 'DEAD';
  return { ...run.key, state, reason: run.reason, endedAt: run.endedAt };
}

function nameOf(key: RunKey): string {
  return `${key.scheduleId}.${key.slot}.${key.space}`;
}
