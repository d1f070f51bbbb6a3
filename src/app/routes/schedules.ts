import { z } from 'zod';
import { callerOf } from '../middleware/access.ts';
import { readIdempotencyKey } from '../middleware/idempotency.ts';
import { expectedVersion, versionTag } from '../middleware/version-tag.ts';
import type { Api, ApiParts } from './api.ts';
import { CursorList, pageCounts } from './paging.ts';
import { GUARDED, problems, WITH_DEFINITION } from './problem.schema.ts';
import { idempotencyHeaders, ifMatchHeaders, noQuery, scheduleParams } from './request-parts.ts';
import { inputOf, scheduleBody, withKey } from './schedule-input.ts';
import { patchedInput, schedulePatch } from './schedule-patch.ts';
import { scheduleShown, showSchedule } from './schedule-shown.ts';
import { keyParams, listPosition, listQuery, schedulePage } from './schedules.schema.ts';

const tags = ['schedules'];

/** Create, read, change and delete schedules. */
export function scheduleRoutes(api: Api, parts: ApiParts): void {
  createSchedule(api, parts);
  listSchedules(api, parts);
  getSchedule(api, parts);
  patchSchedule(api, parts);
  replaceSchedule(api, parts);
  upsertScheduleByKey(api, parts);
  deleteSchedule(api, parts);
}

function createSchedule(api: Api, { scheduling }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/schedules',
    schema: {
      operationId: 'createSchedule',
      summary: 'Create a schedule',
      tags,
      headers: idempotencyHeaders,
      querystring: noQuery,
      body: scheduleBody,
      response: { 201: scheduleShown, ...problems(...WITH_DEFINITION, 'ALREADY_EXISTS', 'IDEMPOTENCY_MISMATCH') },
    },
    preValidation: readIdempotencyKey,
    handler: async (request, reply) => {
      const caller = callerOf(request);
      const { schedule, replayed } = await scheduling.create(
        caller,
        inputOf(caller, request.body),
        request.idempotency,
      );
      if (replayed) reply.header('idempotent-replayed', 'true');
      return reply
        .code(201)
        .headers({ location: `/schedules/${schedule.state.id}`, etag: versionTag(schedule.state.version) })
        .send(showSchedule(schedule));
    },
  });
}

function listSchedules(api: Api, { scheduling, cursors }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/schedules',
    schema: {
      operationId: 'listSchedules',
      summary: 'List schedules, by page or by cursor',
      description:
        'By cursor, a list is at its end when nextCursor is null: with a filter, a page looks at 1,000 schedules at most, so that it may be short, or empty, before the end. By page, everything before the page is read.',
      tags,
      querystring: listQuery,
      response: { 200: schedulePage, ...problems(...GUARDED) },
    },
    handler: async (request, reply) => {
      const caller = callerOf(request);
      const { page, pageSize, cursor, limit, sort, tenantId, ...filter } = request.query;
      const list = new CursorList(cursors, listPosition, { operation: 'listSchedules', caller, filter, sort });
      const window = list.pagedWindow(request.query);
      const found = await scheduling.list(caller, {
        filter: { ...filter, organizationId: caller.organizationId },
        sort,
        ...window,
      });
      return reply.send({
        items: found.items.map(showSchedule),
        nextCursor: window.offset === undefined ? list.nextCursor(found.next) : null,
        ...pageCounts(request.query, found),
      });
    },
  });
}

function getSchedule(api: Api, { scheduling }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/schedules/:id',
    schema: {
      operationId: 'getSchedule',
      summary: 'Read a schedule',
      tags,
      params: scheduleParams,
      querystring: noQuery,
      response: { 200: scheduleShown, ...problems(...GUARDED, 'NOT_FOUND') },
    },
    handler: async (request, reply) => {
      const schedule = await scheduling.get(callerOf(request), request.params.id);
      return reply.header('etag', versionTag(schedule.state.version)).send(showSchedule(schedule));
    },
  });
}

