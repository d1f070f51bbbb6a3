import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { guardAccess } from '../../src/app/middleware/access.ts';
import { CAPABILITIES, capabilityOf } from '../../src/app/middleware/authorize.ts';
import { type Media, type Operation, operationsOf } from './operations.ts';
import { useServer } from './support.ts';

const PROBES = ['getLiveness', 'getReadiness', 'getHealth'];

describe('/openapi.json', () => {
  const server = useServer();

  it('is OpenAPI 3.1 and needs no token', async () => {
    const answer = await server().request('GET', '/openapi.json', { as: null });
    expect([answer.statusCode, answer.headers['content-type'], answer.json().openapi]).toEqual([
      200,
      'application/json; charset=utf-8',
      '3.1.0',
    ]);
    expect(answer.json().components.securitySchemes).toEqual({
      bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
    });
  });

  it('forbids no caller to send a field that a body has', async () => {
    expect((await server().request('GET', '/openapi.json', { as: null })).body).not.toContain('readOnly');
  });

  it('describes every operation of the table of capabilities, once', async () => {
    const ids = (await operationsOf(server())).map(({ operationId }) => operationId);
    const hidden = ['refuseMethod'];
    expect(ids.toSorted()).toEqual(
      Object.keys(CAPABILITIES)
        .filter((id) => !hidden.includes(id))
        .toSorted(),
    );
  });

  it('says of each operation what it is for, what it needs and how it fails', async () => {
    for (const operation of await operationsOf(server())) {
      const { operationId } = operation;
      expect([operationId, operation.summary, operation.tags]).toEqual([
        operationId,
        expect.stringMatching(/^.{10,}/),
        [expect.any(String)],
      ]);
      const isPublic = capabilityOf(operationId) === 'PUBLIC';
      expect([operationId, operation.security]).toEqual([operationId, isPublic ? [] : [{ bearer: [] }]]);
      if (!isPublic) expect([operationId, missingStatuses(operation)]).toEqual([operationId, []]);
      if (PROBES.includes(operationId)) expect(operation.responses['503']).toBeDefined();
    }
  });

  it('shows an example of every body and every answer, each fit for its schema', async () => {
    const fits = schemaCheck((await server().request('GET', '/openapi.json')).json().components.schemas);
    expect(fits({ schema: { $ref: '#/components/schemas/Schedule' } }, { name: 'not a schedule' })).toBe(false);
    for (const { operationId, requestBody, responses } of await operationsOf(server())) {
      const body = mediaOf(requestBody ?? {});
      const bodies = Object.values(body.examples ?? {}).map(({ value }) => fits(body, value));
      if (requestBody !== undefined)
        expect([operationId, bodies]).toEqual([operationId, [true, ...bodies.slice(1).map(() => true)]]);
      for (const [status, response] of Object.entries(responses)) {
        expect([operationId, status, response.description]).toEqual([
          operationId,
          status,
          expect.stringMatching(/^.{2,}/),
        ]);
        if (!status.startsWith('2') || status === '204') continue;
        const answer = mediaOf(response);
        expect([operationId, status, answer.example !== undefined, fits(answer, answer.example)]).toEqual([
          operationId,
          status,
          true,
          true,
        ]);
      }
    }
  });

  it('has bodies that work as they stand', async () => {
    await server().registerCommand('cleanup');
    const operations = await operationsOf(server());
    const bodiesOf = (id: string): unknown[] => {
      const operation = operations.find(({ operationId }) => operationId === id);
      return Object.values(mediaOf(operation?.requestBody ?? { content: {} }).examples ?? {}).map(
        (example) => example.value,
      );
    };
    for (const body of bodiesOf('createSchedule'))
      expect((await server().request('POST', '/schedules', { body })).statusCode).toBe(201);
    const id = await server().schedule();
    for (const body of bodiesOf('patchSchedule'))
      expect((await server().request('PATCH', `/schedules/${id}`, { body })).statusCode).toBe(200);
    for (const body of bodiesOf('replaceSchedule'))
      expect((await server().request('PUT', `/schedules/${id}`, { body })).statusCode).toBe(200);
    for (const body of bodiesOf('upsertScheduleByKey'))
      expect((await server().request('PUT', '/schedules/by-key/k', { body })).statusCode).toBeLessThan(202);
    for (const body of bodiesOf('previewSchedule'))
      expect((await server().request('POST', '/schedules/preview', { body })).statusCode).toBe(200);
    for (const body of bodiesOf('triggerSchedule'))
      expect((await server().request('POST', `/schedules/${id}/trigger`, { body })).statusCode).toBe(202);
    await server().request('PATCH', `/schedules/${id}`, { body: { enabled: true } });
    for (const body of bodiesOf('pauseSchedule')) {
      expect((await server().request('POST', `/schedules/${id}/pause`, { body })).statusCode).toBe(200);
      expect(
        (await server().request('POST', `/schedules/${id}/resume`, { body: bodiesOf('resumeSchedule')[0] })).statusCode,
      ).toBe(200);
    }
  });

  it('lets a tenant name one URL, that of an HTTP target', async () => {
    const { components } = (await server().request('GET', '/openapi.json')).json();
    const names = new Map<string, readonly string[]>();
    for (const { operationId, requestBody } of await operationsOf(server()))
      names.set(operationId, placesIn({ operationId, ...requestBody }, components.schemas));
    const places = new Set([...names.values()].flat());
    expect([...places].toSorted()).toEqual(['http.url']);
  });

  it('refers only to schemas it holds, and names no header in lower case', async () => {
    const answer = await server().request('GET', '/openapi.json');
    const { components } = answer.json();
    const named = [...answer.body.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => String(name));
    expect(named.filter((name) => !(name in components.schemas))).toEqual([]);
    expect(Object.keys(components.schemas).filter((name) => !named.includes(name))).toEqual([]);
    const headers = (await operationsOf(server())).flatMap(({ parameters = [] }) =>
      parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name),
    );
    expect([...new Set(headers)].toSorted()).toEqual(['Idempotency-Key', 'If-Match', 'X-Tenant-Id']);
  });
});

