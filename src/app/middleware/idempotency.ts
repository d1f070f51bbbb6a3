import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { canonicalJson } from '../../domain/entities/json.ts';
import { DomainError } from '../../domain/errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    idempotency: Idempotency | undefined;
  }
}

/** A client's name for a request, and what tells whether a repetition is the same request. */
export interface Idempotency {
  readonly key: string;
  readonly requestHash: string;
}

const KEY = /^[\x21-\x7e]{1,200}$/;

/** A `preValidation` hook: hashes the body as it was sent, before defaults are filled in. Throws VALIDATION_FAILED for a malformed key. */
export async function readIdempotencyKey(request: FastifyRequest): Promise<void> {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return;
  if (typeof key !== 'string' || !KEY.test(key)) {
    const message = 'must be 1 to 200 visible ASCII characters';
    throw new DomainError('VALIDATION_FAILED', `Idempotency-Key ${message}`, [{ path: 'Idempotency-Key', message }]);
  }
  const requestHash = createHash('sha256')
    .update(canonicalJson(request.body ?? null))
    .digest('hex');
  request.idempotency = { key, requestHash };
}
