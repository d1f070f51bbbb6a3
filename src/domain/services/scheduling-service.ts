import { type Caller, sees } from '../entities/caller.ts';
import type { ScheduleDefinition } from '../entities/definition.ts';
import { type JsonValue, sameJson } from '../entities/json.ts';
import { manualRun, type RunRow } from '../entities/run.ts';
import { type Act, type MissedChoice, ScheduleEntity, type ScheduleInput } from '../entities/schedule.ts';
import type { Target } from '../entities/target.ts';
import { DomainError } from '../errors.ts';
import { asScheduleId, type ScheduleId } from '../ids.ts';
import type { Bell } from '../ports/bell.ts';
import type { Journal, ScheduleEvent } from '../ports/journal.ts';
import { LANES } from '../ports/run-repository.ts';
import type { ListPosition, Page, ScheduleQuery } from '../ports/schedule-repository.ts';
import type { Senders } from '../ports/sender.ts';
import type { TenantWork, UnitOfWork } from '../ports/unit-of-work.ts';
import { previewOf, type Upcoming, type UpcomingWindow, upcomingOf } from './upcoming.ts';

export interface SchedulingParts {
  readonly unitOfWork: UnitOfWork;
  readonly bell: Bell;
  readonly senders: Senders;
  readonly journal: Journal;
  /** A fresh UUID v7. */
  readonly newId: () => string;
}

/** The request that a create answers, told by its caller so that a second one is not another schedule. */
export interface Idempotency {
  readonly key: string;
  readonly requestHash: string;
}

interface Changed {
  readonly before: ScheduleEntity | null;
  readonly after: ScheduleEntity;
}

/** A schedule and the version its caller believes it has; null: whatever it is. */
interface Addressed {
  readonly id: ScheduleId;
  readonly ifMatch: number | null;
}

/** Rounds of "load and replace, else create" before giving up on a key that others create and delete all the time. */
const UPSERT_ROUNDS = 5;

/**
 * What a tenant's callers do with schedules: one method, one transaction. A schedule of another tenant, or of another
 * organization than the caller's, is NOT_FOUND. A stale `ifMatch` is PRECONDITION_FAILED. Definitions are checked by the
 * entity: INVALID_TRIGGER, TRIGGER_NEVER_FIRES, VALIDATION_FAILED; a new target by its sender: TARGET_NOT_ALLOWED, UNKNOWN_COMMAND.
 */
export class SchedulingService {
  readonly #unitOfWork: UnitOfWork;
  readonly #bell: Bell;
  readonly #senders: Senders;
  readonly #journal: Journal;
  readonly #newId: () => string;

  constructor(parts: SchedulingParts) {
    this.#unitOfWork = parts.unitOfWork;
    this.#bell = parts.bell;
    this.#senders = parts.senders;
    this.#journal = parts.journal;
    this.#newId = parts.newId;
  }

