import { z } from 'zod';
import { callerOf } from '../middleware/access.ts';
import { expectedVersion, versionTag } from '../middleware/version-tag.ts';
import type { Api, ApiParts } from './api.ts';
import {
  calendarBody,
  calendarContents,
  calendarPage,
  calendarParams,
  calendarPosition,
  calendarQuery,
  calendarShown,
  showCalendar,
  withName,
} from './calendars.schema.ts';
import { CursorList } from './paging.ts';
import { GUARDED, problems, WITH_BODY } from './problem.schema.ts';
import { ifMatchHeaders, noQuery } from './request-parts.ts';

const tags = ['calendars'];

/** Named sets of dates, which schedules exclude. */
export function calendarRoutes(api: Api, parts: ApiParts): void {
  createCalendar(api, parts);
  listCalendars(api, parts);
  getCalendar(api, parts);
  replaceCalendar(api, parts);
  deleteCalendar(api, parts);
}

function createCalendar(api: Api, { calendars }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/calendars',
    schema: {
      operationId: 'createCalendar',
      summary: 'Create a calendar',
      description:
        'Dates, ranges, weekdays and the days of an iCalendar object together. A date is local to each schedule.',
      tags,
      querystring: noQuery,
      body: calendarBody,
      response: { 201: calendarShown, ...problems(...WITH_BODY, 'ALREADY_EXISTS', 'QUOTA_EXCEEDED') },
    },
    handler: async (request, reply) => {
      const calendar = await calendars.create(callerOf(request), request.body);
      const { name, version } = calendar.state;
      return reply
        .code(201)
        .headers({ location: `/calendars/${name}`, etag: versionTag(version) })
        .send(showCalendar(calendar));
    },
  });
}

function listCalendars(api: Api, { calendars, cursors }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/calendars',
    schema: {
      operationId: 'listCalendars',
      summary: 'List calendars by name',
      tags,
      querystring: calendarQuery,
      response: { 200: calendarPage, ...problems(...GUARDED) },
    },
    handler: async (request, reply) => {
      const caller = callerOf(request);
      const identity = { operation: 'listCalendars', caller, filter: {}, sort: 'name' };
      const list = new CursorList(cursors, calendarPosition, identity);
      const found = await calendars.list(caller, list.window(request.query));
      return reply.send({ items: found.items.map(showCalendar), nextCursor: list.nextCursor(found.next) });
    },
  });
}

function getCalendar(api: Api, { calendars }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/calendars/:name',
    schema: {
      operationId: 'getCalendar',
      summary: 'Read a calendar',
      tags,
      params: calendarParams,
      querystring: noQuery,
      response: { 200: calendarShown, ...problems(...GUARDED, 'NOT_FOUND') },
    },
    handler: async (request, reply) => {
      const calendar = await calendars.get(callerOf(request), request.params.name);
      return reply.header('etag', versionTag(calendar.state.version)).send(showCalendar(calendar));
    },
  });
}

function replaceCalendar(api: Api, { calendars }: ApiParts): void {
  api.route({
    method: 'PUT',
    url: '/calendars/:name',
    schema: {
      operationId: 'replaceCalendar',
      summary: 'Replace a calendar',
      description:
        'Fields left out get their defaults, `ical` too. Schedules that name the calendar follow within seconds: slots that are due by then keep their fate, later ones have the new dates.',
      tags,
      params: calendarParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      body: calendarContents,
      response: { 200: calendarShown, ...problems(...WITH_BODY, 'NOT_FOUND', 'PRECONDITION_FAILED') },
    },
    handler: async (request, reply) => {
      const input = withName(request.body, request.params.name);
      const ifMatch = expectedVersion(request.headers['if-match']);
      const calendar = await calendars.replace(callerOf(request), input, ifMatch);
      return reply.header('etag', versionTag(calendar.state.version)).send(showCalendar(calendar));
    },
  });
}

function deleteCalendar(api: Api, { calendars }: ApiParts): void {
  api.route({
    method: 'DELETE',
    url: '/calendars/:name',
    schema: {
      operationId: 'deleteCalendar',
      summary: 'Delete a calendar',
      description: 'Only one that no schedule names.',
      tags,
      params: calendarParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      response: {
        204: z.undefined().meta({ description: 'Deleted' }),
        ...problems(...GUARDED, 'NOT_FOUND', 'CONFLICT', 'PRECONDITION_FAILED'),
      },
    },
    handler: async (request, reply) => {
      const ifMatch = expectedVersion(request.headers['if-match']);
      await calendars.remove(callerOf(request), request.params.name, ifMatch);
      return reply.code(204).send();
    },
  });
}
