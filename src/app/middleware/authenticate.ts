import type { FastifyRequest } from 'fastify';
import { DomainError } from '../../domain/errors.ts';
import type { Identity, TokenVerifier } from '../../domain/ports/token-verifier.ts';

const MAX_TOKEN_LENGTH = 8 * 1024;
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** Who sent the request, by the bearer token of its one Authorization header. Throws UNAUTHENTICATED. */
export function authenticate(verifier: TokenVerifier, request: FastifyRequest): Promise<Identity> {
  return verifier.verify(bearerToken(request));
}

function bearerToken(request: FastifyRequest): string {
  const header = request.headers.authorization;
  if (header === undefined) throw refused('an Authorization header with a bearer token is required');
  if (timesSent(request, 'authorization') > 1) throw refused('more than one Authorization header was sent');
  if (header.length > MAX_TOKEN_LENGTH + 'Bearer '.length) throw refused('the token is too long');
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw refused('the Authorization header must be `Bearer <token>`');
  return token;
}

/** Node keeps only the first of several; the raw list tells. */
function timesSent(request: FastifyRequest, name: string): number {
  return request.raw.rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}

function refused(message: string): DomainError {
  return new DomainError('UNAUTHENTICATED', message);
}
