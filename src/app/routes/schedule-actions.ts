import { callerOf } from '../middleware/access.ts';
import { expectedVersion, versionTag } from '../middleware/version-tag.ts';
import type { Api, ApiParts } from './api.ts';
import { GUARDED, problems, WITH_BODY } from './problem.schema.ts';
import { ifMatchHeaders, noBody, noQuery, scheduleParams } from './request-parts.ts';
import { runShown, showRun } from './run-shown.ts';
import { previewDefinition } from './schedule-input.ts';
import { scheduleShown, showSchedule } from './schedule-shown.ts';
import { pauseBody, previewBody, resumeBody, triggerBody, upcomingQuery, upcomingShown } from './schedules.schema.ts';

const tags = ['schedules'];
const changed = { 200: scheduleShown, ...problems(...WITH_BODY, 'NOT_FOUND', 'CONFLICT', 'PRECONDITION_FAILED') };

/** Pause, resume and run schedules, and look ahead. */
export function scheduleActionRoutes(api: Api, parts: ApiParts): void {
  pauseSchedule(api, parts);
  resumeSchedule(api, parts);
  skipNextSlot(api, parts);
  triggerSchedule(api, parts);
  listUpcomingSlots(api, parts);
  previewSchedule(api, parts);
}

function pauseSchedule(api: Api, { scheduling }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/schedules/:id/pause',
    schema: {
      operationId: 'pauseSchedule',
      summary: 'Pause a schedule',
      description:
        'No slot becomes a run until it is resumed, at `resumeAt` by itself. Only an ACTIVE schedule can be paused.',
      tags,
      params: scheduleParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      body: pauseBody,
      response: changed,
    },
    handler: async (request, reply) => {
      const { note, resumeAt } = request.body;
      const ifMatch = expectedVersion(request.headers['if-match']);
      const schedule = await scheduling.pause(callerOf(request), request.params.id, { note, resumeAt }, ifMatch);
      return reply.header('etag', versionTag(schedule.state.version)).send(showSchedule(schedule));
    },
  });
}

function resumeSchedule(api: Api, { scheduling }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/schedules/:id/resume',
    schema: {
      operationId: 'resumeSchedule',
      summary: 'Resume a schedule',
      description:
        'Only a PAUSED or DISABLED schedule can be resumed. `missed` decides on the slots that passed meanwhile.',
      tags,
      params: scheduleParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      body: resumeBody,
      response: changed,
    },
    handler: async (request, reply) => {
      const ifMatch = expectedVersion(request.headers['if-match']);
      const schedule = await scheduling.resume(callerOf(request), request.params.id, request.body.missed, ifMatch);
      return reply.header('etag', versionTag(schedule.state.version)).send(showSchedule(schedule));
    },
  });
}

function skipNextSlot(api: Api, { scheduling }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/schedules/:id/skip-next',
    schema: {
      operationId: 'skipNextSlot',
      summary: 'Let the next slot pass',
      description:
        'It becomes no run; its record is SKIPPED with reason BY_USER once it passes. A pause forgets the mark.',
      tags,
      params: scheduleParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      body: noBody,
      response: changed,
    },
    handler: async (request, reply) => {
      const ifMatch = expectedVersion(request.headers['if-match']);
      const schedule = await scheduling.skipNext(callerOf(request), request.params.id, ifMatch);
      return reply.header('etag', versionTag(schedule.state.version)).send(showSchedule(schedule));
    },
  });
}

function triggerSchedule(api: Api, { scheduling }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/schedules/:id/trigger',
    schema: {
      operationId: 'triggerSchedule',
      summary: 'Run a schedule now, beside its slots',
      tags,
      params: scheduleParams,
      querystring: noQuery,
      body: triggerBody,
      response: { 202: runShown, ...problems(...WITH_BODY, 'NOT_FOUND', 'CONFLICT') },
    },
    handler: async (request, reply) => {
      const run = await scheduling.trigger(callerOf(request), request.params.id, request.body.payload);
      return reply.code(202).send(showRun(run));
    },
  });
}

function listUpcomingSlots(api: Api, { scheduling }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/schedules/:id/upcoming',
    schema: {
      operationId: 'listUpcomingSlots',
      summary: 'The next slots of a schedule',
      tags,
      params: scheduleParams,
      querystring: upcomingQuery,
      response: { 200: upcomingShown, ...problems(...GUARDED, 'NOT_FOUND') },
    },
    handler: async (request, reply) => {
      const { from, to, count } = request.query;
      return reply.send(await scheduling.upcoming(callerOf(request), request.params.id, { from, to, count }));
    },
  });
}

function previewSchedule(api: Api, { scheduling }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/schedules/preview',
    schema: {
      operationId: 'previewSchedule',
      summary: 'The slots that an unsaved schedule would have',
      tags,
      querystring: noQuery,
      body: previewBody,
      response: { 200: upcomingShown, ...problems(...WITH_BODY, 'INVALID_TRIGGER', 'TRIGGER_NEVER_FIRES') },
    },
    handler: async (request, reply) => {
      const { tenantId, from, count, ...slots } = request.body;
      const caller = callerOf(request);
      return reply.send(
        await scheduling.preview(caller, { definition: previewDefinition(caller, slots), from, count }),
      );
    },
  });
}
