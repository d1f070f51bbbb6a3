import fc from 'fast-check';
import type { Identity } from '../../src/domain/ports/token-verifier.ts';
import { hostile, mutationsOf, plausibleSchedule } from './hostile-values.ts';
import type { Operation } from './operations.ts';
import type { PreparedRequest } from './prepared.ts';
import { type Schema, valuesOf } from './schema-values.ts';
import { OTHER_TENANT } from './support.ts';

export interface FuzzedRequest {
  readonly method: Operation['method'];
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly as: Partial<Identity> | null;
}

/** One way to change a request. */
type Change = (request: FuzzedRequest) => FuzzedRequest;

const FULL: Partial<Identity> = { roles: ['admin', 'platform'] };
const STRANGERS: readonly (Partial<Identity> | null)[] = [
  null,
  { roles: [] },
  { roles: ['viewer'] },
  { roles: ['admin'], tenants: [OTHER_TENANT] },
  { roles: ['admin'], organizationId: 'another' },
];

/** The request as one who may do all sends it. */
export function unchanged(request: PreparedRequest): FuzzedRequest {
  return { ...request, headers: {}, as: FULL };
}

/** Requests of an operation with one to three things changed: some fit its schema still, most do not. */
export function fuzzed(
  operation: Operation,
  schemas: Readonly<Record<string, Schema>>,
): fc.Arbitrary<(request: PreparedRequest) => FuzzedRequest> {
  const kinds = [inPath, inQuery(operation, schemas), inHeaders, byOthers];
  const ofBody = operation.requestBody === undefined ? [inUnwantedBody] : [inBody(operation, schemas), inText];
  const change = fc.oneof(
    ...kinds.map((arbitrary) => ({ weight: 1, arbitrary })),
    ...ofBody.map((arbitrary) => ({ weight: operation.requestBody === undefined ? 1 : 3, arbitrary })),
  );
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) => (request) => changes.reduce((changed, one) => one(changed), unchanged(request)));
}

const bodyValue = (body: unknown): fc.Arbitrary<Change> => fc.constant((request) => ({ ...request, body }));

function inBody(operation: Operation, schemas: Readonly<Record<string, Schema>>): fc.Arbitrary<Change> {
  const media = Object.values(operation.requestBody?.content ?? {})[0];
  const examples = Object.values(media?.examples ?? {}).map(({ value }) => value);
  const fitting = valuesOf(isSchema(media?.schema) ? media.schema : {}, schemas);
  const looksLikeSchedule = /Schedule/.test(operation.operationId);
  const base = fc.oneof(fitting, ...(examples.length > 0 ? [fc.constantFrom(...examples)] : []));
  return fc.oneof(
    { weight: 3, arbitrary: base.chain(bodyValue) },
    { weight: 4, arbitrary: base.chain(mutationsOf).chain(bodyValue) },
    { weight: looksLikeSchedule ? 2 : 0, arbitrary: plausibleSchedule.chain(bodyValue) },
  );
}

const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const TEXTS = [
  ...['', ' ', '{', '}', '[]', 'null', '"', '{"a":}', '{"a":1,}', '{"name":1,"name":2}', '\ufeff{}', '{}{}'],
  ...['{"__proto__":{"a":1}}', '{"constructor":{"prototype":{}}}', '{"a":1e999}', '{"a":-1e999}', '{"a":1E400}'],
  ...['{"a":9007199254740993}', '{"a":"\\u0000"}', '{"a":"\\ud800"}', '{"\\udfff":1}', '{"a":NaN}', "{'a':1}"],
  ...[nested(30), nested(33), nested(20_000), `{"a":"${'x'.repeat(300_000)}"}`, `{${'"a":{'.repeat(5_000)}`],
  ...[`{"a":[${'0,'.repeat(50_000)}0]}`, `{${Array.from({ length: 5_000 }, (_, index) => `"k${index}":0`).join()}}`],
];
const rawText = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.string({ unit: 'binary', maxLength: 100 }).map((text) => text.toWellFormed()),
);
/** The bytes of a body as no serializer would write them. */
const inText: fc.Arbitrary<Change> = fc.oneof(
  rawText.chain(bodyValue),
  fc
    .uint8Array({ maxLength: 60 })
    .map((bytes) => Buffer.from(bytes))
    .chain(bodyValue),
  fc.tuple(fc.nat({ max: 400 }), fc.string({ unit: 'binary', minLength: 1, maxLength: 3 })).map(
    ([at, text]): Change =>
      (request) => ({ ...request, body: spliced(JSON.stringify(request.body ?? {}), at, text.toWellFormed()) }),
  ),
);
const inUnwantedBody = fc
  .oneof(
    hostile.map((value) => ({ a: value })),
    rawText,
  )
  .chain(bodyValue);