  /** Throws ALREADY_EXISTS for a key in use, IDEMPOTENCY_MISMATCH for an idempotency key of another request. */
  async create(
    caller: Caller,
    input: ScheduleInput,
    idempotency?: Idempotency,
  ): Promise<{ readonly schedule: ScheduleEntity; readonly replayed: boolean }> {
    const { schedule, replayed } = await this.#unitOfWork.forTenant(caller.tenantId, async (work) => {
      const earlier = idempotency === undefined ? null : await replayOf(work, caller, idempotency);
      if (earlier !== null) return { schedule: earlier, replayed: true };
      const created = await this.#checked(work, caller, input);
      if (
        idempotency !== undefined &&
        !(await work.schedules.storeIdempotent(idempotency.key, idempotency.requestHash, created.state.id))
      ) {
        const first = await replayOf(work, caller, idempotency);
        if (first !== null) return { schedule: first, replayed: true };
      }
      await work.schedules.insert(created);
      return { schedule: created, replayed: false };
    });
    if (!replayed) this.#announce(caller, 'created', { before: null, after: schedule });
    return { schedule, replayed };
  }

  async get(caller: Caller, id: ScheduleId): Promise<ScheduleEntity> {
    return this.#unitOfWork.forTenant(caller.tenantId, async ({ schedules }) =>
      visible(caller, await schedules.find(id)),
    );
  }

  async list(caller: Caller, query: ScheduleQuery): Promise<Page<ScheduleEntity, ListPosition>> {
    const organizationId = caller.organizationId ?? query.filter.organizationId;
    return this.#unitOfWork.forTenant(caller.tenantId, ({ schedules }) =>
      schedules.page({ ...query, filter: { ...query.filter, organizationId } }),
    );
  }

  async replace(caller: Caller, id: ScheduleId, input: ScheduleInput, ifMatch: number | null): Promise<ScheduleEntity> {
    return this.#change(caller, { id, ifMatch }, 'replaced', (before, act, work) =>
      this.#redefined(work, caller, { before, input }, act),
    );
  }

  /** Creates the schedule with this key or replaces it; any number of replicas may do so at once. No change: no new version. */
  async upsertByKey(
    caller: Caller,
    key: string,
    input: ScheduleInput,
    ifMatch: number | null,
  ): Promise<{ readonly schedule: ScheduleEntity; readonly created: boolean }> {
    for (let round = 1; ; round += 1) {
      try {
        const change = await this.#unitOfWork.forTenant(caller.tenantId, (work) =>
          this.#upsertOnce(work, caller, { ...input, key }, ifMatch),
        );
        this.#announce(caller, change.before === null ? 'created' : 'replaced', change);
        return { schedule: change.after, created: change.before === null };
      } catch (error) {
        const isRace = error instanceof DomainError && error.code === 'ALREADY_EXISTS' && round < UPSERT_ROUNDS;
        if (!isRace) throw error;
      }
    }
  }

  /** `merge` makes the new input from the current one, inside the transaction. */
  async patch(
    caller: Caller,
    id: ScheduleId,
    merge: (current: ScheduleInput) => ScheduleInput,
    ifMatch: number | null,
  ): Promise<ScheduleEntity> {
    return this.#change(caller, { id, ifMatch }, 'patched', (before, act, work) =>
      this.#redefined(work, caller, { before, input: merge(before.input) }, act),
    );
  }

  /** Waiting runs end as CANCELLED, what is in flight finishes; the key is free again. */
  async remove(caller: Caller, id: ScheduleId, ifMatch: number | null): Promise<void> {
    const { state } = await this.#unitOfWork.forTenant(caller.tenantId, async ({ schedules, now }) => {
      const schedule = visible(caller, await schedules.findForChange({ id }));
      checkMatch(schedule, ifMatch);
      await schedules.remove(schedule, now);
      return schedule;
    });
    this.#journal.scheduleChanged('deleted', state, caller.subject);
  }

  /** Throws CONFLICT unless ACTIVE. */
  async pause(
    caller: Caller,
    id: ScheduleId,
    why: { readonly note: string | null; readonly resumeAt: string | null },
    ifMatch: number | null,
  ): Promise<ScheduleEntity> {
    return this.#change(caller, { id, ifMatch }, 'paused', (before, act) => before.pause(why, act));
  }

  /** Throws CONFLICT unless PAUSED or DISABLED. */
  async resume(caller: Caller, id: ScheduleId, missed: MissedChoice, ifMatch: number | null): Promise<ScheduleEntity> {
    return this.#change(caller, { id, ifMatch }, 'resumed', (before, act) => before.resume(missed, act));
  }

  /** A run of its own beside the slots, in any state of the schedule. Without `payload` (or with null) the schedule's own is sent. */
  async trigger(caller: Caller, id: ScheduleId, payload: JsonValue | undefined): Promise<RunRow> {
    const { run, state } = await this.#unitOfWork.forTenant(caller.tenantId, async ({ schedules, runs, now }) => {
      const schedule = visible(caller, await schedules.find(id));
      const asked = manualRun(schedule.origin, now, payload, Math.random());
      await runs.enqueue(asked, LANES.live);
      return { run: asked, state: schedule.state };
    });
    this.#bell.ring(run.slot);
    this.#journal.scheduleChanged('triggered', state, caller.subject);
    return run;
  }

  async upcoming(caller: Caller, id: ScheduleId, window: UpcomingWindow): Promise<Upcoming> {
    return this.#unitOfWork.forTenant(caller.tenantId, async ({ schedules, now }) =>
      upcomingOf(visible(caller, await schedules.find(id)), window, now),
    );
  }

  /** The slots of a definition before it is saved. */
  async preview(
    caller: Caller,
    input: { readonly definition: ScheduleDefinition; readonly from?: number | undefined; readonly count: number },
  ): Promise<Upcoming> {
    const now = await this.#unitOfWork.forTenant(caller.tenantId, async (work) => work.now);
    const { definition, from, count } = input;
    return previewOf(definition, { scheduleId: this.#freshId(), tenantId: caller.tenantId }, { from, count }, now);
  }

  async #upsertOnce(
    work: TenantWork,
    caller: Caller,
    input: ScheduleInput & { readonly key: string },
    ifMatch: number | null,
  ): Promise<Changed> {
    const before = await work.schedules.findForChange({ key: input.key });
    if (before === null) {
      if (ifMatch !== null) throw new DomainError('PRECONDITION_FAILED', 'there is no schedule with this key');
      const after = await this.#checked(work, caller, input);
      await work.schedules.insert(after);
      return { before, after };
    }
    if (!sees(caller, before.state.organizationId))
      throw new DomainError('PERMISSION_DENIED', 'the key belongs to another organization');
    checkMatch(before, ifMatch);
    const after = await this.#redefined(work, caller, { before, input }, { by: caller.subject, now: work.now });
    if (after !== before) await work.schedules.save(after, before);
    return { before, after };
  }

  async #change(
    caller: Caller,
    { id, ifMatch }: Addressed,
    event: ScheduleEvent,
    verb: (before: ScheduleEntity, act: Act, work: TenantWork) => ScheduleEntity | Promise<ScheduleEntity>,
  ): Promise<ScheduleEntity> {
    const change = await this.#unitOfWork.forTenant(caller.tenantId, async (work) => {
      const before = visible(caller, await work.schedules.findForChange({ id }));
      checkMatch(before, ifMatch);
      const after = await verb(before, { by: caller.subject, now: work.now }, work);
      if (after !== before) await work.schedules.save(after, before);
      return { before, after };
    });
    this.#announce(caller, event, change);
    return change.after;
  }

  async #checked(work: TenantWork, caller: Caller, input: ScheduleInput): Promise<ScheduleEntity> {
    checkOrganization(caller, input);
    const owner = { id: this.#freshId(), tenantId: caller.tenantId };
    const created = ScheduleEntity.create(input, owner, { by: caller.subject, now: work.now });
    await this.#checkTarget(work, created.state.target);
    return created;
  }

  async #redefined(
    work: TenantWork,
    caller: Caller,
    { before, input }: { readonly before: ScheduleEntity; readonly input: ScheduleInput },
    act: Act,
  ): Promise<ScheduleEntity> {
    checkOrganization(caller, input);
    const after = before.replace(input, act);
    if (!sameJson(after.state.target, before.state.target)) await this.#checkTarget(work, after.state.target);
    return after;
  }

  async #checkTarget({ schedules }: TenantWork, target: Target): Promise<void> {
    this.#senders.check(target);
    if (target.kind !== 'COMMAND' || (await schedules.knowsCommand(target.command.name))) return;
    const message = `no live node has registered the command "${target.command.name}"`;
    throw new DomainError('UNKNOWN_COMMAND', message, [{ path: 'target.command.name', message }]);
  }

  #announce(caller: Caller, event: ScheduleEvent, { before, after }: Changed): void {
    if (after === before) return;
    const due = after.wakesAt(before);
    if (due !== Number.POSITIVE_INFINITY) this.#bell.ring(due);
    this.#journal.scheduleChanged(event, after.state, caller.subject);
  }

  #freshId(): ScheduleId {
    const id = asScheduleId(this.#newId());
    if (id === null) throw new Error('the made id is no UUID');
    return id;
  }
}

/** What an earlier request with this idempotency key made; null for a new key. */
async function replayOf(
  { schedules }: TenantWork,
  caller: Caller,
  { key, requestHash }: Idempotency,
): Promise<ScheduleEntity | null> {
  const earlier = await schedules.findIdempotent(key);
  if (earlier === null) return null;
  if (earlier.requestHash !== requestHash)
    throw new DomainError('IDEMPOTENCY_MISMATCH', 'the idempotency key was used for another request');
  return visible(caller, await schedules.find(earlier.scheduleId));
}

function visible(caller: Caller, schedule: ScheduleEntity | null): ScheduleEntity {
  if (schedule === null || !sees(caller, schedule.state.organizationId))
    throw new DomainError('NOT_FOUND', 'no such schedule');
  return schedule;
}

function checkMatch({ state }: ScheduleEntity, ifMatch: number | null): void {
  if (ifMatch !== null && ifMatch !== state.version)
    throw new DomainError('PRECONDITION_FAILED', `the schedule is at version ${state.version}`);
}

function checkOrganization(caller: Caller, { organizationId }: ScheduleInput): void {
  if (!sees(caller, organizationId))
    throw new DomainError('PERMISSION_DENIED', 'the token writes only what belongs to its organization');
}
