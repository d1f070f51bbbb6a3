import { crashPoint } from '#crash-point';
import type { Caller } from '../entities/caller.ts';
import { sees } from '../entities/caller.ts';
import { DomainError } from '../errors.ts';
import type { Bell } from '../ports/bell.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal } from '../ports/journal.ts';
import type { Redrive, RedriveFilter, RedriveStore } from '../ports/redrive-repository.ts';
import type { TenantWork, UnitOfWork } from '../ports/unit-of-work.ts';
import type { Idempotency } from './schedule-creation.ts';

export interface RedriveRequest {
  readonly filter: RedriveFilter;
  /** Runs put back a second, over all nodes. */
  readonly ratePerSec: number;
  readonly idempotency?: Idempotency | undefined;
}

/** A tenant's redrives under way. */
const MOST_RUNNING = 100;
/** Redrives looked at in one round, and runs put back of each. */
const AT_ONCE = 20;
const CHUNK = 100;
/** Rounds are at least this far apart, so that a high rate is kept in few of them. */
const SHORTEST_MS = 100;
/** A request rings; this is what a lost ring can cost. */
const IDLE_MS = 15_000;

/** Puts dead runs back, many by one request, at a rate, in a lane of their own. A redrive is a row with a cursor: a crash resumes it. */
export class RedriveService {
  readonly #unitOfWork: UnitOfWork;
  readonly #store: RedriveStore;
  readonly #bell: Bell;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #journal: Journal;
  readonly #newId: () => string;

  constructor(parts: {
    readonly unitOfWork: UnitOfWork;
    readonly store: RedriveStore;
    readonly bell: Bell;
    readonly clock: Pick<Clock, 'now'>;
    readonly journal: Journal;
    readonly newId: () => string;
  }) {
    this.#unitOfWork = parts.unitOfWork;
    this.#store = parts.store;
    this.#bell = parts.bell;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#newId = parts.newId;
  }

  /** Runs that are dead by now, each put back once. Throws QUOTA_EXCEEDED past a hundred under way, IDEMPOTENCY_MISMATCH. */
  async request(
    caller: Caller,
    { filter, ratePerSec, idempotency }: RedriveRequest,
  ): Promise<{ readonly redrive: Redrive; readonly replayed: boolean }> {
    const { redrive, replayed } = await this.#unitOfWork.forTenant(caller.tenantId, async (work) => {
      const earlier =
        idempotency === undefined ? null : await work.answers.begin(idempotency.key, idempotency.requestHash);
      if (earlier !== null) return { redrive: await found(work, caller, earlier.redrive ?? ''), replayed: true };
      if ((await work.redrives.countRunning()) >= MOST_RUNNING)
        throw new DomainError('QUOTA_EXCEEDED', `${MOST_RUNNING} redrives are under way already`);
      const made = this.#made(caller, { filter, ratePerSec }, work.now);
      const { id, organizationId } = made;
      work.audit.record(caller, { action: 'redrive.requested', id, organizationId, after: { filter, ratePerSec } });
      await work.redrives.add(made);
      if (idempotency !== undefined) await work.answers.finish(idempotency.key, { redrive: made.id });
      return { redrive: made, replayed: false };
    });
    if (replayed) return { redrive, replayed };
    this.#bell.ring(redrive.createdAt.getTime());
    this.#journal.note('redrive_requested', { id: redrive.id, tenantId: caller.tenantId, by: caller.subject });
    return { redrive, replayed };
  }

  /** Throws NOT_FOUND. */
  async get(caller: Caller, id: string): Promise<Redrive> {
    return this.#unitOfWork.forTenant(caller.tenantId, (work) => found(work, caller, id));
  }

  /** The newest hundred, newest first. */
  async list(caller: Caller): Promise<readonly Redrive[]> {
    return this.#unitOfWork.forTenant(caller.tenantId, ({ redrives }) => redrives.list(caller.organizationId));
  }

  /** Puts no further run back; those put back stay so. Throws CONFLICT when it has ended. */
  async cancel(caller: Caller, id: string): Promise<void> {
    await this.#unitOfWork.forTenant(caller.tenantId, async (work) => {
      const { organizationId, state } = await found(work, caller, id);
      const cancelled = await work.redrives.cancel(id, work.now);
      if (cancelled === null) throw new DomainError('CONFLICT', 'the redrive has ended');
      const after = { state: cancelled.state, redriven: cancelled.redriven };
      work.audit.record(caller, { action: 'redrive.cancelled', id, organizationId, before: { state }, after });
    });
    this.#journal.note('redrive_cancelled', { id, tenantId: caller.tenantId, by: caller.subject });
  }

  /** Puts the next runs of each redrive back. Answers the milliseconds until it should be called again. */
  async emit(): Promise<number> {
    const { redriven, nextInMs } = await this.#store.emit(AT_ONCE, CHUNK);
    if (redriven > 0) {
      crashPoint('redriving.after-commit');
      this.#bell.ring(this.#clock.now());
    }
    return Math.min(IDLE_MS, Math.max(SHORTEST_MS, nextInMs));
  }

  #made(caller: Caller, { filter, ratePerSec }: RedriveRequest, now: number): Redrive {
    return {
      id: this.#newId(),
      tenantId: caller.tenantId,
      organizationId: caller.organizationId,
      filter,
      ratePerSec,
      state: 'RUNNING',
      redriven: 0,
      createdAt: new Date(now),
      createdBy: caller.subject,
      endedAt: null,
    };
  }
}

async function found({ redrives }: TenantWork, caller: Caller, id: string): Promise<Redrive> {
  const redrive = await redrives.find(id);
  if (redrive !== null && sees(caller, redrive.organizationId)) return redrive;
  throw new DomainError('NOT_FOUND', 'no such redrive');
}
