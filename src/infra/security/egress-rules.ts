import { type AddressBlock, addressProblem, isAddress, isInBlocks, readBlock } from './addresses.ts';

export interface EgressPolicy {
  /** Lets loopback, private, unique-local and carrier-grade NAT addresses pass. */
  readonly allowPrivateNetworks: boolean;
  /** `host`, `host:port`, an address (`[v6]:port` with a port) or a CIDR block. */
  readonly allow: readonly string[];
  /** Exact origins, such as `http://127.0.0.1:8080`. */
  readonly allowOrigins: readonly string[];
}

/** Where a connection would go. `hostname` has no brackets; `port` is a number. */
export interface Destination {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number;
}

interface AllowedHost {
  readonly hostname: string;
  /** Null: any port that is open by default. */
  readonly port: number | null;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };
const FIRST_USER_PORT = 1024;
/** Names of metadata services and of this machine, decided without a lookup. */
const DENIED_NAME =
  /^(?:(?:.+\.)?localhost|localhost\.localdomain|(?:.+\.)?metadata\.google\.internal|metadata\.goog|metadata|instance-data(?:\.ec2\.internal)?)$/;
const LOCAL_NAME = /^(?:.+\.)?localhost$|^localhost\.localdomain$/;

/** What may be connected to. Every answer is a reason for people, which names no address that a lookup gave, or null. */
export class EgressRules {
  readonly #allowPrivate: boolean;
  readonly #hosts: readonly AllowedHost[];
  readonly #blocks: readonly AddressBlock[];
  readonly #origins: ReadonlySet<string>;

  /** Throws on an entry that cannot be read. */
  constructor(policy: EgressPolicy) {
    this.#allowPrivate = policy.allowPrivateNetworks;
    const entries = policy.allow.map((entry) => entry.trim());
    this.#blocks = entries.map(readBlock).filter((block) => block !== null);
    this.#hosts = entries.filter((entry) => readBlock(entry) === null).map(readHost);
    this.#origins = new Set(policy.allowOrigins.map((origin) => new URL(origin).origin));
  }

  /** Why the URL can never be requested, as far as that shows without a lookup. */
  checkUrl(text: string): string | null {
    if (!URL.canParse(text)) return 'the url cannot be read';
    const url = new URL(text);
    if (DEFAULT_PORTS[url.protocol] === undefined) return 'only http and https are allowed';
    if (url.username !== '' || url.password !== '') return 'the url holds credentials';
    return this.checkDestination(destinationOf(url));
  }

  /** Why nothing may connect there, as far as that shows without a lookup. */
  checkDestination(to: Destination): string | null {
    if (this.isOpen(to)) return null;
    if (!isOpenPort(to.port)) return `port ${to.port} is not allowed`;
    if (isAddress(to.hostname)) return this.checkAddress(to.hostname);
    const name = bareName(to.hostname);
    if (!DENIED_NAME.test(name) || (this.#allowPrivate && LOCAL_NAME.test(name))) return null;
    return `the host "${name}" is not allowed`;
  }

  /** Why an address, literal or from a lookup, may not be connected to. */
  checkAddress(address: string): string | null {
    if (isInBlocks(address, this.#blocks)) return null;
    const problem = addressProblem(address, this.#allowPrivate);
    return problem === null ? null : `the address is not allowed (${problem})`;
  }

  /** True for a destination that the policy names by its host or origin: whatever address it has is meant. */
  isOpen(to: Destination): boolean {
    if (this.#origins.size > 0 && this.#origins.has(originOf(to))) return true;
    const name = bareName(to.hostname);
    return this.#hosts.some(
      (host) => host.hostname === name && (host.port === null ? isOpenPort(to.port) : host.port === to.port),
    );
  }
}

/** The destination of a URL or of what undici hands to a connector, whose port is empty where the protocol says it. */
export function destinationOf(url: {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: string;
}): Destination {
  const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? 0) : Number(url.port);
  return { protocol: url.protocol, hostname: url.hostname.replace(/^\[|\]$/g, ''), port };
}

function originOf(to: Destination): string {
  const host = to.hostname.includes(':') ? `[${to.hostname}]` : to.hostname;
  return new URL(`${to.protocol}//${host}:${to.port}`).origin;
}

function bareName(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, '');
}

function isOpenPort(port: number): boolean {
  return port === 80 || port === 443 || port >= FIRST_USER_PORT;
}

function readHost(entry: string): AllowedHost {
  if (!URL.canParse(`http://${entry}`) || /[/?#@*\s]/.test(entry))
    throw new Error(`"${entry}" is no host, host:port, address or CIDR block`);
  const { hostname } = new URL(`http://${entry}`);
  const port = /:(\d+)$/.exec(entry)?.[1];
  return { hostname: bareName(hostname.replace(/^\[|\]$/g, '')), port: port === undefined ? null : Number(port) };
}
