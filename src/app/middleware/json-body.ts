import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DomainError } from '../../domain/errors.ts';
import { dottedPath } from './field-problems.ts';
import { refuseLoss } from './json-loss.ts';
import { HttpError } from './problem.ts';

/** Objects and arrays inside one another, the outermost counted. */
const MAX_DEPTH = 32;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** Bodies are JSON objects in UTF-8, not compressed, and nothing else (415); an empty body is no body. */
export function acceptJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    refuseEncoded(request.headers['content-encoding']);
    return readJsonBody(body);
  });
}

/** The object in a request's body, undefined when the body is empty. Throws VALIDATION_FAILED. */
export function readJsonBody(body: Buffer): object | undefined {
  if (body.length === 0) return undefined;
  const text = decode(body);
  const value = parse(text);
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new DomainError('VALIDATION_FAILED', 'the body must be a JSON object');
  checkJson(value, []);
  refuseLoss(text, value);
  return value;
}

/**
 * Refuses what JSON can say and a database, a prototype or a number cannot hold: NUL, lone surrogates, `__proto__`,
 * numbers beyond a double, nesting past 32. Throws VALIDATION_FAILED with the place. `path` leads to `value` and is left as it was.
 */
export function checkJson(value: unknown, path: (string | number)[]): void {
  if (typeof value === 'string') checkString(value, path);
  if (typeof value === 'number' && !Number.isFinite(value)) throw refused(path, 'is too large for a number');
  if (value === null || typeof value !== 'object') return;
  if (path.length >= MAX_DEPTH) throw refused(path, `is nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) checkItems(value, path);
  else checkMembers(value, path);
}

function refuseEncoded(encoding: string | undefined): void {
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity')
    throw new HttpError('UNSUPPORTED_MEDIA_TYPE', 'send the body without a content encoding');
}

function checkItems(items: readonly unknown[], path: (string | number)[]): void {
  for (let index = 0; index < items.length; index += 1) {
    path.push(index);
    checkJson(items[index], path);
    path.pop();
  }
}

function checkMembers(value: object, path: (string | number)[]): void {
  for (const [key, inner] of Object.entries(value)) {
    checkString(key, path);
    path.push(key);
    if (isPoison(key, inner)) throw refused(path, 'is not an allowed name');
    checkJson(inner, path);
    path.pop();
  }
}

function checkString(text: string, path: readonly (string | number)[]): void {
  if (text.includes('\0')) throw refused(path, 'contains a NUL character');
  if (!text.isWellFormed()) throw refused(path, 'contains half of a surrogate pair');
}

/** Names that reach a prototype when a careless reader copies the object. */
function isPoison(key: string, value: unknown): boolean {
  if (key === '__proto__') return true;
  return key === 'constructor' && value !== null && typeof value === 'object' && Object.hasOwn(value, 'prototype');
}

function decode(body: Buffer): string {
  try {
    return decoder.decode(body);
  } catch (error) {
    throw new DomainError('VALIDATION_FAILED', 'the body is not valid UTF-8', [], { cause: error });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const at = error instanceof Error ? /position \d+/.exec(error.message)?.[0] : undefined;
    throw new DomainError('VALIDATION_FAILED', `the body is not valid JSON${at === undefined ? '' : ` (${at})`}`, [], {
      cause: error,
    });
  }
}

function refused(path: readonly (string | number)[], message: string): DomainError {
  const place = dottedPath(path);
  return new DomainError('VALIDATION_FAILED', `${place === '' ? 'the body' : place} ${message}`, [
    { path: place, message },
  ]);
}
