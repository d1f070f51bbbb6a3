import type { FastifyRequest } from 'fastify';
import { DomainError } from '../../domain/errors.ts';
import type { Identity, TokenVerifier } from '../../domain/ports/token-verifier.ts';
import { timesSent } from './host-header.ts';
import type { RefusedTokens } from './rate-limit.ts';

const MAX_TOKEN_LENGTH = 8 * 1024;
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * Who sent the request, by the bearer token of its one Authorization header. Throws UNAUTHENTICATED; RATE_LIMITED for a token that is not
 * known from an address whose tokens were refused too often.
 */
export async function authenticate(
  verifier: TokenVerifier,
  refusedTokens: RefusedTokens,
  request: FastifyRequest,
): Promise<Identity> {
  const token = bearerToken(request);
  const known = verifier.recall(token);
  if (known !== null) return known;
  refusedTokens.check(request);
  return verifier.verify(token).catch((error: unknown) => {
    if (error instanceof DomainError && error.code === 'UNAUTHENTICATED') refusedTokens.note(request);
    throw error;
  });
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

function refused(message: string): DomainError {
  return new DomainError('UNAUTHENTICATED', message);
}
