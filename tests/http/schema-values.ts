import fc from 'fast-check';
import { plausibleFields } from './hostile-values.ts';

/** What the document says in JSON Schema, as far as its generator uses it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

const MAX_DEPTH = 6;
const MAX_TEXT = 40;
const MAX_ITEMS = 3;
const LARGEST = 2 ** 31;

/** Values that fit a schema. Fields whose grammar the schema cannot say (a cron text, a zone) come from `plausibleFields`. */
export function valuesOf(schema: Schema, schemas: Readonly<Record<string, Schema>>, depth = 0): fc.Arbitrary<unknown> {
  const inner = (part: Schema): fc.Arbitrary<unknown> => valuesOf(part, schemas, depth + 1);
  if (depth > MAX_DEPTH) return fc.constant(null);
  if (schema.$ref !== undefined) return inner(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices !== undefined) return fc.oneof(...choices.map(inner));
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type: string) => inner({ ...schema, type })));
  switch (schema.type) {
    case 'object':
      return objectsOf(schema, inner);
    case 'array':
      return fc.array(inner(schema.items ?? {}), {
        minLength: Math.min(schema.minItems ?? 0, MAX_ITEMS),
        maxLength: Math.min(schema.maxItems ?? MAX_ITEMS, MAX_ITEMS),
      });
    case 'string':
      return textsOf(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'integer':
      return fc.integer({ min: bounded(schema.minimum, -LARGEST), max: bounded(schema.maximum, LARGEST - 1) });
    case 'number':
      return fc.double({ min: bounded(schema.minimum, -1e9), max: bounded(schema.maximum, 1e9), noNaN: true });
    default:
      return fc.jsonValue({ maxDepth: 3 });
  }
}

function objectsOf(schema: Schema, inner: (part: Schema) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const { properties = {}, additionalProperties, required = [] } = schema;
  const known = Object.fromEntries(
    Object.entries(properties).map(([name, part]) => [name, plausibleFields[name] ?? inner(part)]),
  );
  const members = fc.record(known, { requiredKeys: required.filter((name) => Object.hasOwn(known, name)) });
  if (additionalProperties === undefined || additionalProperties === false) return members;
  const value = inner(additionalProperties === true ? {} : additionalProperties);
  const names = textsOf(schema.propertyNames ?? { minLength: 1 });
  const maxKeys = Math.min(schema.maxProperties ?? MAX_ITEMS, MAX_ITEMS);
  return fc.tuple(fc.dictionary(names, value, { maxKeys }), members).map(([extra, own]) => ({ ...extra, ...own }));
}

function textsOf({ pattern, format, minLength = 0, maxLength = MAX_TEXT }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time') return plausibleInstants;
  if (format === 'uri') return fc.webUrl({ validSchemes: ['http', 'https'] });
  if (format === 'uuid') return fc.uuid();
  if (pattern !== undefined) return textsLike(pattern);
  const length = { minLength, maxLength: Math.max(minLength, Math.min(maxLength, MAX_TEXT)) };
  return fc.string({ unit: 'grapheme', ...length });
}

/** fast-check reads no look-aheads: without them a text may or may not fit, which is as good here. */
function textsLike(pattern: string): fc.Arbitrary<string> {
  return fc.stringMatching(new RegExp(pattern.replaceAll(/\(\?[=!](?:[^()]|\([^()]*\))*\)/g, ''), 'u'));
}

const plausibleInstants = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2199-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());

function bounded(limit: number | undefined, otherwise: number): number {
  return limit === undefined || Math.abs(limit) > LARGEST ? otherwise : limit;
}
