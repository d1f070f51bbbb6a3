import { SUSPENDED_REASON } from '../entities/tenant.ts';
import type { ScheduleId, TenantId } from '../ids.ts';
import type { Bell } from '../ports/bell.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal } from '../ports/journal.ts';
import type { SchedulePlace, TenantMoves, UnsettledTenant } from '../ports/tenant-moves.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import type { TenantFlightLimits } from './tenant-flight-limits.ts';

/** Tenants that are moved in one round, chunks of one in a round, and the sizes of these. */
const TENANTS = 5;
const CHUNKS = 20;
const HELD = 500;
const RESUMED = 50;
const WAITING = 1_000;
const DELETED = 2_000;
const RETIRED = 5_000;
const RETENTION_MS = 60_000;
/** After so long no request that began before the tenant changed is still under way, nor does a process believe it has not. */
const LAST_WORD_MS = 150_000;

/** Where the pass through a suspended tenant's schedules is, and whether it has found any to pause. */
interface Pass {
  readonly version: number;
  readonly after: SchedulePlace | null;
  readonly moved: number;
  /** How long ago the tenant had changed when the pass began. */
  readonly beganMs: number;
}

/**
 * How a tenant's schedules follow it. A claim leaves out tenants that are not ACTIVE from the moment of their change on; this takes
 * what would lie in its way out of it, chunk by chunk, brings it back after a suspension, and deletes all that a deleted tenant
 * had. Each chunk is a transaction of its own that finds what is left by looking, so a crash costs nothing but the chunk.
 */
export class TenantMovesService {
  readonly #moves: TenantMoves;
  readonly #unitOfWork: UnitOfWork;
  readonly #bell: Bell;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #retentionDays: number;
  readonly #flightLimits: TenantFlightLimits;
  readonly #passes = new Map<TenantId, Pass>();
  /** The last schedule that was looked at of those to take up again. */
  readonly #takenUp = new Map<TenantId, ScheduleId>();
  #retiredAt = Number.NEGATIVE_INFINITY;

  constructor(parts: {
    moves: TenantMoves;
    unitOfWork: UnitOfWork;
    bell: Bell;
    clock: Clock;
    journal: Journal;
    retentionDays: number;
    flightLimits: TenantFlightLimits;
  }) {
    this.#moves = parts.moves;
    this.#unitOfWork = parts.unitOfWork;
    this.#bell = parts.bell;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#retentionDays = parts.retentionDays;
    this.#flightLimits = parts.flightLimits;
  }

  /** What an engine must know before its first delivery, and anew every few seconds. */
  async learnGrants(): Promise<void> {
    this.#flightLimits.learn(await this.#moves.deliveryGrants());
  }

  /** One round. Answers whether it wants to go on at once. */
  async step(): Promise<boolean> {
    const retires = await this.#retire();
    const unsettled = await this.#moves.unsettled(TENANTS);
    const wantsMore = [retires];
    for (const tenant of unsettled) {
      try {
        wantsMore.push(await this.#move(tenant));
      } catch (error) {
        this.#journal.loopFailed('tenants', error);
      }
    }
    return wantsMore.includes(true);
  }

  #move(tenant: UnsettledTenant): Promise<boolean> {
    switch (tenant.state) {
      case 'SUSPENDED':
        return this.#hold(tenant);
      case 'ACTIVE':
        return this.#resume(tenant);
      case 'DELETING':
        return this.#delete(tenant);
    }
  }

  /** Goes through the schedules until a pass that began late enough finds none to pause. */
  async #hold(tenant: UnsettledTenant): Promise<boolean> {
    const waiting = await this.#moves.holdWaiting(tenant, WAITING);
    let pass = this.#passOf(tenant);
    for (let chunk = 0; chunk < CHUNKS; chunk += 1) {
      const { last, moved } = await this.#moves.holdSchedules(tenant, pass.after, HELD);
      pass = { ...pass, after: last, moved: pass.moved + moved };
      this.#passes.set(tenant.tenantId, pass);
      if (last === null) {
        this.#passes.delete(tenant.tenantId);
        const isLast = pass.moved === 0 && waiting === 0 && pass.beganMs >= LAST_WORD_MS;
        if (isLast && (await this.#moves.settle(tenant))) this.#note('followed', tenant);
        return pass.moved > 0 || waiting === WAITING;
      }
    }
    return true;
  }

  #passOf(tenant: UnsettledTenant): Pass {
    const pass = this.#passes.get(tenant.tenantId);
    if (pass?.version === tenant.version) return pass;
    return { version: tenant.version, after: null, moved: 0, beganMs: tenant.sinceMs };
  }

  /** One schedule, one transaction: what cannot be taken up stays as it is, and holds up no other. */
  async #resume(tenant: UnsettledTenant): Promise<boolean> {
    const { tenantId } = tenant;
    const released = await this.#moves.releaseWaiting(tenant, WAITING);
    if (released > 0) this.#bell.ring(this.#clock.now());
    const after = this.#takenUp.get(tenantId) ?? null;
    const ids = await this.#moves.heldSchedules(tenantId, after, RESUMED);
    for (const id of ids) await this.#takeUp(tenant, id);
    const last = ids.length === RESUMED ? (ids.at(-1) ?? null) : null;
    if (last !== null) this.#takenUp.set(tenantId, last);
    else this.#takenUp.delete(tenantId);
    const isOver = ids.length === 0 && after === null && released === 0;
    if (isOver && (await this.#moves.settle(tenant))) this.#note('followed', tenant);
    return last !== null || released > 0;
  }

  async #takeUp({ tenantId, missed }: UnsettledTenant, id: ScheduleId): Promise<void> {
    try {
      const due = await this.#unitOfWork.forTenant(tenantId, async ({ schedules, tenants, now }) => {
        const before = await schedules.findForChange({ id });
        const isStill = (await tenants.find())?.state.state === 'ACTIVE';
        if (!isStill || before?.state.stateReason !== SUSPENDED_REASON) return Number.POSITIVE_INFINITY;
        const after = before.resume(missed, { by: 'scheduler', now });
        await schedules.save(after, before);
        return after.wakesAt(before);
      });
      if (due !== Number.POSITIVE_INFINITY) this.#bell.ring(due);
    } catch (error) {
      this.#journal.loopFailed('tenants', error);
    }
  }

  async #delete(tenant: UnsettledTenant): Promise<boolean> {
    if (tenant.sinceMs < LAST_WORD_MS) return false;
    for (let chunk = 0; chunk < CHUNKS; chunk += 1) {
      const left = await this.#moves.deleteSome(tenant.tenantId, DELETED);
      if (left === 'WAITING') return false;
      if (left === 'GONE') {
        this.#note('deleted', tenant);
        return false;
      }
    }
    return true;
  }

  /** Runs of tenants that keep theirs for a shorter time than the service. */
  async #retire(): Promise<boolean> {
    const now = this.#clock.monotonic();
    if (now - this.#retiredAt < RETENTION_MS) return false;
    const deleted = await this.#moves.deleteRunsKeptShorter(this.#retentionDays, RETIRED);
    if (deleted === 0) this.#retiredAt = now;
    return deleted > 0;
  }

  #note(event: string, { tenantId, version }: UnsettledTenant): void {
    this.#journal.note(`tenant.${event}`, { tenantId, version });
  }
}
