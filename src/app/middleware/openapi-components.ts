import type { ApiDocument } from './openapi-document.ts';

const PREFIX = '#/components/schemas/';
const INPUT = 'Input';

/**
 * Every named schema was collected twice, as it is read and as it is answered (`Trigger`, `TriggerInput`). Keeps what is referred to, under the
 * plain name wherever only one form is in use or both are alike.
 */
export function tidyComponents(document: ApiDocument): object {
  const kept = referredTo(document);
  const schemas = document.components.schemas;
  const names = new Map<string, string>();
  for (const name of kept) {
    const plain = name.endsWith(INPUT) ? name.slice(0, -INPUT.length) : name;
    const clashes = name !== plain && kept.has(plain) && alike(schemas[name]) !== alike(schemas[plain]);
    names.set(name, clashes ? name : plain);
  }
  const tidy = Object.fromEntries([...kept].sort().map((name) => [names.get(name) ?? name, without(schemas[name])]));
  const renamed = JSON.stringify(
    { ...document, components: { ...document.components, schemas: tidy } },
    (key, value: unknown) =>
      key === '$ref' && typeof value === 'string' && value.startsWith(PREFIX)
        ? PREFIX + (names.get(value.slice(PREFIX.length)) ?? '')
        : value,
  );
  return JSON.parse(renamed);
}

/** The names of all schemas that the paths refer to, directly or through others. */
function referredTo(document: ApiDocument): Set<string> {
  const found = new Set<string>();
  const waiting: unknown[] = [document.paths];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (found.has(name)) continue;
      found.add(name);
      waiting.push(document.components.schemas[name] ?? {});
    }
  }
  return found;
}

/** A schema as text in which both forms of what it refers to look the same. */
function alike(schema: unknown): string {
  return JSON.stringify(schema).replace(/("#\/components\/schemas\/[^"]+?)Input"/g, '$1"');
}

function without(schema: Record<string, unknown> | undefined): Record<string, unknown> {
  const { 'x-optional': _marker, ...rest } = schema ?? {};
  return rest;
}
