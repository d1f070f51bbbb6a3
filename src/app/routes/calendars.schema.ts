import { z } from 'zod';
import { CALENDAR_NAME, type CalendarEntity, MOST_DATES, MOST_RANGES } from '../../domain/entities/calendar.ts';
import { DomainError } from '../../domain/errors.ts';
import { failsAs } from '../middleware/field-problems.ts';
import { instantShown, matching, text } from './fields.ts';
import { cursorFields, listShown } from './paging.ts';
import { query, tenantId } from './request-parts.ts';

const weekday = z.enum(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']);
const date = z.string().meta({ format: 'date', examples: ['2026-12-25'] });
const range = z.strictObject({ from: date, to: date });
const name = matching(CALENDAR_NAME, '1 to 100 letters, digits, ., _ or -').meta({ examples: ['de-holidays'] });

const contents = {
  tenantId,
  description: text(2000).nullable().default(null),
  dates: z.array(date).max(MOST_DATES).default([]),
  ranges: z.array(range).max(MOST_RANGES).default([]).meta({ description: 'Both ends inclusive' }),
  weekly: z
    .array(weekday)
    .max(7)
    .refine((days) => new Set(days).size === days.length, { error: 'must name each weekday once' })
    .default([])
    .meta({ examples: [['SA', 'SU']] }),
  ical: z.string().nullable().default(null).meta({
    description:
      'An iCalendar object of at most 512 KiB and 10,000 events: each day that a VEVENT touches, its RRULE expanded to 2099',
  }),
};

/** The body of a create. What the dates mean is read by the domain. */
export const calendarBody = z
  .strictObject({ name, ...contents })
  .transform(({ tenantId: _tenant, ...given }) => given)
  .meta({ id: 'CalendarBody' });

/** The body of a replace, whose name is the path's. */
export const calendarContents = z
  .strictObject({ name: name.optional(), ...contents })
  .transform(({ tenantId: _tenant, ...given }) => given)
  .meta({ id: 'CalendarContents' });

/** The path of one calendar; what cannot be a name is a calendar that does not exist. */
export const calendarParams = z.strictObject({
  name: z
    .string()
    .meta({ examples: ['de-holidays'] })
    .transform((given, context) => {
      if (CALENDAR_NAME.test(given)) return given;
      context.addIssue({ code: 'custom', message: 'no such calendar', params: failsAs('NOT_FOUND') });
      return z.NEVER;
    }),
});

export const calendarQuery = query(cursorFields);

/** The last name of a page. */
export const calendarPosition = z.string();

export const calendarShown = z
  .object({
    name: z.string(),
    tenantId: z.string(),
    description: z.string().nullable(),
    dates: z.array(z.string()).readonly(),
    ranges: z.array(z.object({ from: z.string(), to: z.string() })).readonly(),
    weekly: z.array(weekday).readonly(),
    icalDays: z.int().meta({ description: 'How many days the ical text holds; the text itself is not answered' }),
    version: z.int().meta({ description: 'Grows with every change; the ETag' }),
    createdAt: instantShown,
    updatedAt: instantShown,
    createdBy: z.string(),
  })
  .meta({ id: 'Calendar' });

export const calendarPage = listShown(calendarShown).meta({ id: 'CalendarPage' });

/** What an answer says of a calendar. */
export function showCalendar({ state, icalDayCount }: CalendarEntity): z.output<typeof calendarShown> {
  return { ...state, icalDays: icalDayCount };
}

/** The contents under the name of their path. Throws VALIDATION_FAILED where the body names another. */
export function withName<Contents extends { readonly name?: string | undefined }>(
  given: Contents,
  path: string,
): Contents & { readonly name: string } {
  if (given.name === undefined || given.name === path) return { ...given, name: path };
  const message = 'must be the name in the path';
  throw new DomainError('VALIDATION_FAILED', `name ${message}`, [{ path: 'name', message }]);
}
