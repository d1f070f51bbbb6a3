import { crashPoint } from '#crash-point';
import type { BulkDeed, BulkItem, BulkOperation, BulkResult } from '../entities/bulk.ts';
import type { Caller } from '../entities/caller.ts';
import type { ScheduleEntity } from '../entities/schedule.ts';
import { DomainError } from '../errors.ts';
import type { Bell } from '../ports/bell.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal, ScheduleEvent } from '../ports/journal.ts';
import type { SavedSchedule } from '../ports/schedule-repository.ts';
import type { TenantWork, UnitOfWork } from '../ports/unit-of-work.ts';
import { rolledBack, under } from './bulk-refusals.ts';
import { type BulkChange, BulkSheet, foundFor } from './bulk-sheet.ts';
import type { Idempotency } from './schedule-creation.ts';
import { auditedChanges, checkMatch, type DraftParts, keyTaken, ScheduleDrafts, visible } from './schedule-drafts.ts';

export interface BulkRequest {
  /** All items or none. */
  readonly atomic: boolean;
  readonly items: readonly BulkItem[];
  readonly idempotency?: Idempotency | undefined;
}

/** Aligned with the request's items. */
export interface BulkAnswer {
  readonly results: readonly BulkResult[];
  readonly replayed: boolean;
}

/** Rounds of one request while others create the keys it would create. */
const ROUNDS = 5;
/** Others get a turn after this long: a thousand hostile triggers must not hold up the loops of the process. */
const TURN_MS = 10;

const EVENTS: Readonly<Record<Exclude<BulkDeed, 'UNCHANGED'>, ScheduleEvent>> = {
  CREATED: 'created',
  REPLACED: 'replaced',
  DELETED: 'deleted',
  PAUSED: 'paused',
  RESUMED: 'resumed',
};

/**
 * Many operations on schedules in one transaction, each by the rules of its single route. An item that is refused changes
 * nothing; `atomic`, it undoes all. A schedule may be named by one item only, so the order of items does not matter.
 */
export class BulkService {
  readonly #unitOfWork: UnitOfWork;
  readonly #bell: Bell;
  readonly #journal: Journal;
  readonly #drafts: ScheduleDrafts;
  readonly #clock: Clock;
  readonly #nextTurn: () => Promise<unknown>;

  /** `nextTurn` resolves once whatever else waits in this process has had its turn. */
  constructor(
    parts: DraftParts & {
      readonly unitOfWork: UnitOfWork;
      readonly bell: Bell;
      readonly journal: Journal;
      readonly clock: Clock;
      readonly nextTurn: () => Promise<unknown>;
    },
  ) {
    this.#unitOfWork = parts.unitOfWork;
    this.#bell = parts.bell;
    this.#journal = parts.journal;
    this.#drafts = new ScheduleDrafts(parts);
    this.#clock = parts.clock;
    this.#nextTurn = parts.nextTurn;
  }

