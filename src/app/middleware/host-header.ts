import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DomainError } from '../../domain/errors.ts';

/**
 * RFC 9112, 3.2: a request of HTTP/1.1 names one host, exactly once. Two readers of a request with two hosts may disagree on
 * where it goes. Node itself would take the first, and answer a missing one with a bare 400.
 */
export function requireOneHost(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    const times = timesSent(request, 'host');
    if (times > 1 || (times === 0 && request.raw.httpVersion === '1.1'))
      throw new DomainError('VALIDATION_FAILED', 'the request must name one host');
  });
}

/** How often a header was sent. Node keeps only the first of several; the raw list tells. */
export function timesSent(request: FastifyRequest, name: string): number {
  return request.raw.rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}
