import { type AuditedChange, auditedSchedule } from '../entities/audit.ts';
import { type Caller, sees } from '../entities/caller.ts';
import { sameJson } from '../entities/json.ts';
import { checkInterval, checkSizes } from '../entities/quota-rules.ts';
import { ScheduleEntity, type ScheduleInput } from '../entities/schedule.ts';
import type { Target } from '../entities/target.ts';
import { DomainError } from '../errors.ts';
import { asScheduleId, type ScheduleId } from '../ids.ts';
import type { ScheduleEvent } from '../ports/journal.ts';
import type { Seal } from '../ports/seal.ts';
import type { Senders } from '../ports/sender.ts';
import type { TenantWork } from '../ports/unit-of-work.ts';
import { withDates } from './calendar-dates.ts';
import { SealedHeaders, withTarget } from './sealed-headers.ts';
import { checkSecrets } from './secret-references.ts';

/** A schedule before and after one change; null: there was none. */
export interface ScheduleChange {
  readonly before: ScheduleEntity | null;
  readonly after: ScheduleEntity;
}

export interface DraftParts {
  readonly senders: Senders;
  /** A fresh UUID v7. */
  readonly newId: () => string;
  /** Of header values; null or left out: they are stored as they are. */
  readonly seal?: Seal | null | undefined;
  /** How long runs are kept: a run is tried again for at most a day less, so that its end can be seen. */
  readonly retentionDays?: number;
}

const DAY_SEC = 86_400;

/** What callers want schedules to be, checked inside a transaction: the caller's reach, the definition, a new target. */
export class ScheduleDrafts {
  readonly #senders: Senders;
  readonly #newId: () => string;
  readonly #headers: SealedHeaders;
  readonly #longestRetrySec: number;

  constructor({ senders, newId, seal = null, retentionDays = Number.POSITIVE_INFINITY }: DraftParts) {
    this.#senders = senders;
    this.#newId = newId;
    this.#headers = new SealedHeaders(seal);
    this.#longestRetrySec = (retentionDays - 1) * DAY_SEC;
  }

  /** A schedule that is not saved yet. */
  async created(work: TenantWork, caller: Caller, input: ScheduleInput): Promise<ScheduleEntity> {
    checkReach(caller, input);
    const owner = { id: this.freshId(), tenantId: caller.tenantId };
    const dated = await withDates(work.calendars, input, null);
    const created = ScheduleEntity.create(dated, owner, { by: caller.subject, now: work.now });
    this.#checkRetryAge(created);
    await this.#checkTarget(work, created.state.target);
    // Last: a place that is taken here is not given back before the transaction ends.
    await admit(work, caller, created);
    return this.#headers.sealedIn(created);
  }

  /** The schedule under another definition, not saved yet; itself when nothing changes. */
  async redefined(
    work: TenantWork,
    caller: Caller,
    before: ScheduleEntity,
    input: ScheduleInput,
  ): Promise<ScheduleEntity> {
    checkReach(caller, input);
    const dated = await withDates(work.calendars, input, before.state);
    const current = this.#headers.openedIn(before);
    const after = current.replace(dated, { by: caller.subject, now: work.now });
    if (after === current) return before;
    if (caller.policy !== undefined) {
      checkSizes(after.state, caller.policy.quotas);
      if (!sameJson(after.state.trigger, before.state.trigger)) checkInterval(after, caller.policy.quotas);
    }
    if (!sameJson(after.state.retry, before.state.retry)) this.#checkRetryAge(after);
    if (sameJson(after.state.target, current.state.target)) return withTarget(after, before.state.target);
    await this.#checkTarget(work, after.state.target);
    return this.#headers.sealedIn(after);
  }

  /** The input that would make this schedule, header values opened: what a merge patch is applied to. */
  inputOf(schedule: ScheduleEntity): ScheduleInput {
    return this.#headers.openedIn(schedule).input;
  }

  /** Saves the schedule with the input's key as the input says. Where somebody else has just created it, the transaction throws ALREADY_EXISTS. */
  async upserted(
    work: TenantWork,
    caller: Caller,
    input: ScheduleInput & { readonly key: string },
    ifMatch: number | null,
  ): Promise<ScheduleChange> {
    const before = await work.schedules.findForChange({ key: input.key });
    const after = await this.declared(work, caller, before, { input, ifMatch });
    if (after === before) return { before, after };
    recordChange(work, caller, before === null ? 'created' : 'replaced', { before, after });
    if (before === null) work.schedules.insert(after);
    else await work.schedules.save(after, before);
    return { before, after };
  }

