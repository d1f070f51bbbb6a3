import { crashPoint } from '#crash-point';
import type { Caller } from '../entities/caller.ts';
import type { ScheduleEntity, ScheduleInput } from '../entities/schedule.ts';
import { DomainError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import type { TenantWork, UnitOfWork } from '../ports/unit-of-work.ts';
import { auditedChanges, keyTaken, recordChange, type ScheduleDrafts, visible } from './schedule-drafts.ts';

/** The request that a create answers, told by its caller so that a second one is not another schedule. */
export interface Idempotency {
  readonly key: string;
  readonly requestHash: string;
}

/** What one caller wants to be created. */
interface Wish {
  readonly caller: Caller;
  readonly input: ScheduleInput;
}

export interface Made {
  readonly schedule: ScheduleEntity;
  /** An earlier request with the same idempotency key made it. */
  readonly replayed: boolean;
}

/**
 * Creates schedules, those that callers of a tenant want at the same time in one transaction: it is opened, takes its place in the
 * tenant's quota and is made durable once for all of them. A request with an idempotency key has a transaction of its own.
 */
export class ScheduleCreation {
  readonly #unitOfWork: UnitOfWork;
  readonly #drafts: ScheduleDrafts;
  readonly #together: (tenantId: TenantId, wish: Wish) => Promise<ScheduleEntity | DomainError>;

  constructor(unitOfWork: UnitOfWork, drafts: ScheduleDrafts) {
    this.#unitOfWork = unitOfWork;
    this.#drafts = drafts;
    this.#together = unitOfWork.together((work, wishes: readonly Wish[]) => this.#all(work, wishes));
  }

  /** Throws ALREADY_EXISTS, IDEMPOTENCY_MISMATCH, and what a draft is refused with. */
  async make(caller: Caller, input: ScheduleInput, idempotency: Idempotency | undefined): Promise<Made> {
    if (idempotency !== undefined)
      return this.#unitOfWork.forTenant(caller.tenantId, (work) => this.#once(work, { caller, input }, idempotency));
    const made = await this.#together(caller.tenantId, { caller, input });
    if (made instanceof DomainError) throw made;
    return { schedule: made, replayed: false };
  }

  async #once(work: TenantWork, { caller, input }: Wish, idempotency: Idempotency): Promise<Made> {
    const earlier = await replayOf(work, caller, idempotency);
    if (earlier !== null) return { schedule: earlier, replayed: true };
    const created = await this.#drafts.created(work, caller, input);
    if (!(await work.schedules.storeIdempotent(idempotency.key, idempotency.requestHash, created.state.id))) {
      const first = await replayOf(work, caller, idempotency);
      if (first !== null) return { schedule: first, replayed: true };
    }
    insertRecorded(work, caller, created);
    return { schedule: created, replayed: false };
  }

  /** Aligned with the wishes; a refusal leaves nothing behind. */
  async #all(work: TenantWork, wishes: readonly Wish[]): Promise<readonly (ScheduleEntity | DomainError)[]> {
    const drafts: Draft[] = [];
    // One after the other: each sees what those before it took of the quota.
    for (const { caller, input } of wishes)
      drafts.push({ caller, made: await this.#drafts.created(work, caller, input).catch(refusal) });
    return drafts.length === 1 ? drafts.map((draft) => insertedAlone(work, draft)) : insertedTogether(work, drafts);
  }
}

/** What became of a wish before anything is saved. */
interface Draft {
  readonly caller: Caller;
  readonly made: ScheduleEntity | DomainError;
}

function insertedAlone(work: TenantWork, { caller, made }: Draft): ScheduleEntity | DomainError {
  if (!(made instanceof DomainError)) insertRecorded(work, caller, made);
  return made;
}

async function insertedTogether(
  work: TenantWork,
  drafts: readonly Draft[],
): Promise<readonly (ScheduleEntity | DomainError)[]> {
  const created = drafts.flatMap(({ made }) => (made instanceof DomainError ? [] : [made]));
  crashPoint('together.before-write');
  const inserted = await work.schedules.insertAll(created);
  crashPoint('together.after-write');
  const isFull = drafts.some(({ made }) => made instanceof DomainError && made.code === 'QUOTA_EXCEEDED');
  if (isFull && inserted.size < created.length) throw new Error('a place in the quota was taken and not used');
  work.audit.recordEach(
    drafts.flatMap(({ caller, made }) =>
      made instanceof DomainError || !inserted.has(made.state.id)
        ? []
        : auditedChanges('created', { before: null, after: made }).map((change) => ({ caller, change })),
    ),
  );
  crashPoint('together.before-commit');
  return drafts.map(({ made }) => (made instanceof DomainError || inserted.has(made.state.id) ? made : keyTaken(made)));
}

/** Sent, not waited for. */
function insertRecorded(work: TenantWork, caller: Caller, created: ScheduleEntity): void {
  recordChange(work, caller, 'created', { before: null, after: created });
  work.schedules.insert(created);
}

/** What the caller is told; anything else is a bug or an outage, which concerns the whole transaction. */
function refusal(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  throw error;
}

/** What an earlier request with this idempotency key made; null for a new key. */
async function replayOf(
  { schedules }: TenantWork,
  caller: Caller,
  { key, requestHash }: Idempotency,
): Promise<ScheduleEntity | null> {
  const earlier = await schedules.findIdempotent(key);
  if (earlier === null) return null;
  if (earlier.requestHash !== requestHash || earlier.scheduleId === null)
    throw new DomainError('IDEMPOTENCY_MISMATCH', 'the idempotency key was used for another request');
  return visible(caller, await schedules.find(earlier.scheduleId));
}
