import { crashPoint } from '#crash-point';
import type { Caller } from '../entities/caller.ts';
import { sees } from '../entities/caller.ts';
import type { ScheduleEntity } from '../entities/schedule.ts';
import type { ScheduleVersion } from '../entities/schedule-version.ts';
import { DomainError } from '../errors.ts';
import type { ScheduleId } from '../ids.ts';
import { type Backfill, type BackfillStore, MOST_WAITING } from '../ports/backfill-repository.ts';
import type { Bell } from '../ports/bell.ts';
import type { Journal } from '../ports/journal.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';

/** A stretch of past slots, epoch ms, both ends inclusive, and how many slots the caller is prepared for. */
export interface BackfillRequest {
  readonly from: number;
  readonly to: number;
  readonly limit: number;
}

/** No backfill makes more runs than this, whatever its limit. */
export const LARGEST_BACKFILL = 10_000;
/** A tenant's backfills that wait for emission. */
const OPEN_BACKFILLS = 100;
const EMITTED_AT_ONCE = 20;
const NEXT_CHUNK_MS = 1_000;
/** A request rings; this is what a lost ring can cost. */
const IDLE_MS = 15_000;

/** Runs past slots again, in a lane of their own and no faster than they are delivered. */
export class BackfillService {
  readonly #unitOfWork: UnitOfWork;
  readonly #store: BackfillStore;
  readonly #bell: Bell;
  readonly #journal: Journal;
  readonly #newId: () => string;

  constructor(parts: {
    unitOfWork: UnitOfWork;
    store: BackfillStore;
    bell: Bell;
    journal: Journal;
    newId: () => string;
  }) {
    this.#unitOfWork = parts.unitOfWork;
    this.#store = parts.store;
    this.#bell = parts.bell;
    this.#journal = parts.journal;
    this.#newId = parts.newId;
  }

  /** Throws BACKFILL_TOO_LARGE with the count, CONFLICT where there is nothing to run, QUOTA_EXCEEDED past 100 open ones. */
  async request(caller: Caller, scheduleId: ScheduleId, asked: BackfillRequest): Promise<Backfill> {
    const { backfill, state } = await this.#unitOfWork.forTenant(
      caller.tenantId,
      async ({ schedules, backfills, audit, now }) => {
        const schedule = await schedules.find(scheduleId);
        if (schedule === null || !sees(caller, schedule.state.organizationId)) {
          throw new DomainError('NOT_FOUND', 'there is no such schedule');
        }
        if ((await backfills.countOpen()) >= OPEN_BACKFILLS) {
          throw new DomainError('QUOTA_EXCEEDED', `${OPEN_BACKFILLS} backfills are waiting already`);
        }
        const version = schedule.currentVersion;
        const until = Math.min(asked.to, now, lastDecided(schedule, version));
        const made: Backfill = {
          id: this.#newId(),
          tenantId: caller.tenantId,
          scheduleId,
          version: version.version,
          cursor: asked.from - 1,
          until,
          remaining: checkedCount(version, asked, until),
          createdAt: new Date(now),
          createdBy: caller.subject,
        };
        const { organizationId } = schedule.state;
        const [from, to] = [asked.from, asked.to].map((at) => new Date(at).toISOString());
        const after = { backfill: made.id, from, to, count: made.remaining };
        audit.record(caller, { action: 'schedule.backfilled', id: scheduleId, organizationId, after });
        await backfills.add(made);
        return { backfill: made, state: schedule.state };
      },
    );
    this.#bell.ring(backfill.createdAt.getTime());
    this.#journal.scheduleChanged('backfilled', state, caller.subject);
    return backfill;
  }

  /** Emits the next chunk of each open backfill. Answers the milliseconds until it should be called again. */
  async emit(): Promise<number> {
    const { runs, isMoreLeft } = await this.#store.emit(EMITTED_AT_ONCE, nextChunk);
    if (runs.length > 0) {
      crashPoint('backfill.after-commit');
      this.#bell.ring(runs[0]?.slot ?? 0);
    }
    return isMoreLeft ? NEXT_CHUNK_MS : IDLE_MS;
  }
}

/**
 * The slot to come and all behind it are the schedule's own: a resume may fire those that pass in a pause, a calendar may have
 * put them off. Epoch ms.
 */
function lastDecided({ state, timer }: ScheduleEntity, { slots }: ScheduleVersion): number {
  const isOver = state.state === 'COMPLETED' || timer.due === Number.POSITIVE_INFINITY;
  if (isOver) return Number.POSITIVE_INFINITY;
  return slots === null ? timer.slot - 1 : slots.calendar.handledBelow(timer.slot);
}

/** The next slots of a backfill, as many as its schedule has room for. */
function nextChunk(backfill: Backfill, version: ScheduleVersion, waiting: number): readonly number[] {
  const room = Math.min(MOST_WAITING - waiting, backfill.remaining);
  const slots: number[] = [];
  let slot = room > 0 ? version.slotAfter(backfill.cursor) : null;
  while (slot !== null && slot <= backfill.until && slots.length < room) {
    slots.push(slot);
    slot = version.slotAfter(slot);
  }
  return slots;
}

function checkedCount(version: ScheduleVersion, asked: BackfillRequest, until: number): number {
  if (version.delayMs !== null) throw new DomainError('CONFLICT', 'a FIXED_DELAY schedule has no slots in the past');
  const count = until < asked.from ? 0 : version.countSlots(asked.from - 1, until);
  const most = Math.min(asked.limit, LARGEST_BACKFILL);
  if (count === null || count > most) {
    const found = count === null ? 'more than 100000' : String(count);
    const message = `the range holds ${found} slots; limit allows ${most}`;
    throw new DomainError('BACKFILL_TOO_LARGE', message, [{ path: 'limit', message }]);
  }
  if (count === 0) throw new DomainError('CONFLICT', 'the range holds no slot that has passed');
  return count;
}
