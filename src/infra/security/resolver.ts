import { promises as dns } from 'node:dns';
import { LRUCache } from 'lru-cache';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** All addresses of a name, in the order to try them. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

const DEADLINE_MS = 2_000;
const MAX_NAMES = 1_000;
/** Long enough for a herd of connections to share a lookup, short beside any time to live that DNS gives. */
const SHARED_MS = 5_000;

/**
 * `resolve` with a deadline of 2 s, shared by those who ask for the same name within 5 s. A name without addresses rejects
 * as an unknown one does.
 */
export function sharedResolver(resolve: Resolve): Resolve {
  const answers = new LRUCache<string, Promise<readonly ResolvedAddress[]>>({ max: MAX_NAMES, ttl: SHARED_MS });
  return (hostname) => {
    const known = answers.get(hostname);
    if (known !== undefined) return known;
    const answer = inTime(resolve(hostname), hostname);
    answers.set(hostname, answer);
    answer.catch(() => {
      if (answers.peek(hostname) === answer) answers.delete(hostname);
    });
    return answer;
  };
}

/** The system's resolver: hosts file, search domains and all. */
export function systemResolve(hostname: string): Promise<readonly ResolvedAddress[]> {
  return dns.lookup(hostname, { all: true });
}

function inTime(answer: Promise<readonly ResolvedAddress[]>, hostname: string): Promise<readonly ResolvedAddress[]> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(lookupError(hostname, 'EAI_AGAIN')), DEADLINE_MS);
    answer
      .then(
        (addresses) => (addresses.length === 0 ? reject(lookupError(hostname, 'ENOTFOUND')) : resolve(addresses)),
        reject,
      )
      .finally(() => clearTimeout(late));
  });
}

function lookupError(hostname: string, code: string): Error {
  return Object.assign(new Error(`lookup of ${hostname} failed`), { code });
}
