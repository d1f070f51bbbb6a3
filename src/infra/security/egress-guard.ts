import type { LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { destinationOf, type EgressPolicy, EgressRules } from './egress-rules.ts';
import { type Resolve, sharedResolver, systemResolve } from './resolver.ts';

export interface EgressOptions extends EgressPolicy {
  /** Instead of the system's resolver. */
  readonly resolve?: Resolve | undefined;
  /** Connections to one origin at a time. */
  readonly connectionsPerOrigin?: number | undefined;
  /** How long an unused connection is kept. */
  readonly idleMs?: number | undefined;
}

export interface EgressGuard {
  /** Why a URL can never be requested, as far as that shows without a lookup; null when it may be. */
  checkUrl(url: string): string | null;
  /** Connects to allowed addresses only; for others a request fails with {@link EgressDenied}. Never follows a redirect. */
  readonly dispatcher: Agent;
}

/** A connection that the rules forbid. The message is for the owner of the target and holds no resolved address. */
export class EgressDenied extends Error {
  readonly code = 'EGRESS_DENIED';

  constructor(reason: string) {
    super(reason);
    this.name = 'EgressDenied';
  }
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Above the longest timeout of a schedule (15 min): the deadline is the request's own signal. */
const SILENCE_TIMEOUT_MS = 16 * 60_000;
/** A connection is retired after this many requests, so that a name's new address is seen under steady load too. */
const MAX_REQUESTS_PER_CONNECTION = 500;
const MAX_ORIGINS = 4_096;

/**
 * The only way from a schedule's target to a socket. The literal or *every* address that the name resolves to is checked,
 * in the connector: a hook in `lookup` alone is not called for literals. The socket then connects to exactly the checked
 * addresses, so a second answer of the same name (rebinding) is never used unchecked. Pools are per origin, bounded in
 * number and size, and each of their connections is pinned this way.
 */
export function createEgressGuard(options: EgressOptions): EgressGuard {
  const rules = new EgressRules(options);
  const dispatcher = new Agent({
    connect: guardedConnector(rules, sharedResolver(options.resolve ?? systemResolve)),
    connections: options.connectionsPerOrigin ?? 128,
    maxOrigins: MAX_ORIGINS,
    maxRequestsPerClient: MAX_REQUESTS_PER_CONNECTION,
    keepAliveTimeout: options.idleMs ?? 4_000,
    keepAliveMaxTimeout: 30_000,
    headersTimeout: SILENCE_TIMEOUT_MS,
    bodyTimeout: SILENCE_TIMEOUT_MS,
    pipelining: 1,
    allowH2: false,
  });
  return { checkUrl: (url) => rules.checkUrl(url), dispatcher };
}

function guardedConnector(rules: EgressRules, resolve: Resolve): buildConnector.connector {
  const shared = { timeout: CONNECT_TIMEOUT_MS, allowH2: false, autoSelectFamily: true } as const;
  const guarded = buildConnector({
    ...shared,
    lookup: checkedLookup(resolve, (address) => rules.checkAddress(address)),
  });
  const open = buildConnector({ ...shared, lookup: checkedLookup(resolve, () => null) });
  return (to, callback) => {
    const destination = destinationOf(to);
    const denied = rules.checkDestination(destination);
    if (denied !== null) {
      process.nextTick(callback, new EgressDenied(denied), null);
      return;
    }
    if (rules.isOpen(destination)) {
      open(to, callback);
      return;
    }
    guarded(to, (error, socket) => {
      const reason = error === null ? rules.checkAddress(socket.remoteAddress ?? '') : null;
      if (error !== null || reason === null) return error === null ? callback(null, socket) : callback(error, null);
      socket.destroy();
      return callback(new EgressDenied(reason), null);
    });
  };
}

/** A `lookup` for sockets that gives the addresses only when none of them has a problem. */
function checkedLookup(resolve: Resolve, problemOf: (address: string) => string | null): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname)
      .then((addresses) => {
        const problem = addresses.map(({ address }) => problemOf(address)).find((found) => found !== null);
        if (problem != null) throw new EgressDenied(`${problem}, which "${hostname}" resolves to`);
        return addresses;
      })
      .then(
        (addresses) =>
          options.all === true
            ? callback(null, [...addresses])
            : callback(null, addresses[0]?.address ?? '', addresses[0]?.family),
        (error: Error) => callback(error, options.all === true ? [] : ''),
      );
  };
}
