import type { z } from 'zod';
import type { Caller } from '../../domain/entities/caller.ts';
import type { RunQuery } from '../../domain/ports/run-repository.ts';
import { callerOf } from '../middleware/access.ts';
import type { Api, ApiParts } from './api.ts';
import { CursorList } from './paging.ts';
import { GUARDED, problems, WITH_BODY } from './problem.schema.ts';
import { noBody, noQuery, runParams, scheduleParams } from './request-parts.ts';
import { runShown, showRun } from './run-shown.ts';
import { deadLettersQuery, runPage, runPosition, runsQuery, scheduleRunsQuery } from './runs.schema.ts';

const tags = ['runs'];
const BOUNDED =
  'A list is at its end when nextCursor is null: a page looks at a bounded number of runs, so that it may be short, or empty, before the end.';

/** Read, retry and cancel runs. */
export function runRoutes(api: Api, parts: ApiParts): void {
  listRuns(api, parts);
  listScheduleRuns(api, parts);
  listDeadLetters(api, parts);
  getRun(api, parts);
  retryRun(api, parts);
  cancelRun(api, parts);
}

function listRuns(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/runs',
    schema: {
      operationId: 'listRuns',
      summary: 'List runs, newest slot first',
      description: BOUNDED,
      tags,
      querystring: runsQuery,
      response: { 200: runPage, ...problems(...GUARDED) },
    },
    handler: async (request, reply) => {
      const { cursor, limit, tenantId, ...filter } = request.query;
      return reply.send(
        await pageOfRuns(parts, { operation: 'listRuns', caller: callerOf(request), filter, cursor, limit }),
      );
    },
  });
}

function listScheduleRuns(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/schedules/:id/runs',
    schema: {
      operationId: 'listScheduleRuns',
      summary: 'List the runs of a schedule, newest slot first',
      description: BOUNDED,
      tags,
      params: scheduleParams,
      querystring: scheduleRunsQuery,
      response: { 200: runPage, ...problems(...GUARDED, 'NOT_FOUND') },
    },
    handler: async (request, reply) => {
      const caller = callerOf(request);
      const { cursor, limit, tenantId, ...rest } = request.query;
      const { state } = await parts.scheduling.get(caller, request.params.id);
      const filter = { ...rest, scheduleId: state.id };
      return reply.send(await pageOfRuns(parts, { operation: 'listScheduleRuns', caller, filter, cursor, limit }));
    },
  });
}

function listDeadLetters(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/dead-letters',
    schema: {
      operationId: 'listDeadLetters',
      summary: 'List dead runs, newest slot first',
      description: `Runs whose attempts are used up, or that met an answer that is final. They are kept until retried or past retention. ${BOUNDED}`,
      tags,
      querystring: deadLettersQuery,
      response: { 200: runPage, ...problems(...GUARDED) },
    },
    handler: async (request, reply) => {
      const { cursor, limit, tenantId, ...rest } = request.query;
      const filter = { ...rest, state: 'DEAD' } as const;
      return reply.send(
        await pageOfRuns(parts, { operation: 'listDeadLetters', caller: callerOf(request), filter, cursor, limit }),
      );
    },
  });
}

function getRun(api: Api, { runs }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/runs/:id',
    schema: {
      operationId: 'getRun',
      summary: 'Read a run',
      tags,
      params: runParams,
      querystring: noQuery,
      response: { 200: runShown, ...problems(...GUARDED, 'NOT_FOUND') },
    },
    handler: async (request, reply) => reply.send(showRun(await runs.get(callerOf(request), request.params.id))),
  });
}

function retryRun(api: Api, { runs }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/runs/:id/retry',
    schema: {
      operationId: 'retryRun',
      summary: 'Try a dead run again, or a retrying one now',
      tags,
      params: runParams,
      querystring: noQuery,
      body: noBody,
      response: { 202: runShown, ...problems(...WITH_BODY, 'NOT_FOUND', 'CONFLICT') },
    },
    handler: async (request, reply) =>
      reply.code(202).send(showRun(await runs.retry(callerOf(request), request.params.id))),
  });
}

function cancelRun(api: Api, { runs }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/runs/:id/cancel',
    schema: {
      operationId: 'cancelRun',
      summary: 'Cancel a run that has not ended',
      tags,
      params: runParams,
      querystring: noQuery,
      body: noBody,
      response: { 200: runShown, ...problems(...WITH_BODY, 'NOT_FOUND', 'CONFLICT') },
    },
    handler: async (request, reply) => reply.send(showRun(await runs.cancel(callerOf(request), request.params.id))),
  });
}

interface RunListRequest {
  readonly operation: string;
  readonly caller: Caller;
  readonly filter: Omit<RunQuery, 'organizationId' | 'limit' | 'after'>;
  readonly cursor: string | undefined;
  readonly limit: number | undefined;
}

async function pageOfRuns(
  { runs, cursors }: ApiParts,
  { operation, caller, filter, cursor, limit }: RunListRequest,
): Promise<z.output<typeof runPage>> {
  const list = new CursorList(cursors, runPosition, { operation, caller, filter, sort: '-slot' });
  const found = await runs.list(caller, {
    ...filter,
    organizationId: caller.organizationId,
    ...list.window({ cursor, limit }),
  });
  return { items: found.items.map(showRun), nextCursor: list.nextCursor(found.next) };
}