function patchSchedule(api: Api, { scheduling }: ApiParts): void {
  api.route({
    method: 'PATCH',
    url: '/schedules/:id',
    schema: {
      operationId: 'patchSchedule',
      summary: 'Change some fields of a schedule',
      description:
        'JSON Merge Patch. `enabled: false` is a pause without note, `enabled: true` a resume that skips what was missed.',
      tags,
      params: scheduleParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      body: schedulePatch,
      response: {
        200: scheduleShown,
        ...problems(...WITH_DEFINITION, 'NOT_FOUND', 'ALREADY_EXISTS', 'CONFLICT', 'PRECONDITION_FAILED'),
      },
    },
    handler: async (request, reply) => {
      const caller = callerOf(request);
      const ifMatch = expectedVersion(request.headers['if-match']);
      const schedule = await scheduling.patch(
        caller,
        request.params.id,
        (current) => patchedInput(caller, current, request.body),
        ifMatch,
      );
      return reply.header('etag', versionTag(schedule.state.version)).send(showSchedule(schedule));
    },
  });
}

function replaceSchedule(api: Api, { scheduling }: ApiParts): void {
  api.route({
    method: 'PUT',
    url: '/schedules/:id',
    schema: {
      operationId: 'replaceSchedule',
      summary: 'Replace a schedule',
      description:
        'Fields left out get their defaults; `enabled` left out keeps the state. No change makes no new version.',
      tags,
      params: scheduleParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      body: scheduleBody,
      response: {
        200: scheduleShown,
        ...problems(...WITH_DEFINITION, 'NOT_FOUND', 'ALREADY_EXISTS', 'CONFLICT', 'PRECONDITION_FAILED'),
      },
    },
    handler: async (request, reply) => {
      const caller = callerOf(request);
      const ifMatch = expectedVersion(request.headers['if-match']);
      const schedule = await scheduling.replace(caller, request.params.id, inputOf(caller, request.body), ifMatch);
      return reply.header('etag', versionTag(schedule.state.version)).send(showSchedule(schedule));
    },
  });
}

function upsertScheduleByKey(api: Api, { scheduling }: ApiParts): void {
  api.route({
    method: 'PUT',
    url: '/schedules/by-key/:key',
    schema: {
      operationId: 'upsertScheduleByKey',
      summary: 'Create the schedule with this key, or replace it',
      description:
        'Safe at the start of every replica: one schedule results, and no change makes no new version. A `/` in the key is written `%2F`.',
      tags,
      params: keyParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      body: scheduleBody,
      response: {
        200: scheduleShown,
        201: scheduleShown,
        ...problems(...WITH_DEFINITION, 'CONFLICT', 'PRECONDITION_FAILED'),
      },
    },
    handler: async (request, reply) => {
      const caller = callerOf(request);
      const input = inputOf(caller, withKey(request.body, request.params.key));
      const { schedule, created } = await scheduling.upsertByKey(
        caller,
        request.params.key,
        input,
        expectedVersion(request.headers['if-match']),
      );
      if (created) reply.header('location', `/schedules/${schedule.state.id}`);
      return reply
        .code(created ? 201 : 200)
        .header('etag', versionTag(schedule.state.version))
        .send(showSchedule(schedule));
    },
  });
}

function deleteSchedule(api: Api, { scheduling }: ApiParts): void {
  api.route({
    method: 'DELETE',
    url: '/schedules/:id',
    schema: {
      operationId: 'deleteSchedule',
      summary: 'Delete a schedule',
      description: 'Its pending runs end as CANCELLED; its history is kept until retention.',
      tags,
      params: scheduleParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      response: {
        204: z.undefined().meta({ description: 'Deleted' }),
        ...problems(...GUARDED, 'NOT_FOUND', 'PRECONDITION_FAILED'),
      },
    },
    handler: async (request, reply) => {
      await scheduling.remove(callerOf(request), request.params.id, expectedVersion(request.headers['if-match']));
      return reply.code(204).send();
    },
  });
}
