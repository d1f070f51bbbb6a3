import { isIPv6 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TenantPolicy } from '../../domain/entities/tenant-policy.ts';
import type { RateDecision, RateLimit, RateLimiter } from '../../domain/ports/rate-limiter.ts';
import { TokenBuckets } from '../../domain/services/token-buckets.ts';
import { HttpError } from './problem.ts';

/**
 * Counts the request against its tenant's rate and says in the answer what is left (draft-ietf-httpapi-ratelimit-headers). Throws
 * RATE_LIMITED with `Retry-After`.
 */
export async function limitTenant(limiter: RateLimiter, policy: TenantPolicy, reply: FastifyReply): Promise<void> {
  const { requestsPerSec, requestBurst } = policy.quotas;
  if (requestsPerSec === null) return;
  const limit = { perSec: requestsPerSec, burst: requestBurst ?? Math.max(1, Math.ceil(requestsPerSec)) };
  const decision = await limiter.take(`tenant:${policy.tenantId}`, limit);
  reply.header('ratelimit-policy', `"tenant";q=${limit.burst};w=${Math.ceil(limit.burst / limit.perSec)}`);
  reply.header('ratelimit', `"tenant";r=${decision.remaining};t=${seconds(decision.resetMs)}`);
  if (!decision.isAllowed) throw refused(decision, `the tenant sends more than ${requestsPerSec} requests a second`);
}

/** How often an address may send a token that is refused, before its tokens are refused unread for a while. */
const REFUSED_TOKENS: RateLimit = { perSec: 1, burst: 60 };

/** Addresses that send tokens which are refused: checking signatures costs us more than making them up costs them. */
export class RefusedTokens {
  readonly #buckets: TokenBuckets;

  constructor(monotonic: () => number = () => performance.now()) {
    this.#buckets = new TokenBuckets(monotonic);
  }

  /** Throws RATE_LIMITED for an address that has sent too many. */
  check({ ip }: Pick<FastifyRequest, 'ip'>): void {
    const decision = this.#buckets.look(networkOf(ip), REFUSED_TOKENS);
    if (!decision.isAllowed) throw refused(decision, 'too many tokens from this address were refused');
  }

  note({ ip }: Pick<FastifyRequest, 'ip'>): void {
    this.#buckets.takeNow(networkOf(ip), REFUSED_TOKENS);
  }
}

/** Who shares an address: with IPv6, the 64 bits that a customer chooses from. */
function networkOf(ip: string): string {
  if (!isIPv6(ip) || ip.includes('.')) return ip;
  const [head = '', tail = ''] = ip.split('::');
  const [front, back] = [head, tail].map((part) => (part === '' ? [] : part.split(':')));
  const zeroes = Array.from({ length: 8 - (front?.length ?? 0) - (back?.length ?? 0) }, () => '0');
  return [...(front ?? []), ...zeroes, ...(back ?? [])].slice(0, 4).join(':');
}

function refused({ retryAfterMs }: RateDecision, detail: string): HttpError {
  return new HttpError('RATE_LIMITED', detail, { 'retry-after': String(Math.max(1, seconds(retryAfterMs))) });
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