describe('/docs', () => {
  const server = useServer();

  it('shows the document on a page that loads nothing from elsewhere', async () => {
    const page = await server().request('GET', '/docs', { as: null });
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    expect(page.body).not.toMatch(/https?:\/\//);
    expect((await server().request('GET', '/docs/json', { as: null })).json()).toEqual(
      (await server().request('GET', '/openapi.json', { as: null })).json(),
    );
    expect((await server().request('GET', '/docs/static/nothing.js', { as: null })).statusCode).toBe(404);
  });
});

describe('a route without an entry in the table of capabilities', () => {
  it.each([undefined, 'inventedOperation'])('does not start (operationId %s)', (operationId) => {
    const app = Fastify();
    const never = async () => Promise.reject(new Error('never asked'));
    guardAccess(app, {
      verifier: { verify: never, recall: () => null },
      policies: { of: never, inUse: never },
      limiter: { take: never },
    });
    const schema = operationId === undefined ? {} : { operationId };
    expect(() => app.get('/open', { schema }, async () => 'open')).toThrow('no entry in the table of capabilities');
  });
});

const LIKE_A_PLACE = /url|uri|host|endpoint|address|proxy|callback|webhook|issuer|jwks|redirect|server/i;

/** Fields, each with its parent, that could name where something connects to. */
function placesIn(part: unknown, schemas: Readonly<Record<string, unknown>>, seen = new Set<unknown>()): string[] {
  if (part === null || typeof part !== 'object' || seen.has(part)) return [];
  seen.add(part);
  const { $ref, properties, ...rest }: { $ref?: string; properties?: Readonly<Record<string, unknown>> } = part;
  const referred = $ref === undefined ? [] : placesIn(schemas[$ref.split('/').at(-1) ?? ''], schemas, seen);
  const inner = Object.values(rest).flatMap((value) => placesIn(value, schemas, seen));
  const own = Object.entries(properties ?? {}).flatMap(([name, schema]) => [
    ...(LIKE_A_PLACE.test(name) ? [name] : []),
    ...placesIn(schema, schemas, seen).map((place) => (place.includes('.') ? place : `${name}.${place}`)),
  ]);
  return [...new Set([...referred, ...inner, ...own])];
}

function missingStatuses({ responses, parameters = [], requestBody }: Operation): string[] {
  const needed = ['400', '401', '403', '500', '503', ...(requestBody === undefined ? [] : ['413', '415'])];
  if (parameters.some((parameter) => parameter.in === 'path' && parameter.name === 'id')) needed.push('404');
  if (parameters.some((parameter) => parameter.name === 'If-Match')) needed.push('412');
  return needed.filter((status) => responses[status]?.content?.['application/problem+json'] === undefined);
}

/** Whether a value fits a schema of the document. */
function schemaCheck(components: unknown): (media: Media, value: unknown) => boolean {
  const local = (schema: unknown) => JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', '#/$defs/'));
  return (media, value) =>
    z.fromJSONSchema({ ...local(media.schema), $defs: local(components) }).safeParse(value).success;
}

function mediaOf(part: { readonly content?: Readonly<Record<string, Media>> }): Media {
  return Object.values(part.content ?? {})[0] ?? {};
}
