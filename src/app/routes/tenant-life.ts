import type { FastifyRequest } from 'fastify';
import type { AddressedTenant } from '../../domain/services/tenant-service.ts';
import { callerOf } from '../middleware/access.ts';
import { expectedVersion, versionTag } from '../middleware/version-tag.ts';
import type { Api, ApiParts } from './api.ts';
import { GUARDED, problems, WITH_BODY } from './problem.schema.ts';
import { ifMatchHeaders, noQuery } from './request-parts.ts';
import { resumeTenantBody, showTenant, suspendTenantBody, tenantParams, tenantShown } from './tenants.schema.ts';

const tags = ['tenants'];

/** How the platform stops a tenant, lets it go on, and ends it. */
export function tenantLifeRoutes(api: Api, parts: ApiParts): void {
  suspendTenant(api, parts);
  resumeTenant(api, parts);
  deleteTenant(api, parts);
}

function suspendTenant(api: Api, { tenants }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/tenants/:id/suspend',
    schema: {
      operationId: 'suspendTenant',
      summary: 'Suspend a tenant',
      description:
        'Nothing of it fires from then on, retries and manual runs included; what is in flight finishes. It may read, pause, cancel and delete. Its ACTIVE schedules become PAUSED, chunk by chunk.',
      tags,
      params: tenantParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      body: suspendTenantBody,
      response: { 200: tenantShown, ...problems(...WITH_BODY, 'NOT_FOUND', 'CONFLICT', 'PRECONDITION_FAILED') },
    },
    handler: async (request, reply) => {
      const suspended = await tenants.suspend(callerOf(request), addressed(request), request.body.note);
      return reply.header('etag', versionTag(suspended.tenant.state.version)).send(showTenant(suspended));
    },
  });
}

function resumeTenant(api: Api, { tenants }: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/tenants/:id/resume',
    schema: {
      operationId: 'resumeTenant',
      summary: 'Let a suspended tenant go on',
      description:
        'Schedules that the suspension paused are ACTIVE again within seconds, many of them chunk by chunk; those that people had paused stay so. Waiting runs are due when they were to be, or now.',
      tags,
      params: tenantParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      body: resumeTenantBody,
      response: { 200: tenantShown, ...problems(...WITH_BODY, 'NOT_FOUND', 'CONFLICT', 'PRECONDITION_FAILED') },
    },
    handler: async (request, reply) => {
      const resumed = await tenants.resume(callerOf(request), addressed(request), request.body.missed);
      return reply.header('etag', versionTag(resumed.tenant.state.version)).send(showTenant(resumed));
    },
  });
}

function deleteTenant(api: Api, { tenants }: ApiParts): void {
  api.route({
    method: 'DELETE',
    url: '/tenants/:id',
    schema: {
      operationId: 'deleteTenant',
      summary: 'Delete a tenant with all its data',
      description:
        'Nothing of it fires from then on. Its data goes within minutes, the audit trail too, and last the tenant itself; there is no way back.',
      tags,
      params: tenantParams,
      headers: ifMatchHeaders,
      querystring: noQuery,
      response: { 202: tenantShown, ...problems(...GUARDED, 'NOT_FOUND', 'CONFLICT', 'PRECONDITION_FAILED') },
    },
    handler: async (request, reply) => {
      const going = await tenants.remove(callerOf(request), addressed(request));
      return reply.code(202).header('etag', versionTag(going.tenant.state.version)).send(showTenant(going));
    },
  });
}

function addressed({
  params,
  headers,
}: {
  readonly params: { readonly id: AddressedTenant['tenantId'] };
  readonly headers: FastifyRequest['headers'];
}): AddressedTenant {
  return { tenantId: params.id, ifMatch: expectedVersion(headers['if-match']) };
}
