import { callerOf } from '../middleware/access.ts';
import { expectedVersion, versionTag } from '../middleware/version-tag.ts';
import type { Api, ApiParts } from './api.ts';
import { CursorList } from './paging.ts';
import { GUARDED, problems, WITH_BODY } from './problem.schema.ts';
import { ifMatchHeaders, noQuery } from './request-parts.ts';
import { tenantLifeRoutes } from './tenant-life.ts';
import {
  patchedTenant,
  platformTenantPatch,
  showTenant,
  tenantBody,
  tenantPage,
  tenantParams,
  tenantPatch,
  tenantPosition,
  tenantShown,
  tenantsQuery,
} from './tenants.schema.ts';

const tags = ['tenants'];

/** A tenant's own settings, and all tenants for the platform. */
export function tenantRoutes(api: Api, parts: ApiParts): void {
  getTenant(api, parts);
  patchTenant(api, parts);
  listTenants(api, parts);
  createTenant(api, parts);
  getTenantById(api, parts);
  patchTenantById(api, parts);
  tenantLifeRoutes(api, parts);
}

function getTenant(api: Api, { tenants }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/tenant',
    schema: {
      operationId: 'getTenant',
      summary: 'Read the tenant of this request',
      tags,
      querystring: noQuery,
      response: { 200: tenantShown, ...problems(...GUARDED) },
    },
    handler: async (request, reply) => {
      const found = await tenants.get(callerOf(request).tenantId);
      return reply.header('etag', versionTag(found.tenant.state.version)).send(showTenant(found));
    },
  });
}

function patchTenant(api: Api, { tenants }: ApiParts): void {
  api.route({
    method: 'PATCH',
    url: '/tenant',
    schema: {
      operationId: 'patchTenant',
      summary: 'Change the name or the defaults of the tenant of this request',
      description:
        'Every process follows within five seconds. Defaults count for what is created or replaced from then on.',
      tags,
      headers: ifMatchHeaders,
      querystring: noQuery,
      body: tenantPatch,
      response: { 200: tenantShown, ...problems(...WITH_BODY, 'CONFLICT', 'PRECONDITION_FAILED') },
    },
    handler: async (request, reply) => {
      const caller = callerOf(request);
      const of = { tenantId: caller.tenantId, ifMatch: expectedVersion(request.headers['if-match']) };
      const patched = await tenants.patch(caller, of, (current) => patchedTenant(current, request.body));
      return reply.header('etag', versionTag(patched.tenant.state.version)).send(showTenant(patched));
    },
  });
}

function listTenants(api: Api, { tenants, cursors }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/tenants',
    schema: {
      operationId: 'listTenants',
      summary: 'List tenants by id',
      description: 'All that were made, or that began with their first change of something.',
      tags,
      querystring: tenantsQuery,
      response: { 200: tenantPage, ...problems(...GUARDED) },
    },
    handler: async (request, reply) => {
      const identity = { operation: 'listTenants', caller: callerOf(request), filter: {}, sort: 'id' };
      const list = new CursorList(cursors, tenantPosition, identity);
      const found = await tenants.list(list.window(request.query));
      return reply.send({ items: found.items.map(showTenant), nextCursor: list.nextCursor(found.next) });
    },
  });
}

function createTenant(api: Api, { tenants }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/tenants',
    schema: {
      operationId: 'createTenant',
      summary: 'Create a tenant ahead of its first use',
      tags,
      querystring: noQuery,
      body: tenantBody,
      response: { 201: tenantShown, ...problems(...WITH_BODY, 'ALREADY_EXISTS') },
    },
    handler: async (request, reply) => {
      const { id, ...input } = request.body;
      const created = await tenants.create(callerOf(request), id, input);
      return reply
        .code(201)
        .headers({ location: `/tenants/${id}`, etag: versionTag(created.tenant.state.version) })
        .send(showTenant(created));
    },
  });
}

function getTenantById(api: Api, { tenants }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/tenants/:id',
    schema: {
      operationId: 'getTenantById',
      summary: 'Read a tenant',
      tags,
      params: tenantParams,
      querystring: noQuery,
      response: { 200: tenantShown, ...problems(...GUARDED, 'NOT_FOUND') },
    },
    handler: async (request, reply) => {
      const found = await tenants.get(request.params.id);
      return reply.header('etag', versionTag(found.tenant.state.version)).send(showTenant(found));
    },
  });
}

function patchTenantById(api: Api, { tenants }: ApiParts): void {
  api.route({
    method: 'PATCH',
    url: '/tenants/:id',
    schema: {
      operationId: 'patchTenantById',
      summary: 'Change the name, the defaults or the quotas of a tenant',
      description: 'Every process follows within five seconds. What exists already is not measured against new quotas.',
      tags,
      params: tenantParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      body: platformTenantPatch,
      response: { 200: tenantShown, ...problems(...WITH_BODY, 'NOT_FOUND', 'CONFLICT', 'PRECONDITION_FAILED') },
    },
    handler: async (request, reply) => {
      const of = { tenantId: request.params.id, ifMatch: expectedVersion(request.headers['if-match']) };
      const patched = await tenants.patch(callerOf(request), of, (current) => patchedTenant(current, request.body));
      return reply.header('etag', versionTag(patched.tenant.state.version)).send(showTenant(patched));
    },
  });
}
