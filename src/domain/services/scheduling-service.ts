import type { Caller } from '../entities/caller.ts';
import type { ScheduleDefinition } from '../entities/definition.ts';
import type { JsonValue } from '../entities/json.ts';
import { checkPayload } from '../entities/quota-rules.ts';
import { manualRun, type RunRow } from '../entities/run.ts';
import type { Act, MissedChoice, ScheduleEntity, ScheduleInput } from '../entities/schedule.ts';
import { DomainError } from '../errors.ts';
import { encodeRunId, type ScheduleId } from '../ids.ts';
import type { Bell } from '../ports/bell.ts';
import type { Journal, ScheduleEvent } from '../ports/journal.ts';
import { LANES } from '../ports/run-repository.ts';
import type { ListPosition, Page, ScheduleQuery } from '../ports/schedule-repository.ts';
import type { TenantWork, UnitOfWork } from '../ports/unit-of-work.ts';
import { withDates } from './calendar-dates.ts';
import { type Idempotency, ScheduleCreation } from './schedule-creation.ts';
import type { DraftParts, ScheduleChange } from './schedule-drafts.ts';
import { checkMatch, recordChange, ScheduleDrafts, visible } from './schedule-drafts.ts';
import { previewOf, type Upcoming, type UpcomingWindow, upcomingOf } from './upcoming.ts';

export interface SchedulingParts extends DraftParts {
  readonly unitOfWork: UnitOfWork;
  readonly bell: Bell;
  readonly journal: Journal;
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
  readonly #journal: Journal;
  readonly #drafts: ScheduleDrafts;
  readonly #creation: ScheduleCreation;

  constructor(parts: SchedulingParts) {
    this.#unitOfWork = parts.unitOfWork;
    this.#bell = parts.bell;
    this.#journal = parts.journal;
    this.#drafts = new ScheduleDrafts(parts);
    this.#creation = new ScheduleCreation(parts.unitOfWork, this.#drafts);
  }

  /** Throws ALREADY_EXISTS for a key in use, IDEMPOTENCY_MISMATCH for an idempotency key of another request. */
  async create(
    caller: Caller,
    input: ScheduleInput,
    idempotency?: Idempotency,
  ): Promise<{ readonly schedule: ScheduleEntity; readonly replayed: boolean }> {
    const { schedule, replayed } = await this.#creation.make(caller, input, idempotency);
    if (!replayed) this.#announce(caller, 'created', { before: null, after: schedule });
    return { schedule, replayed };
  }

  async get(caller: Caller, id: ScheduleId): Promise<ScheduleEntity> {
    return this.#unitOfWork.reading(caller.tenantId, async ({ schedules }) =>
      visible(caller, await schedules.find(id)),
    );
  }

  async list(caller: Caller, query: ScheduleQuery): Promise<Page<ScheduleEntity, ListPosition>> {
    const organizationId = caller.organizationId ?? query.filter.organizationId;
    return this.#unitOfWork.reading(caller.tenantId, ({ schedules }) =>
      schedules.page({ ...query, filter: { ...query.filter, organizationId } }),
    );
  }

  async replace(caller: Caller, id: ScheduleId, input: ScheduleInput, ifMatch: number | null): Promise<ScheduleEntity> {
    return this.#change(caller, { id, ifMatch }, 'replaced', (before, _act, work) =>
      this.#drafts.redefined(work, caller, before, input),
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
          this.#drafts.upserted(work, caller, { ...input, key }, ifMatch),
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
    return this.#change(caller, { id, ifMatch }, 'patched', (before, _act, work) =>
      this.#drafts.redefined(work, caller, before, merge(this.#drafts.inputOf(before))),
    );
  }

  /** Waiting runs end as CANCELLED, what is in flight finishes; the key is free again. */
  async remove(caller: Caller, id: ScheduleId, ifMatch: number | null): Promise<void> {
    const { state } = await this.#unitOfWork.forTenant(caller.tenantId, async (work) => {
      const schedule = visible(caller, await work.schedules.findForChange({ id }));
      checkMatch(schedule, ifMatch);
      recordChange(work, caller, 'deleted', { before: schedule, after: null });
      await work.schedules.removeAll([schedule], work.now);
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

  /** The next slot becomes no run: its record will be SKIPPED with reason BY_USER. */
  async skipNext(caller: Caller, id: ScheduleId, ifMatch: number | null): Promise<ScheduleEntity> {
    return this.#change(caller, { id, ifMatch }, 'skip_marked', (before, act) => before.skipNext(act));
  }

  /** A run of its own beside the slots, in any state of the schedule. Without `payload` (or with null) the schedule's own is sent. */
  async trigger(caller: Caller, id: ScheduleId, payload: JsonValue | undefined): Promise<RunRow> {
    if (payload !== undefined && caller.policy !== undefined) checkPayload(payload, caller.policy.quotas);
    const { run, state } = await this.#unitOfWork.forTenant(
      caller.tenantId,
      async ({ schedules, runs, audit, now }) => {
        const schedule = visible(caller, await schedules.find(id));
        const asked = manualRun(schedule.origin, now, payload, Math.random());
        const { organizationId } = schedule.state;
        audit.record(caller, { action: 'schedule.triggered', id, organizationId, after: { run: encodeRunId(asked) } });
        await runs.enqueue(asked, LANES.live);
        return { run: asked, state: schedule.state };
      },
    );
    this.#bell.ring(run.slot);
    this.#journal.scheduleChanged('triggered', state, caller.subject);
    return run;
  }

  async upcoming(caller: Caller, id: ScheduleId, window: UpcomingWindow): Promise<Upcoming> {
    const { schedule, now } = await this.#unitOfWork.forTenant(caller.tenantId, async (work) => ({
      schedule: visible(caller, await work.schedules.find(id)),
      now: work.now,
    }));
    return upcomingOf(schedule, window, now);
  }

  /** The slots of a definition before it is saved. */
  async preview(
    caller: Caller,
    input: { readonly definition: ScheduleDefinition; readonly from?: number | undefined; readonly count: number },
  ): Promise<Upcoming> {
    const { from, count } = input;
    const { definition, now } = await this.#unitOfWork.forTenant(caller.tenantId, async (work) => ({
      definition: await withDates(work.calendars, input.definition, null),
      now: work.now,
    }));
    const of = { scheduleId: this.#drafts.freshId(), tenantId: caller.tenantId };
    return previewOf(definition, of, { from, count }, now);
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
      if (after !== before) {
        recordChange(work, caller, event, { before, after });
        await work.schedules.save(after, before);
      }
      return { before, after };
    });
    this.#announce(caller, event, change);
    return change.after;
  }

  #announce(caller: Caller, event: ScheduleEvent, { before, after }: ScheduleChange): void {
    if (after === before) return;
    const due = after.wakesAt(before);
    if (due !== Number.POSITIVE_INFINITY) this.#bell.ring(due);
    this.#journal.scheduleChanged(event, after.state, caller.subject);
  }
}
