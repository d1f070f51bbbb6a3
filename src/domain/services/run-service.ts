import { crashPoint } from '#crash-point';
import type { AuditAction } from '../entities/audit.ts';
import { type Caller, sees } from '../entities/caller.ts';
import { liveRun, type RunRow } from '../entities/run.ts';
import { DomainError } from '../errors.ts';
import { encodeRunId, type RunKey, SLOT_SPACE } from '../ids.ts';
import type { Bell } from '../ports/bell.ts';
import type { Journal } from '../ports/journal.ts';
import { LANES, type RunQuery } from '../ports/run-repository.ts';
import type { Page } from '../ports/schedule-repository.ts';
import type { TenantReading, TenantWork, UnitOfWork } from '../ports/unit-of-work.ts';
import { reportSchedulesOver } from './schedules-over.ts';

/** What a tenant's callers do with runs. A run of another tenant, or of another organization's schedule, is NOT_FOUND. */
export class RunService {
  readonly #unitOfWork: UnitOfWork;
  readonly #bell: Bell;
  readonly #journal: Journal;

  constructor(parts: { readonly unitOfWork: UnitOfWork; readonly bell: Bell; readonly journal: Journal }) {
    this.#unitOfWork = parts.unitOfWork;
    this.#bell = parts.bell;
    this.#journal = parts.journal;
  }

  /** A slot in flight that has no row yet is shown as RUNNING. */
  async get(caller: Caller, key: RunKey): Promise<RunRow> {
    return this.#unitOfWork.reading(caller.tenantId, (work) => runAt(work, caller, key));
  }

  /** Newest slot first. A slot in flight is listed once it ends or after a second. */
  async list(caller: Caller, query: RunQuery): Promise<Page<RunRow, RunKey>> {
    const organizationId = caller.organizationId ?? query.organizationId;
    return this.#unitOfWork.reading(caller.tenantId, ({ runs }) => runs.page({ ...query, organizationId }));
  }

  /** A dead run waits again, with its attempts; a retrying one is due now. Throws CONFLICT in any other state, or when the schedule is deleted. */
  async retry(caller: Caller, key: RunKey): Promise<RunRow> {
    const { run, now } = await this.#unitOfWork.forTenant(caller.tenantId, async (work) => {
      const { state } = await runAt(work, caller, key);
      if ((await work.schedules.find(key.scheduleId)) === null)
        throw new DomainError('CONFLICT', 'the schedule of this run is deleted');
      crashPoint('redrive.before-write');
      const retried = await work.runs.retryNow(key, LANES.redrive, work.now);
      crashPoint('redrive.after-write');
      if (retried === null)
        throw new DomainError('CONFLICT', `only a DEAD or RETRYING run can be retried; this one is ${state}`);
      record(work, caller, 'run.retried', { key, before: { state }, after: { state: retried.state } });
      return { run: retried, now: work.now };
    });
    this.#bell.ring(now);
    this.#journal.note('run_retried', {
      scheduleId: key.scheduleId,
      slot: key.slot,
      space: key.space,
      by: caller.subject,
    });
    return run;
  }

  /** Ends a run for good, wherever it is; a delivery in flight is given up within seconds. Throws CONFLICT when it has ended. */
  async cancel(caller: Caller, key: RunKey): Promise<RunRow> {
    const { run, nextDue, over } = await this.#unitOfWork.forTenant(caller.tenantId, async (work) => {
      const open = await runAt(work, caller, key);
      const cancelled = await work.runs.cancel(open, 'BY_USER', work.now);
      if (cancelled === null) throw new DomainError('CONFLICT', 'the run has ended');
      const { state } = cancelled.run;
      record(work, caller, 'run.cancelled', { key, before: { state: open.state }, after: { state } });
      return cancelled;
    });
    if (nextDue !== Number.POSITIVE_INFINITY) this.#bell.ring(nextDue);
    const { state, reason, attempts } = run;
    this.#journal.runSettled({ key, tenantId: caller.tenantId, state, reason, attempts }, null);
    reportSchedulesOver(this.#journal, over, caller.subject);
    return run;
  }
}

/** An entry belongs to the organization of its caller: a run's own is its schedule's, which may be deleted. */
function record(
  { audit }: TenantWork,
  caller: Caller,
  action: AuditAction,
  { key, before, after }: { readonly key: RunKey; readonly before: object; readonly after: object },
): void {
  audit.record(caller, { action, id: encodeRunId(key), organizationId: caller.organizationId, before, after });
}

async function runAt({ runs, schedules }: TenantReading, caller: Caller, key: RunKey): Promise<RunRow> {
  const found = await runs.find(key, caller.organizationId);
  if (found !== null) return found;
  const schedule = key.space === SLOT_SPACE ? await schedules.find(key.scheduleId) : null;
  if (schedule !== null && sees(caller, schedule.state.organizationId)) {
    const version = await runs.claimedVersion(key);
    if (version !== null) return liveRun({ ...schedule.origin, version }, key.slot);
    // Its row may have been written since we looked.
    const settled = await runs.find(key, caller.organizationId);
    if (settled !== null) return settled;
  }
  throw new DomainError('NOT_FOUND', 'no such run');
}
