import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { JsonValue } from '../../domain/entities/json.ts';
import { MASK } from '../../domain/entities/secret.ts';
import type { Api } from './api.ts';
import { json } from './fields.ts';

const CAPACITY = 100;
const MAX_BODY_BYTES = 64 * 1024;
const MAX_ACCEPTED_BYTES = 1024 * 1024;
/** Whose values are not listed: the list asks for no token. */
const CREDENTIALS = /authorization|cookie|token|secret|password|api-?key/i;
const tags = ['echo'];

/** What came in: an HTTP request, or a message from the in-process bus. */
export interface Arrival {
  /** Null for messages. */
  readonly method: string | null;
  /** The path of a request, the topic of a message. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** An arrival as it is listed. */
export interface Received {
  /** Counts all arrivals since the start, from 1. */
  readonly number: number;
  readonly kind: string;
  readonly receivedAt: string;
  readonly method: string | null;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON where it is JSON, else text. */
  readonly body: JsonValue;
  /** The body was longer than 64 KiB; its start is shown as text. */
  readonly truncated: boolean;
}

/** Shows what targets receive: keeps the last 100 arrivals in memory. For the embedded mode, where it is its own target. */
export class EchoReceiver {
  readonly #ring: Received[] = [];
  #count = 0;

  /** `kind`: HTTP, EVENT or QUEUE. Never throws. */
  record(kind: string, arrival: Arrival): Received {
    const bytes = Buffer.from(arrival.body);
    const truncated = bytes.length > MAX_BODY_BYTES;
    const text = bytes.subarray(0, MAX_BODY_BYTES).toString();
    const { method, path, headers } = arrival;
    this.#count += 1;
    const body = truncated ? text : readable(text);
    const received = {
      number: this.#count,
      kind,
      receivedAt: new Date().toISOString(),
      method,
      path,
      headers: { ...headers },
      body,
      truncated,
    };
    this.#ring.unshift(received);
    this.#ring.length = Math.min(this.#ring.length, CAPACITY);
    return received;
  }

  /** Newest first. */
  list(): readonly Received[] {
    return [...this.#ring];
  }
}

const received = z
  .object({
    number: z.int(),
    kind: z.string(),
    receivedAt: z.string(),
    method: z.string().nullable(),
    path: z.string(),
    headers: z.record(z.string(), z.string()),
    body: json,
    truncated: z.boolean(),
  })
  .meta({ id: 'EchoRequest' });
const answer = z.object({ received: z.int().meta({ description: 'How many arrivals there were so far' }) });

/** `/echo` answers 200 to anything and remembers it; `/echo/requests` lists what came. No token: only for the embedded mode, on loopback. */
export function echoRoutes(api: Api, echo: EchoReceiver): void {
  api.route({
    method: 'GET',
    url: '/echo/requests',
    schema: {
      operationId: 'listEchoRequests',
      summary: 'What the built-in receiver received, newest first',
      tags,
      response: { 200: z.object({ items: z.array(received).readonly() }) },
    },
    handler: async (_request, reply) => reply.send({ items: echo.list() }),
  });
  api.register(async (scope) => receivers(scope, echo));
}

function receivers(scope: FastifyInstance, echo: EchoReceiver): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: MAX_ACCEPTED_BYTES },
    async (_request: FastifyRequest, body: Buffer) => body,
  );
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const { number } = echo.record('HTTP', arrivalOf(request));
    return reply.send({ received: number });
  };
  const schema = {
    operationId: 'receiveEcho',
    summary: 'The built-in receiver: any method, any path below it',
    tags,
    consumes: ['*/*'],
    response: { 200: answer },
  };
  scope.route({ method: 'POST', url: '/echo', schema, handler });
  const hidden = { ...schema, hide: true };
  scope.route({ method: ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'], url: '/echo', schema: hidden, handler });
  scope.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: '/echo/*',
    schema: hidden,
    handler,
  });
}

function arrivalOf(request: FastifyRequest): Arrival {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      CREDENTIALS.test(name) ? MASK : [value].flat().join(', '),
    ]),
  );
  const { body, method, url } = request;
  return { method, path: url, headers, body: Buffer.isBuffer(body) ? body : '' };
}

function readable(text: string): JsonValue {
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}
