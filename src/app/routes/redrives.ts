import { z } from 'zod';
import { callerOf } from '../middleware/access.ts';
import { readIdempotencyKey } from '../middleware/idempotency.ts';
import type { Api, ApiParts } from './api.ts';
import { GUARDED, problems, WITH_BODY } from './problem.schema.ts';
import { redriveBody, redriveList, redriveParams, redriveShown, showRedrive } from './redrives.schema.ts';
import { idempotencyHeaders, noQuery } from './request-parts.ts';

const tags = ['runs'];

/** Dead runs put back, many by one request. */
export function redriveRoutes(api: Api, parts: ApiParts): void {
  requestRedrive(api, parts);
  listRedrives(api, parts);
  getRedrive(api, parts);
  cancelRedrive(api, parts);
}

function requestRedrive(api: Api, { redrives }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/dead-letters/redrive',
    schema: {
      operationId: 'redriveDeadLetters',
      summary: 'Try many dead runs again, at a rate',
      description:
        'Each run that is dead by now is put back once, as its retry does, oldest slot first and behind live runs. Runs of deleted schedules stay dead.',
      tags,
      headers: idempotencyHeaders,
      querystring: noQuery,
      body: redriveBody,
      response: { 202: redriveShown, ...problems(...WITH_BODY, 'QUOTA_EXCEEDED', 'IDEMPOTENCY_MISMATCH') },
    },
    preValidation: readIdempotencyKey,
    handler: async (request, reply) => {
      const { ids, filter, ratePerSec } = request.body;
      const { redrive, replayed } = await redrives.request(callerOf(request), {
        filter: ids === undefined ? { ...filter } : { runs: ids },
        ratePerSec,
        idempotency: request.idempotency,
      });
      if (replayed) reply.header('idempotent-replayed', 'true');
      return reply.code(202).header('location', `/dead-letters/redrives/${redrive.id}`).send(showRedrive(redrive));
    },
  });
}

function listRedrives(api: Api, { redrives }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/dead-letters/redrives',
    schema: {
      operationId: 'listRedrives',
      summary: 'List redrives, the newest hundred',
      tags,
      querystring: noQuery,
      response: { 200: redriveList, ...problems(...GUARDED) },
    },
    handler: async (request, reply) => reply.send({ items: (await redrives.list(callerOf(request))).map(showRedrive) }),
  });
}

function getRedrive(api: Api, { redrives }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/dead-letters/redrives/:id',
    schema: {
      operationId: 'getRedrive',
      summary: 'See how far a redrive is',
      tags,
      params: redriveParams,
      querystring: noQuery,
      response: { 200: redriveShown, ...problems(...GUARDED, 'NOT_FOUND') },
    },
    handler: async (request, reply) =>
      reply.send(showRedrive(await redrives.get(callerOf(request), request.params.id))),
  });
}

function cancelRedrive(api: Api, { redrives }: ApiParts): void {
  api.route({
    method: 'DELETE',
    url: '/dead-letters/redrives/:id',
    schema: {
      operationId: 'cancelRedrive',
      summary: 'Stop a redrive',
      description: 'No further run is put back; those that were stay so.',
      tags,
      params: redriveParams,
      querystring: noQuery,
      response: {
        204: z.undefined().meta({ description: 'Stopped' }),
        ...problems(...GUARDED, 'NOT_FOUND', 'CONFLICT'),
      },
    },
    handler: async (request, reply) => {
      await redrives.cancel(callerOf(request), request.params.id);
      return reply.code(204).send();
    },
  });
}
