import { and, asc, count, eq, getTableColumns, gt, inArray, isNotNull, isNull, type SQL, sql } from 'drizzle-orm';
import { CalendarEntity } from '../../domain/entities/calendar.ts';
import { DomainError } from '../../domain/errors.ts';
import type { ScheduleId, TenantId } from '../../domain/ids.ts';
import type { CalendarQuery, CalendarRepository } from '../../domain/ports/calendar-repository.ts';
import type { Page } from '../../domain/ports/schedule-repository.ts';
import { calendars } from '../db/calendar-schema.ts';
import type { Transaction } from '../db/client.ts';
import { schedules } from '../db/schema.ts';

type Row = typeof calendars.$inferSelect;

const { ical: _text, ...columns } = getTableColumns(calendars);
/** All but the text, which may be half a megabyte. */
const WITHOUT_TEXT = { ...columns, ical: sql<null>`null` };

/** One tenant's calendars, in one transaction. Calendars are locked after schedules. */
export class DrizzleCalendarRepository implements CalendarRepository {
  readonly #tx: Transaction;
  readonly #tenantId: TenantId;

  constructor(tx: Transaction, tenantId: TenantId) {
    this.#tx = tx;
    this.#tenantId = tenantId;
  }

  async find(name: string): Promise<CalendarEntity | null> {
    const [row] = await this.#tx.select(WITHOUT_TEXT).from(calendars).where(this.#named(name));
    return row === undefined ? null : entityOf(row);
  }

  async findForChange(name: string): Promise<CalendarEntity | null> {
    const [row] = await this.#tx.select().from(calendars).where(this.#named(name)).for('update');
    return row === undefined ? null : entityOf(row);
  }

  async findToName(names: readonly string[]): Promise<readonly CalendarEntity[]> {
    const rows = await this.#tx
      .select(WITHOUT_TEXT)
      .from(calendars)
      .where(and(eq(calendars.tenantId, this.#tenantId), inArray(calendars.name, [...names])))
      .orderBy(asc(calendars.name))
      .for('share');
    return rows.map(entityOf);
  }

  async page({ limit, after }: CalendarQuery): Promise<Page<CalendarEntity, string>> {
    const rows = await this.#tx
      .select(WITHOUT_TEXT)
      .from(calendars)
      .where(
        and(eq(calendars.tenantId, this.#tenantId), after === undefined ? undefined : gt(byName, sql`${after}::text`)),
      )
      .orderBy(asc(byName))
      .limit(limit + 1);
    const items = rows.slice(0, limit).map(entityOf);
    return { items, next: rows.length > limit ? (items.at(-1)?.state.name ?? null) : null, total: null };
  }

  async count(): Promise<number> {
    const [row] = await this.#tx
      .select({ found: count() })
      .from(calendars)
      .where(eq(calendars.tenantId, this.#tenantId));
    return row?.found ?? 0;
  }

  async insert({ state }: CalendarEntity): Promise<void> {
    const inserted = await this.#tx
      .insert(calendars)
      .values(state)
      .onConflictDoNothing()
      .returning({ name: calendars.name });
    if (inserted.length === 0)
      throw new DomainError('ALREADY_EXISTS', `a calendar with the name "${state.name}" exists`);
  }

  async save({ state }: CalendarEntity, before: CalendarEntity): Promise<void> {
    const isRevised = state.revision !== before.state.revision;
    await this.#tx
      .update(calendars)
      .set({ ...state, ...(isRevised && { isFresh: true }) })
      .where(this.#named(before.state.name));
  }

  async remove(name: string): Promise<void> {
    await this.#tx.delete(calendars).where(this.#named(name));
  }

  async countUses(name: string): Promise<number> {
    const [row] = await this.#tx.select({ uses: count() }).from(schedules).where(this.#naming(name));
    return row?.uses ?? 0;
  }

  async outdated(name: string, limit: number): Promise<readonly ScheduleId[]> {
    const current = sql`(select sum(c.revision) from calendars c where c.tenant_id = ${schedules.tenantId} and ${schedules.calendars}->'exclude' ? c.name)`;
    const rows = await this.#tx
      .select({ id: schedules.id })
      .from(schedules)
      .where(and(this.#naming(name), sql`(${schedules.excluded}->>'revision')::bigint < ${current}`))
      .orderBy(asc(schedules.id))
      .limit(limit);
    return rows.map(({ id }) => id);
  }

  async settle(name: string, revision: number): Promise<void> {
    await this.#tx
      .update(calendars)
      .set({ isFresh: false })
      .where(and(this.#named(name), eq(calendars.revision, revision)));
  }

  #named(name: string): SQL | undefined {
    return and(eq(calendars.tenantId, this.#tenantId), eq(calendars.name, name));
  }

  /** Index schedules_calendars. */
  #naming(name: string): SQL | undefined {
    return and(
      eq(schedules.tenantId, this.#tenantId),
      isNotNull(schedules.calendars),
      isNull(schedules.deletedAt),
      sql`${schedules.calendars}->'exclude' ? ${name}::text`,
    );
  }
}

/** Names are ordered by their bytes, whatever the database's locale. */
const byName = sql`${calendars.name} collate "C"`;

function entityOf({ isFresh, ...state }: Row): CalendarEntity {
  return new CalendarEntity(state);
}
