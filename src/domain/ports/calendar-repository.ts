import type { CalendarEntity } from '../entities/calendar.ts';
import type { ScheduleId, TenantId } from '../ids.ts';
import type { Page } from './schedule-repository.ts';

/** A calendar as lists show it: without the text it was read from. */
export interface CalendarQuery {
  readonly limit: number;
  /** The name of the last item of the page before. */
  readonly after?: string | undefined;
}

/** The calendars of one tenant. */
export interface CalendarRepository {
  /** `ical` is read only for change; else it is null whatever was sent. */
  find(name: string): Promise<CalendarEntity | null>;
  /** Locks the calendar until the transaction ends. */
  findForChange(name: string): Promise<CalendarEntity | null>;
  /** Those of these names that exist. None of them changes until the transaction ends. */
  findToName(names: readonly string[]): Promise<readonly CalendarEntity[]>;
  /** By name; `ical` as in `find`. */
  page(query: CalendarQuery): Promise<Page<CalendarEntity, string>>;
  count(): Promise<number>;
  /** Throws ALREADY_EXISTS for a name in use. */
  insert(calendar: CalendarEntity): Promise<void>;
  /** Marks it where its dates changed, so that schedules take them over. */
  save(calendar: CalendarEntity, before: CalendarEntity): Promise<void>;
  remove(name: string): Promise<void>;
  /** How many living schedules name it. */
  countUses(name: string): Promise<number>;
  /** Living schedules that name it and have not taken over its dates, or those of another calendar they name. */
  outdated(name: string, limit: number): Promise<readonly ScheduleId[]>;
  /** Every schedule has taken over the dates of this revision. */
  settle(name: string, revision: number): Promise<void>;
}

/** Calendars whose dates changed, across tenants: the longest waiting one of each tenant, the longest waiting first. */
export interface CalendarChanges {
  changed(
    limit: number,
  ): Promise<readonly { readonly tenantId: TenantId; readonly name: string; readonly revision: number }[]>;
}
