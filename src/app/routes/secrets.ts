import { z } from 'zod';
import { callerOf } from '../middleware/access.ts';
import { expectedVersion, versionTag } from '../middleware/version-tag.ts';
import type { Api, ApiParts } from './api.ts';
import { CursorList } from './paging.ts';
import { GUARDED, problems, WITH_BODY } from './problem.schema.ts';
import { ifMatchHeaders, noQuery } from './request-parts.ts';
import {
  newSecretParams,
  secretBody,
  secretPage,
  secretParams,
  secretPosition,
  secretQuery,
  secretShown,
  showSecret,
} from './secrets.schema.ts';

const tags = ['secrets'];

/** Values that header values refer to by name: they come in, and never come out. */
export function secretRoutes(api: Api, parts: ApiParts): void {
  listSecrets(api, parts);
  getSecret(api, parts);
  putSecret(api, parts);
  deleteSecret(api, parts);
}

function listSecrets(api: Api, { secrets, cursors }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/secrets',
    schema: {
      operationId: 'listSecrets',
      summary: 'List secrets by name, without their values',
      tags,
      querystring: secretQuery,
      response: { 200: secretPage, ...problems(...GUARDED) },
    },
    handler: async (request, reply) => {
      const caller = callerOf(request);
      const identity = { operation: 'listSecrets', caller, filter: {}, sort: 'name' };
      const list = new CursorList(cursors, secretPosition, identity);
      const found = await secrets.list(caller, list.window(request.query));
      return reply.send({ items: found.items.map(showSecret), nextCursor: list.nextCursor(found.next) });
    },
  });
}

function getSecret(api: Api, { secrets }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/secrets/:name',
    schema: {
      operationId: 'getSecret',
      summary: 'Read what is known of a secret, without its value',
      tags,
      params: secretParams,
      querystring: noQuery,
      response: { 200: secretShown, ...problems(...GUARDED, 'NOT_FOUND') },
    },
    handler: async (request, reply) => {
      const secret = await secrets.get(callerOf(request), request.params.name);
      return reply.header('etag', versionTag(secret.version)).send(showSecret(secret));
    },
  });
}

function putSecret(api: Api, { secrets }: ApiParts): void {
  api.route({
    method: 'PUT',
    url: '/secrets/:name',
    schema: {
      operationId: 'putSecret',
      summary: 'Create a secret or give it a new value',
      description:
        'The value is stored sealed and never answered. Deliveries take a new one over within ten seconds. HTTP header values refer to it: Bearer {{secret:NAME}}',
      tags,
      params: newSecretParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      body: secretBody,
      response: {
        200: secretShown,
        201: secretShown,
        ...problems(...WITH_BODY, 'PRECONDITION_FAILED', 'QUOTA_EXCEEDED', 'CONFLICT', 'SECRETS_NOT_CONFIGURED'),
      },
    },
    handler: async (request, reply) => {
      const { name } = request.params;
      const ifMatch = expectedVersion(request.headers['if-match']);
      const { secret, created } = await secrets.put(callerOf(request), { name, value: request.body.value }, ifMatch);
      if (created) reply.header('location', `/secrets/${name}`);
      return reply
        .code(created ? 201 : 200)
        .header('etag', versionTag(secret.version))
        .send(showSecret(secret));
    },
  });
}

function deleteSecret(api: Api, { secrets }: ApiParts): void {
  api.route({
    method: 'DELETE',
    url: '/secrets/:name',
    schema: {
      operationId: 'deleteSecret',
      summary: 'Delete a secret',
      description: 'Only one that no schedule names. To withdraw a value at once, give the secret another.',
      tags,
      params: secretParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      response: {
        204: z.undefined().meta({ description: 'Deleted' }),
        ...problems(...GUARDED, 'NOT_FOUND', 'CONFLICT', 'PRECONDITION_FAILED'),
      },
    },
    handler: async (request, reply) => {
      const ifMatch = expectedVersion(request.headers['if-match']);
      await secrets.remove(callerOf(request), request.params.name, ifMatch);
      return reply.code(204).send();
    },
  });
}