  /** What the schedule found under the input's key, or none, becomes by it; not saved yet. */
  async declared(
    work: TenantWork,
    caller: Caller,
    before: ScheduleEntity | null,
    { input, ifMatch }: { readonly input: ScheduleInput; readonly ifMatch: number | null },
  ): Promise<ScheduleEntity> {
    if (before === null) {
      if (ifMatch !== null) throw new DomainError('PRECONDITION_FAILED', 'there is no schedule with this key');
      return this.created(work, caller, input);
    }
    if (!sees(caller, before.state.organizationId)) {
      throw new DomainError('PERMISSION_DENIED', 'the key belongs to another organization');
    }
    checkMatch(before, ifMatch);
    return this.redefined(work, caller, before, input);
  }

  freshId(): ScheduleId {
    const id = asScheduleId(this.#newId());
    if (id === null) throw new Error('the made id is no UUID');
    return id;
  }

  #checkRetryAge({ state }: ScheduleEntity): void {
    if (state.retry.maxAgeSec <= this.#longestRetrySec) return;
    const message = `must be at most ${this.#longestRetrySec}: runs are kept for a day longer`;
    throw new DomainError('VALIDATION_FAILED', `retry.maxAgeSec ${message}`, [{ path: 'retry.maxAgeSec', message }]);
  }

  async #checkTarget({ schedules, secrets }: TenantWork, target: Target): Promise<void> {
    this.#senders.check(target);
    await checkSecrets(secrets, target);
    if (target.kind !== 'COMMAND' || (await schedules.knowsCommand(target.command.name))) return;
    const message = `no live node has registered the command "${target.command.name}"`;
    throw new DomainError('UNKNOWN_COMMAND', message, [{ path: 'target.command.name', message }]);
  }
}

/** Puts a change of a schedule into the audit trail; null: it was, or is, not there. To be called right before the change is saved. */
export function recordChange(
  { audit }: Pick<TenantWork, 'audit'>,
  caller: Caller,
  event: ScheduleEvent,
  { before, after }: { readonly before: ScheduleEntity | null; readonly after: ScheduleEntity | null },
): void {
  audit.record(caller, ...auditedChanges(event, { before, after }));
}

/** A change of a schedule as the audit trail tells it; none where there was and is no schedule. */
export function auditedChanges(
  event: ScheduleEvent,
  { before, after }: { readonly before: ScheduleEntity | null; readonly after: ScheduleEntity | null },
): readonly AuditedChange[] {
  const of = after ?? before;
  if (of === null) return [];
  const { id, organizationId } = of.state;
  const [old, next] = [before, after].map((schedule) => schedule && auditedSchedule(schedule.state));
  return [{ action: `schedule.${event}`, id, organizationId, before: old, after: next }];
}

/** The schedule, if it exists for the caller. Throws NOT_FOUND. */
export function visible(caller: Caller, schedule: ScheduleEntity | null): ScheduleEntity {
  if (schedule !== null && sees(caller, schedule.state.organizationId)) return schedule;
  throw new DomainError('NOT_FOUND', 'no such schedule');
}

/** A living schedule has the key of this one. */
export function keyTaken({ state }: ScheduleEntity): DomainError {
  return new DomainError('ALREADY_EXISTS', `a schedule with the key "${state.key ?? ''}" exists`);
}

/** Throws PRECONDITION_FAILED unless the schedule is at the version its caller believes; null: whatever it is. */
export function checkMatch({ state }: ScheduleEntity, ifMatch: number | null): void {
  if (ifMatch === null || ifMatch === state.version) return;
  throw new DomainError('PRECONDITION_FAILED', `the schedule is at version ${state.version}`);
}

/** Throws QUOTA_EXCEEDED or PAYLOAD_TOO_LARGE for a schedule that the tenant may not have. */
async function admit({ tenants }: TenantWork, { policy }: Caller, created: ScheduleEntity): Promise<void> {
  if (policy === undefined) return;
  const { quotas } = policy;
  checkSizes(created.state, quotas);
  checkInterval(created, quotas);
  if (quotas.schedules !== null && !(await tenants.admitSchedule(quotas.schedules)))
    throw new DomainError('QUOTA_EXCEEDED', `the tenant has ${quotas.schedules} schedules, as many as it may`);
}

function checkReach(caller: Caller, { organizationId }: ScheduleInput): void {
  if (sees(caller, organizationId)) return;
  throw new DomainError('PERMISSION_DENIED', 'the token writes only what belongs to its organization');
}
