import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { type ExamplesByOperation, finishedDocument } from './openapi-document.ts';

/** How the API introduces itself. */
export interface DocsOptions {
  readonly title: string;
  readonly version: string;
  /** Where clients reach the API; left out: where they got the document. */
  readonly serverUrl?: string | undefined;
}

const DESCRIPTION = `Fires schedules durably, delivers each slot at least once, and keeps a record of every run.

Every request but the probes and this document carries \`Authorization: Bearer <token>\`; \`X-Tenant-Id\` chooses the tenant where the token
names several. Errors are RFC 9457 problem documents with a stable \`code\`. Unknown fields are refused.`;

const TAGS = [
  { name: 'schedules', description: 'What fires, when, and where it is delivered' },
  { name: 'runs', description: 'What became of every slot' },
  { name: 'tenants', description: 'Defaults, quotas and life of tenants' },
  { name: 'probes', description: 'For load balancers and people on call' },
  { name: 'meta', description: 'This document' },
  { name: 'echo', description: 'The built-in receiver of the embedded mode' },
];

/** What the page at `/docs` may load: itself. Its stylesheet sets inline styles. */
const PAGE_POLICY = {
  'default-src': "'self'",
  'base-uri': "'self'",
  'frame-ancestors': "'none'",
  'img-src': ["'self'", 'data:'],
  'object-src': "'none'",
  'style-src': ["'self'", "'unsafe-inline'"],
};

/** Collects the routes registered after it into an OpenAPI 3.1 document, and shows it at `/docs`. */
export async function describeApi(
  app: FastifyInstance,
  options: DocsOptions,
  examples: ExamplesByOperation,
): Promise<void> {
  await app.register(swagger, {
    convertConstToEnum: false,
    openapi: {
      openapi: '3.1.0',
      info: { title: options.title, version: options.version, description: DESCRIPTION },
      servers: [{ url: options.serverUrl ?? '/' }],
      tags: TAGS,
      security: [{ bearer: [] }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    },
    transform: jsonSchemaTransform,
    transformObject: (collected) => finishedDocument(jsonSchemaTransformObject(collected), examples),
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_POLICY,
    uiConfig: { persistAuthorization: true, docExpansion: 'list' },
  });
}
