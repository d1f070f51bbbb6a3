import { STATUS_CODES } from 'node:http';
import { type Capability, capabilityOf } from './authorize.ts';
import { tidyComponents } from './openapi-components.ts';

/** Named request bodies, and one answer, of an operation; usable by copy and paste. */
export interface OperationExamples {
  readonly bodies?: Readonly<Record<string, unknown>>;
  readonly answer?: unknown;
}

export type ExamplesByOperation = Readonly<Record<string, OperationExamples>>;

interface Media {
  schema?: { readonly $ref?: string };
  examples?: Record<string, { readonly value: unknown }>;
  example?: unknown;
}

interface Response {
  description: string;
  headers?: Record<string, unknown>;
  content?: Record<string, Media>;
}

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: unknown;
}

interface Operation {
  readonly operationId: string;
  readonly tags?: readonly string[];
  parameters?: Parameter[];
  requestBody?: { required?: boolean; readonly content: Record<string, Media> };
  responses: Record<string, Response>;
  security?: unknown[];
}

/** As much of an OpenAPI document as is finished here. */
export interface ApiDocument {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, Record<string, unknown>> };
}

const HEADER_NAMES: Readonly<Record<string, string>> = { 'if-match': 'If-Match', 'idempotency-key': 'Idempotency-Key' };
const text = (description: string): unknown => ({ description, schema: { type: 'string' } });

/** The collected document with what routes do not say one by one: security from the table of capabilities, headers, examples, tidy components. */
export function finishedDocument(collected: object, examples: ExamplesByOperation): object {
  const document: ApiDocument = JSON.parse(JSON.stringify(collected, writable));
  for (const operations of Object.values(document.paths)) {
    for (const operation of Object.values(operations))
      finish(operation, document, examples[operation.operationId] ?? {});
  }
  return tidyComponents(document);
}

/** A list that our code does not change is no field that callers must not send: the two have one word in zod. */
function writable(key: string, value: unknown): unknown {
  return key === 'readOnly' && value === true ? undefined : value;
}

function finish(operation: Operation, document: ApiDocument, examples: OperationExamples): void {
  secure(operation, capabilityOf(operation.operationId));
  for (const parameter of operation.parameters ?? []) finishParameter(parameter);
  const body = operation.requestBody;
  for (const media of Object.values(body?.content ?? {})) {
    if (body !== undefined && isOptional(media, document)) body.required = false;
    const named = Object.entries(examples.bodies ?? {}).map(([name, value]) => [name, { value }]);
    if (named.length > 0) media.examples = Object.fromEntries(named);
  }
  for (const [status, response] of Object.entries(operation.responses))
    finishResponse(operation, status, response, examples.answer);
}

function secure(operation: Operation, capability: Capability): void {
  if (capability === 'PUBLIC') {
    operation.security = [];
    return;
  }
  operation.security = [{ bearer: [] }];
  const description = "Chooses the tenant; may be left out where the token names one. Must be one of the token's.";
  operation.parameters = [
    ...(operation.parameters ?? []),
    { name: 'X-Tenant-Id', in: 'header', required: false, description, schema: { type: 'string' } },
  ];
}

function finishParameter(parameter: Parameter): void {
  parameter.name = HEADER_NAMES[parameter.name] ?? parameter.name;
  if (parameter.in !== 'path') parameter.required = false;
}

/** A body whose schema is marked so by `optionalBody`. */
function isOptional(media: Media, document: ApiDocument): boolean {
  const name = media.schema?.$ref?.split('/').at(-1);
  const schema: object = name === undefined ? (media.schema ?? {}) : (document.components.schemas[name] ?? {});
  return 'x-optional' in schema;
}

function finishResponse(operation: Operation, status: string, response: Response, answer: unknown): void {
  if (response.description === 'Default Response') response.description = STATUS_CODES[status] ?? status;
  const media = response.content?.['application/json'];
  if (media !== undefined && answer !== undefined && status.startsWith('2')) media.example = answer;
  const headers = headersOf(operation, status, media);
  if (Object.keys(headers).length > 0) response.headers = headers;
}

function headersOf(operation: Operation, status: string, media: Media | undefined): Record<string, unknown> {
  const kind = media?.schema?.$ref?.split('/').at(-1);
  const isVersioned = kind === 'Schedule' || kind === 'Calendar' || kind === 'Secret' || kind === 'Tenant';
  return {
    ...(isVersioned && { ETag: text('The version, for If-Match') }),
    ...(isVersioned && status === '201' && { Location: text(`Path of the ${kind.toLowerCase()}`) }),
    ...(status.startsWith('2') &&
      isRepeatable(operation) && { 'Idempotent-Replayed': text('true where an earlier request was answered so') }),
    ...(status === '401' && { 'WWW-Authenticate': text('Bearer') }),
    ...(status === '429' && {
      RateLimit: text('What is left of the limit: r requests, a whole burst in t seconds'),
      'RateLimit-Policy': text('The limit: q requests at once, on average within w seconds'),
    }),
    ...((status === '429' || status === '503') && { 'Retry-After': text('Seconds') }),
  };
}

function isRepeatable({ parameters = [] }: Operation): boolean {
  return parameters.some(({ name }) => name === HEADER_NAMES['idempotency-key']);
}