const hostileText = fc.oneof(
  hostile.filter((value) => typeof value === 'string'),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('x'.repeat(1_100), '0'.repeat(42), '..%2f..', '__proto__', 'constructor', '*', '%', '0x10'),
  fc.uuid({ version: 7 }),
  fc.stringMatching(/^[0-9a-v]{42}$/),
);
/** The last of the names in the path, or its end. */
const inPath: fc.Arbitrary<Change> = hostileText.map((text) => (request) => {
  const [path = '', query] = request.url.split('?', 2);
  const parts = path.split('/');
  const at = parts.findLastIndex((part) => /[0-9a-f]{8}-|^[0-9a-v]{42}$|^(?:key|calendar|tenant)-/.test(part));
  const changed = at === -1 ? parts : parts.with(at, encoded(text));
  return { ...request, url: changed.join('/') + (query === undefined ? '' : `?${query}`) };
});

function inQuery(operation: Operation, schemas: Readonly<Record<string, Schema>>): fc.Arbitrary<Change> {
  const known = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
  const named = known.map(({ name, schema }) => {
    const fitting = valuesOf(isSchema(schema) ? schema : {}, schemas).map(String);
    return fc.oneof(fitting, hostileText, fc.constant('')).map((value): [string, string] => [name, value]);
  });
  const odd = fc.tuple(
    fc.constantFrom('a[__proto__][x]', '__proto__', 'a[]', '', 'constructor', 'tenantId'),
    hostileText,
  );
  const pairs = fc.array(fc.oneof(odd, ...named, ...named), { minLength: 1, maxLength: 4 });
  return pairs.map((parameters) => (request) => {
    const query = parameters.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');
    return { ...request, url: `${request.url}${request.url.includes('?') ? '&' : '?'}${query}` };
  });
}

const HEADERS: Readonly<Record<string, readonly string[]>> = {
  'content-type': [
    ...['', 'text/plain', 'text/json', 'application/json2', 'application/json; charset=utf-16', 'application/json;'],
    ...['application/json\t; x', ' application/json', 'APPLICATION/JSON', 'application/json, text/plain', 'json'],
    ...['multipart/form-data; boundary=x', 'application/merge-patch+json', `application/json; x=${'y'.repeat(5_000)}`],
  ],
  'content-encoding': ['gzip', 'br', 'identity', 'gzip, gzip', 'x'],
  'if-match': ['', '*', '"1"', 'W/"1"', '"99"', '1, 2', '"x"', '99999999999'],
  'idempotency-key': ['', 'a', 'two words', '\u00e9', 'k'.repeat(201), '__proto__'],
  'x-tenant-id': ['', 'tenant-123', OTHER_TENANT, 'system', 'none', 'a b', '__proto__', 'x'.repeat(500)],
  'x-http-method-override': ['DELETE', 'GET'],
  traceparent: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '00-0-0-0', 'x'.repeat(300)],
  origin: ['https://evil.example', 'null'],
  'x-forwarded-for': ['127.0.0.1', "'; drop table runs --"],
  'x-forwarded-proto': ['https', 'javascript'],
  host: ['', 'localhost', 'a:b:c', 'evil.example'],
  accept: ['text/html', '*/*', 'application/xml'],
  authorization: ['', 'Bearer', 'Bearer x', 'Basic dXNlcjpwYXNz', `Bearer ${'a'.repeat(9_000)}`],
  range: ['bytes=0-1'],
  cookie: ['a=b; __proto__=c'],
};
const latin = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
  maxLength: 80,
});
const inHeaders: fc.Arbitrary<Change> = fc
  .constantFrom(...Object.entries(HEADERS))
  .chain(([name, values]) => fc.tuple(fc.constant(name), fc.oneof(fc.constantFrom(...values), latin)))
  .map(([name, value]) => (request) => ({ ...request, headers: { ...request.headers, [name]: value } }));

const byOthers: fc.Arbitrary<Change> = fc.constantFrom(...STRANGERS).map((as) => (request) => ({ ...request, as }));

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null;
}

function spliced(text: string, at: number, inserted: string): string {
  const place = at % (text.length + 1);
  return text.slice(0, place) + inserted + text.slice(place + inserted.length);
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
