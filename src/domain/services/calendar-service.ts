import { auditedCalendar } from '../entities/audit.ts';
import { CalendarEntity, type CalendarInput, MOST_CALENDARS } from '../entities/calendar.ts';
import type { Caller } from '../entities/caller.ts';
import { DomainError } from '../errors.ts';
import type { ScheduleId, TenantId } from '../ids.ts';
import type { Bell } from '../ports/bell.ts';
import type { CalendarChanges, CalendarQuery } from '../ports/calendar-repository.ts';
import type { Journal } from '../ports/journal.ts';
import type { Page } from '../ports/schedule-repository.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import { datesOf } from './calendar-dates.ts';

/** Changed calendars of one round, each of another tenant, and schedules of one calendar: 500 in all. */
const CALENDARS = 5;
const SCHEDULES = 100;

/**
 * What a tenant's callers do with calendars, and how schedules take over changed dates: a schedule keeps the dates it was
 * defined with until `takeOver` gives it the new ones, in chunks, soon after the change.
 */
export class CalendarService {
  readonly #unitOfWork: UnitOfWork;
  readonly #changes: CalendarChanges;
  readonly #bell: Bell;
  readonly #journal: Journal;

  constructor(parts: { unitOfWork: UnitOfWork; changes: CalendarChanges; bell: Bell; journal: Journal }) {
    this.#unitOfWork = parts.unitOfWork;
    this.#changes = parts.changes;
    this.#bell = parts.bell;
    this.#journal = parts.journal;
  }

  /** Throws VALIDATION_FAILED, ALREADY_EXISTS for a name in use, QUOTA_EXCEEDED past 1,000 calendars. */
  async create(caller: Caller, input: CalendarInput): Promise<CalendarEntity> {
    checkReach(caller);
    return this.#unitOfWork.forTenant(caller.tenantId, async ({ calendars, audit, now }) => {
      const calendar = CalendarEntity.create(input, caller.tenantId, { by: caller.subject, now });
      if ((await calendars.count()) >= MOST_CALENDARS)
        throw new DomainError('QUOTA_EXCEEDED', `a tenant has at most ${MOST_CALENDARS} calendars`);
      const after = auditedCalendar(calendar.state);
      audit.record(caller, { action: 'calendar.created', id: input.name, after });
      await calendars.insert(calendar);
      return calendar;
    });
  }

  async get(caller: Caller, name: string): Promise<CalendarEntity> {
    return this.#unitOfWork.forTenant(caller.tenantId, async ({ calendars }) => found(await calendars.find(name)));
  }

  async list(caller: Caller, query: CalendarQuery): Promise<Page<CalendarEntity, string>> {
    return this.#unitOfWork.forTenant(caller.tenantId, ({ calendars }) => calendars.page(query));
  }

  /** No change: no new version. Schedules that name the calendar follow within seconds. */
  async replace(caller: Caller, input: CalendarInput, ifMatch: number | null): Promise<CalendarEntity> {
    checkReach(caller);
    return this.#unitOfWork.forTenant(caller.tenantId, async ({ calendars, audit, now }) => {
      const before = found(await calendars.findForChange(input.name));
      checkMatch(before, ifMatch);
      const after = before.replace(input, now);
      if (after === before) return after;
      const [old, next] = [auditedCalendar(before.state), auditedCalendar(after.state)];
      audit.record(caller, { action: 'calendar.replaced', id: input.name, before: old, after: next });
      await calendars.save(after, before);
      return after;
    });
  }

  /** Throws CONFLICT while a schedule names it. */
  async remove(caller: Caller, name: string, ifMatch: number | null): Promise<void> {
    checkReach(caller);
    await this.#unitOfWork.forTenant(caller.tenantId, async ({ calendars, audit }) => {
      const calendar = found(await calendars.findForChange(name));
      checkMatch(calendar, ifMatch);
      const uses = await calendars.countUses(name);
      if (uses > 0) {
        const message = uses === 1 ? '1 schedule names the calendar' : `${uses} schedules name the calendar`;
        throw new DomainError('CONFLICT', message);
      }
      audit.record(caller, { action: 'calendar.deleted', id: name, before: auditedCalendar(calendar.state) });
      await calendars.remove(name);
    });
  }

  /** Gives the next schedules the dates of calendars that changed. Answers whether it wants to go on at once. */
  async takeOver(): Promise<boolean> {
    let isMoreLeft = false;
    for (const { tenantId, name, revision } of await this.#changes.changed(CALENDARS)) {
      const ids = await this.#unitOfWork.forTenant(tenantId, ({ calendars }) => calendars.outdated(name, SCHEDULES));
      const taken = await this.#takeOverAll(tenantId, ids);
      if (ids.length === SCHEDULES) isMoreLeft ||= taken > 0;
      else if (taken === ids.length)
        await this.#unitOfWork.forTenant(tenantId, ({ calendars }) => calendars.settle(name, revision));
    }
    return isMoreLeft;
  }

  /** How many of them could. One that cannot stays as it is until the next round. */
  async #takeOverAll(tenantId: TenantId, ids: readonly ScheduleId[]): Promise<number> {
    let taken = 0;
    for (const id of ids) {
      try {
        await this.#takeOverOne(tenantId, id);
        taken += 1;
      } catch (error) {
        this.#journal.loopFailed('calendars', error);
      }
    }
    return taken;
  }

  async #takeOverOne(tenantId: TenantId, id: ScheduleId): Promise<void> {
    const due = await this.#unitOfWork.forTenant(tenantId, async ({ schedules, calendars, now }) => {
      const before = await schedules.findForChange({ id });
      if (before === null || before.state.calendars === null) return Number.POSITIVE_INFINITY;
      const after = before.takeOver(await datesOf(calendars, before.state.calendars), now);
      if (after !== before) await schedules.save(after, before);
      return after.wakesAt(before);
    });
    if (due !== Number.POSITIVE_INFINITY) this.#bell.ring(due);
  }
}

function found(calendar: CalendarEntity | null): CalendarEntity {
  if (calendar === null) throw new DomainError('NOT_FOUND', 'no such calendar');
  return calendar;
}

function checkMatch({ state }: CalendarEntity, ifMatch: number | null): void {
  if (ifMatch === null || ifMatch === state.version) return;
  throw new DomainError('PRECONDITION_FAILED', `the calendar is at version ${state.version}`);
}

/** Calendars belong to the whole tenant. */
function checkReach({ organizationId }: Caller): void {
  if (organizationId !== null)
    throw new DomainError('PERMISSION_DENIED', 'the token writes only what belongs to its organization');
}
