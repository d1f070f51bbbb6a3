import openapiTS, { astToString } from 'openapi-typescript';

/** Fields with a default may be left out. */
const OPTIONS = { defaultNonNullable: false };

/**
 * The types of an OpenAPI 3.1 document, as TypeScript text. Left out is what no caller reads and what is longer than all the
 * rest: examples, the headers of answers, and the list of an operation's failures, which are all problem documents.
 */
export async function typesOf({ paths, components, ...rest }) {
  const bare = JSON.parse(
    JSON.stringify({ ...rest, components, paths: each(paths, (path) => each(path, bareOperation)) }, without),
  );
  return astToString(await openapiTS(bare, OPTIONS));
}

function bareOperation(operation) {
  if (operation.responses === undefined) return operation;
  const all = Object.entries(operation.responses).map(([status, { headers: _, ...response }]) => [status, response]);
  const failure = all.find(([, { content }]) => content?.['application/problem+json'] !== undefined)?.[1];
  const answers = all.filter(([status]) => status < '400' || failure === undefined);
  const failed = failure === undefined ? {} : { default: { ...failure, description: 'A problem document' } };
  return { ...operation, responses: { ...Object.fromEntries(answers), ...failed } };
}

function without(key, value) {
  return key === 'example' || key === 'examples' ? undefined : value;
}

function each(of, change) {
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, change(value)]));
}