  /** Atomic and an item is refused: throws with the code of the first and the places of all. Throws IDEMPOTENCY_MISMATCH. */
  async apply(caller: Caller, request: BulkRequest): Promise<BulkAnswer> {
    for (let round = 1; ; round += 1) {
      try {
        const { answer, changes } = await this.#unitOfWork.forTenant(caller.tenantId, (work) =>
          this.#applied(work, caller, request),
        );
        this.#announce(caller, changes);
        return answer;
      } catch (error) {
        if (!(error instanceof KeyRace)) throw error;
        if (round === ROUNDS) throw new DomainError('CONFLICT', 'others create and delete these keys all the time');
      }
    }
  }

  async #applied(
    work: TenantWork,
    caller: Caller,
    { atomic, items, idempotency }: BulkRequest,
  ): Promise<{ readonly answer: BulkAnswer; readonly changes: readonly BulkChange[] }> {
    const earlier =
      idempotency === undefined ? null : await work.answers.begin(idempotency.key, idempotency.requestHash);
    if (earlier !== null) return { answer: { results: earlier.bulk ?? [], replayed: true }, changes: [] };
    const sheet = new BulkSheet(items);
    const changes = await this.#drafted(work, caller, sheet);
    if (atomic && sheet.hasRefusals) throw rolledBack(sheet.results);
    const made = await written(work, changes, sheet);
    if (atomic && sheet.hasRefusals) throw rolledBack(sheet.results);
    work.audit.record(
      caller,
      ...made.flatMap(({ did, ...change }) => (did === 'UNCHANGED' ? [] : auditedChanges(EVENTS[did], change))),
    );
    if (idempotency !== undefined) await work.answers.finish(idempotency.key, { bulk: sheet.results });
    return { answer: { results: sheet.results, replayed: false }, changes: made };
  }

  /** The changes that are not refused, none of them saved yet. */
  async #drafted(work: TenantWork, caller: Caller, sheet: BulkSheet): Promise<readonly BulkChange[]> {
    const befores = await foundFor(work, sheet);
    const changes: BulkChange[] = [];
    let turnEnds = this.#clock.monotonic() + TURN_MS;
    for (const { index, operation } of sheet.open) {
      try {
        const change = await this.#draft(work, caller, operation, befores.get(index) ?? null);
        changes.push({ index, ...change });
        sheet.done(index, change);
      } catch (error) {
        sheet.refuse(index, error);
      }
      if (this.#clock.monotonic() < turnEnds) continue;
      await this.#nextTurn();
      turnEnds = this.#clock.monotonic() + TURN_MS;
    }
    return changes;
  }

  async #draft(
    work: TenantWork,
    caller: Caller,
    operation: BulkOperation,
    before: ScheduleEntity | null,
  ): Promise<Omit<BulkChange, 'index'>> {
    const act = { by: caller.subject, now: work.now };
    if (operation.kind === 'CREATE') {
      const after = await this.#drafts.created(work, caller, operation.input).catch(under('schedule'));
      return { did: 'CREATED', before: null, after };
    }
    if (operation.kind === 'UPSERT') {
      const after = await this.#drafts.declared(work, caller, before, operation).catch(under('schedule'));
      return { did: before === null ? 'CREATED' : after === before ? 'UNCHANGED' : 'REPLACED', before, after };
    }
    const schedule = visible(caller, before);
    checkMatch(schedule, operation.ifMatch);
    switch (operation.kind) {
      case 'DELETE':
        return { did: 'DELETED', before: schedule, after: null };
      case 'PAUSE':
        return { did: 'PAUSED', before: schedule, after: schedule.pause(operation.why, act) };
      case 'RESUME':
        return { did: 'RESUMED', before: schedule, after: schedule.resume(operation.missed, act) };
    }
  }

  #announce(caller: Caller, changes: readonly BulkChange[]): void {
    let due = Number.POSITIVE_INFINITY;
    for (const { did, before, after } of changes) {
      const shown = after ?? before;
      if (did === 'UNCHANGED' || shown === null) continue;
      if (after !== null) due = Math.min(due, after.wakesAt(before));
      this.#journal.scheduleChanged(EVENTS[did], shown.state, caller.subject);
    }
    if (due !== Number.POSITIVE_INFINITY) this.#bell.ring(due);
  }
}

/** Somebody created a key between our look and our insert: everything is undone and looked at again. */
class KeyRace extends Error {}

/** Writes the changes of one transaction, all of which pass here. Answers those that were made; the others are refused by then. */
async function written(
  work: TenantWork,
  changes: readonly BulkChange[],
  sheet: BulkSheet,
): Promise<readonly BulkChange[]> {
  crashPoint('bulk.before-write');
  const made: BulkChange[] = [];
  const created: { readonly change: BulkChange; readonly after: ScheduleEntity }[] = [];
  const saved: SavedSchedule[] = [];
  const removed: ScheduleEntity[] = [];
  for (const change of changes) {
    const { before, after } = change;
    if (before === null && after !== null) created.push({ change, after });
    else made.push(change);
    if (before !== null && after === null) removed.push(before);
    if (before !== null && after !== null && after !== before) saved.push({ before, after });
  }
  await work.schedules.removeAll(removed, work.now);
  await work.schedules.saveAll(saved);
  crashPoint('bulk.after-changes');
  const inserted = await work.schedules.insertAll(created.map(({ after }) => after));
  crashPoint('bulk.after-write');
  for (const { change, after } of created) {
    if (inserted.has(after.state.id)) made.push(change);
    else if (sheet.isUpsert(change.index)) throw new KeyRace('a key was created meanwhile');
    else sheet.refuse(change.index, keyTaken(after));
  }
  return made;
}
