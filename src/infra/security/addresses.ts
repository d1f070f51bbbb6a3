import ipaddr from 'ipaddr.js';

/** A block of addresses: an address alone is a block of one. */
export type AddressBlock = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Ranges that an operator means by "private networks". */
const PRIVATE_RANGES = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);

/** Where clouds hand out credentials, outside of link-local: Alibaba, AWS over IPv6, Azure. */
const METADATA_ADDRESSES = ['100.100.100.200/32', 'fd00:ec2::/32', '168.63.129.16/32'].map((text) =>
  ipaddr.parseCIDR(text),
);

const RANGE_WORDS: Readonly<Record<string, string>> = {
  unspecified: 'unspecified',
  linkLocal: 'link-local',
  uniqueLocal: 'unique-local',
  carrierGradeNat: 'carrier-grade NAT',
  ipv4Mapped: 'IPv4-mapped',
  rfc6052: 'NAT64',
  rfc6145: 'IPv4-translated',
};

export function isAddress(text: string): boolean {
  return (text.includes(':') || NUMERIC_END.test(text)) && ipaddr.isValid(text);
}

/** The last part of an IPv4 address in whatever way it is written; for a name, an answer that costs no exception. */
const NUMERIC_END = /(?:^|\.)(?:\d+|0x[\da-f]+)\.?$/i;

/** A CIDR block or an address as a block, or null when the text is neither. */
export function readBlock(text: string): AddressBlock | null {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!ipaddr.isValid(text)) return null;
  const address = ipaddr.parse(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/**
 * Why an address is not one of the public internet, as a word for its range; null when it is. With `allowPrivate`
 * loopback, private, unique-local and carrier-grade NAT pass too; metadata services and everything else never do.
 */
export function addressProblem(text: string, allowPrivate: boolean): string | null {
  if (!ipaddr.isValid(text)) return 'unreadable';
  const address = ipaddr.parse(text);
  if (METADATA_ADDRESSES.some((block) => contains(block, address))) return 'a metadata service';
  const range = rangeOf(address);
  if (range === 'unicast' || (allowPrivate && PRIVATE_RANGES.has(range))) return null;
  return RANGE_WORDS[range] ?? range;
}

/** True when the address lies in one of the blocks, which may be of either family. */
export function isInBlocks(text: string, blocks: readonly AddressBlock[]): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  return blocks.some((block) => contains(block, address));
}

function contains([network, bits]: AddressBlock, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}

/** Of IPv6 only 2000::/3 is unicast on the internet: what the table calls unicast outside of it, such as `::/96`, is not. */
function rangeOf(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  const range = address.range();
  if (range !== 'unicast' || address.kind() === 'ipv4') return range;
  const [first = 0] = address.toByteArray();
  return first >> 5 === 1 ? range : 'reserved';
}
