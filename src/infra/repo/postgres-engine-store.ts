import { crashPoint } from '#crash-point';
import type { FireDecision } from '../../domain/entities/timer.ts';
import type { RunKey } from '../../domain/ids.ts';
import type {
  Claimant,
  ClaimedRuns,
  DueRoom,
  DueSlot,
  EngineStore,
  FiredBatch,
  Lease,
  RecoveredClaims,
  SettledRun,
  SettledRuns,
  WaitingRoom,
} from '../../domain/ports/engine-store.ts';
import { pipelined } from '../db/client.ts';
import { isUniqueViolation } from '../db/database-errors.ts';
import type { EnginePool } from '../db/engine-pool.ts';
import { claimDue, LATE_AFTER_MS } from './claim-due.ts';
import { claimWaiting } from './claim-waiting.ts';
import { arrayLiteral, executorOf } from './engine-rows.ts';
import { FireQuotas } from './fire-quotas.ts';
import { nextSlot, nextWaiting } from './next-due.ts';
import { type RecoveryRequest, recoverClaims } from './recover-claims.ts';
import type { ScheduleVersionCache } from './schedule-version-cache.ts';
import { isPlain, settlePlainRuns } from './settle-plain-runs.ts';
import { insertRunning, settleRuns } from './settle-runs.ts';
import { applyEnds, type EndedRun, lockTimers, schedulesOf } from './terminal-transition.ts';
import { Watermarks } from './watermarks.ts';
import { writeFired } from './write-fired.ts';

/** The engine's statements on PostgreSQL, across tenants. */
export class PostgresEngineStore implements EngineStore {
  readonly #pool: EnginePool;
  readonly #versions: ScheduleVersionCache;
  readonly #quotas: FireQuotas;
  readonly #monotonic: () => number;
  readonly #marks: Watermarks;
  #isLateLeft = false;

  /** `firesPerMinute`: of tenants that were granted nothing else; null: no limit. */
  constructor(
    pool: EnginePool,
    versions: ScheduleVersionCache,
    monotonic: () => number,
    firesPerMinute: number | null = null,
  ) {
    this.#pool = pool;
    this.#versions = versions;
    this.#quotas = new FireQuotas(firesPerMinute, monotonic);
    this.#monotonic = monotonic;
    this.#marks = new Watermarks(monotonic);
  }

  async fireDue(
    room: DueRoom,
    claimant: Claimant,
    decide: (due: readonly DueSlot[], now: number) => readonly FireDecision[],
  ): Promise<FiredBatch> {
    const scan = this.#marks.begin(room.excluded);
    const began = this.#monotonic();
    try {
      const { late, ...batch } = await this.#pool.sending(async (sql) => {
        crashPoint('claim.before-lock');
        const { now, due, places, late } = await claimDue(sql, { room, scan }, this.#versions);
        if (now === null) {
          const next = nextSlot(sql, scan.low);
          return async () => ({ ...(await next), due, decisions: [], over: [], late });
        }
        crashPoint('claim.after-lock');
        const decisions = await this.#quotas.enforce(sql, due, decide(due, now));
        const decided = due.map((slot, index) => ({
          slot,
          place: places[index] ?? '',
          decision: decisionAt(decisions, index),
        }));
        const written = Promise.all([writeFired(sql, decided, claimant), nextSlot(sql, scan.low)]);
        written.catch(() => undefined);
        crashPoint('claim.after-write');
        return async () => {
          const [over, next] = await written;
          return { ...next, now, due, decisions, over, late };
        };
      });
      const { now, due, decisions } = batch;
      const live = due.length - late;
      const isFull = live === room.live;
      const isLateFull = late === room.late;
      const movedTo = earliestMove(decisions, now);
      if (room.late > 0) this.#isLateLeft = isLateFull || movedTo < now - LATE_AFTER_MS;
      const mayBeBelow = this.#marks.end(scan, {
        live: { count: live, upTo: isFull || scan.excluded.length === 0 ? dueOf(due[live - 1], now) : now },
        late: room.late === 0 ? null : { upTo: isLateFull ? dueOf(due.at(-1), now) : now - LATE_AFTER_MS },
        movedTo,
        tookMs: this.#monotonic() - began,
      });
      return { ...batch, isFull, isLateLeft: this.#isLateLeft, late, isBehind: batch.isBehind || mayBeBelow };
    } catch (error) {
      this.#marks.giveUp(scan);
      throw error;
    }
  }

  async claimWaiting(room: WaitingRoom, claimant: Claimant): Promise<ClaimedRuns> {
    return this.#pool.sending(async (sql) => {
      crashPoint('retry.before-lock');
      const runs = await claimWaiting(sql, room, claimant, this.#versions);
      if (runs.length > 0) crashPoint('retry.after-write');
      const next = nextWaiting(sql);
      return async () => ({ runs, ...(await next) });
    });
  }

  async settle(settled: readonly SettledRun[], closed: readonly Lease[]): Promise<SettledRuns> {
    const mattering = settled.filter((run) => run.endMatters && run.state !== 'RETRYING');
    if (mattering.length === 0)
      return { stale: await this.#settleAlone(settled, closed), nextDue: Number.POSITIVE_INFINITY, over: [] };
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

  /** No end of a run matters to its schedule: in one statement, or two where some of the runs are not plain. */
  async #settleAlone(settled: readonly SettledRun[], closed: readonly Lease[]): Promise<readonly RunKey[]> {
    const plain = settled.filter(isPlain);
    if (plain.length > 0) {
      try {
        return (await this.#settleApart(plain, settled, closed)).map(({ key }) => key);
      } catch (error) {
        // Somebody has written a row meanwhile: a cancel, or this very settlement, whose answer was lost.
        if (!isUniqueViolation(error)) throw error;
      }
    }
    return this.#pool.query((sql) => settleRuns(sql, settled, closed));
  }

  async #settleApart(
    plain: readonly SettledRun[],
    settled: readonly SettledRun[],
    closed: readonly Lease[],
  ): Promise<readonly { readonly key: RunKey }[]> {
    if (plain.length === settled.length)
      return this.#pool.query((sql) => settlePlainRuns(sql, plain, { also: [], closed }));
    const others = settled.filter((run) => !isPlain(run));
    const also = [...others.map((run) => run.lease), ...closed];
    return this.#pool.transaction(async (sql) => {
      const plainly = settlePlainRuns(sql, plain, { also, closed: [] });
      const [stale, alsoStale] = await pipelined([plainly, settleRuns(sql, others, closed)]);
      return [...stale, ...alsoStale.map((key) => ({ key }))];
    });
  }
}

function dueOf(slot: DueSlot | undefined, otherwise: number): number {
  return slot?.timer.due ?? otherwise;
}

/** The earliest due time that is written although it has passed: the next missed slot of a schedule. */
function earliestMove(decisions: readonly FireDecision[], now: number): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const { next } of decisions)
    if (typeof next === 'object' && 'due' in next && next.due <= now) earliest = Math.min(earliest, next.due);
  return earliest;
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
