import { z } from 'zod';
import { callerOf } from '../middleware/access.ts';
import type { Api, ApiParts } from './api.ts';
import { GUARDED, problems, WITH_BODY } from './problem.schema.ts';
import { noBody, noQuery } from './request-parts.ts';

const tags = ['tenants'];

const told = {
  id: z.string(),
  keyId: z.string().meta({ description: 'Of the key that seals it' }),
  createdAt: z.string().meta({ format: 'date-time' }),
};
const signingKey = z.object(told).meta({ id: 'SigningKey' });
const newSigningKey = z
  .object({ ...told, key: z.string().meta({ description: 'whsec_ and base64; shown this once' }) })
  .meta({ id: 'NewSigningKey' });
const params = z.strictObject({
  id: z.string().meta({ examples: ['0198c5b2-9c11-7d02-8a41-5e0f6a7b8c9d'] }),
});

/** The keys that sign a tenant's webhooks. */
export function signingKeyRoutes(api: Api, parts: ApiParts): void {
  listSigningKeys(api, parts);
  createSigningKey(api, parts);
  deleteSigningKey(api, parts);
}

function listSigningKeys(api: Api, { signingKeys }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/tenant/signing-keys',
    schema: {
      operationId: 'listSigningKeys',
      summary: 'List the live signing keys, newest first, without the keys themselves',
      tags,
      querystring: noQuery,
      response: { 200: z.object({ items: z.array(signingKey) }), ...problems(...GUARDED) },
    },
    handler: async (request, reply) => reply.send({ items: [...(await signingKeys.list(callerOf(request)))] }),
  });
}

function createSigningKey(api: Api, { signingKeys }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/tenant/signing-keys',
    schema: {
      operationId: 'createSigningKey',
      summary: 'Make a signing key, or begin a rotation',
      description:
        'Deliveries carry a signature for each live key: the new one and the one before it. An older one is gone. The key is shown this once.',
      tags,
      querystring: noQuery,
      body: noBody,
      response: { 201: newSigningKey, ...problems(...WITH_BODY, 'SECRETS_NOT_CONFIGURED') },
    },
    handler: async (request, reply) => reply.code(201).send(await signingKeys.rotate(callerOf(request))),
  });
}

function deleteSigningKey(api: Api, { signingKeys }: ApiParts): void {
  api.route({
    method: 'DELETE',
    url: '/tenant/signing-keys/:id',
    schema: {
      operationId: 'deleteSigningKey',
      summary: 'Delete a signing key, or end a rotation',
      description: 'It signs no more within half a minute. Without any key deliveries carry no signature.',
      tags,
      params,
      querystring: noQuery,
      response: { 204: z.undefined().meta({ description: 'Deleted' }), ...problems(...GUARDED, 'NOT_FOUND') },
    },
    handler: async (request, reply) => {
      await signingKeys.remove(callerOf(request), request.params.id);
      return reply.code(204).send();
    },
  });
}
