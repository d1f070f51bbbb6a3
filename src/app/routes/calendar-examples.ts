import type { ExamplesByOperation } from '../middleware/openapi-document.ts';

const calendarBody = {
  name: 'de-holidays',
  description: 'Public holidays and weekends',
  dates: ['2026-12-25', '2026-12-26'],
  ranges: [{ from: '2026-12-24', to: '2027-01-01' }],
  weekly: ['SA', 'SU'],
};

const calendarFromIcal = {
  name: 'works-holidays',
  ical: 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:labour-day\r\nDTSTART;VALUE=DATE:20260501\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n',
};

const calendar = {
  ...calendarBody,
  tenantId: 'tenant-123',
  icalDays: 0,
  version: 1,
  createdAt: '2026-03-17T10:12:41.000Z',
  updatedAt: '2026-03-17T10:12:41.000Z',
  createdBy: 'user-1',
};

/** What the API's description shows of calendars. */
export const CALENDAR_EXAMPLES: ExamplesByOperation = {
  createCalendar: { bodies: { dates: calendarBody, ical: calendarFromIcal }, answer: calendar },
  listCalendars: { answer: { items: [calendar], nextCursor: null } },
  getCalendar: { answer: calendar },
  replaceCalendar: { bodies: { dates: calendarBody }, answer: { ...calendar, version: 2 } },
};
