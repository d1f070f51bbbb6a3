import { createSocket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { once } from 'node:events';
import { isIP, isIPv6 } from 'node:net';
import type { ResolvedAddress } from '../../../src/infra/security/resolver.ts';

const [A, CNAME, AAAA] = [1, 5, 28];
const ANSWER = 0x8180;
const UNKNOWN_NAME = 0x8183;

/** A name's answers, one after the other, the last for ever: addresses, or another name. */
export type Zone = Readonly<Record<string, readonly (readonly string[])[]>>;

export interface NameServer extends AsyncDisposable {
  /** All addresses of a name, asked of this server alone. */
  readonly resolve: (name: string) => Promise<readonly ResolvedAddress[]>;
  /** How often each name was asked for, by addresses of one family. */
  readonly asked: ReadonlyMap<string, number>;
}

/** A DNS server on loopback, over UDP, whose answers are never to be kept (TTL 0). */
export async function startNameServer(zone: Zone): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked = new Map<string, number>();
  socket.on('message', (query, from) => {
    const { name, type, question } = read(query);
    const turn = asked.get(`${name} ${type}`) ?? 0;
    asked.set(`${name} ${type}`, turn + 1);
    const answers = zone[name];
    const records = (answers?.[Math.min(turn, answers.length - 1)] ?? []).flatMap((value) =>
      recordsOf(value, type, zone),
    );
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(answers === undefined ? UNKNOWN_NAME : ANSWER, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(records.length, 6);
    socket.send(Buffer.concat([head, question, ...records]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new dns.Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    asked,
    resolve: async (name) => {
      const none = (): string[] => [];
      const four = await resolver.resolve4(name).catch(none);
      const six = await resolver.resolve6(name).catch(none);
      return [...four, ...six].map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
    },
    [Symbol.asyncDispose]: async () => {
      resolver.cancel();
      await new Promise<void>((done) => socket.close(done));
    },
  };
}

function read(query: Buffer): { readonly name: string; readonly type: number; readonly question: Buffer } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return {
    name: labels.join('.').toLowerCase(),
    type: query.readUInt16BE(at + 1),
    question: query.subarray(12, at + 5),
  };
}

function recordsOf(value: string, type: number, zone: Zone): Buffer[] {
  if (isIP(value) === 0) {
    const followed = (zone[value]?.[0] ?? []).flatMap((address) => recordsOf(address, type, zone));
    return [record(CNAME, nameBytes(value)), ...followed.map((found) => renamed(found, value))];
  }
  if ((type === AAAA) !== isIPv6(value)) return [];
  return [record(type === AAAA ? AAAA : A, addressBytes(value))];
}

/** A record of the question's own name. */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.from([0xc0, 0x0c, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length]);
  return Buffer.concat([head, data]);
}

function renamed(found: Buffer, name: string): Buffer {
  return Buffer.concat([nameBytes(name), found.subarray(2)]);
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function addressBytes(text: string): Buffer {
  if (!isIPv6(text)) return Buffer.from(text.split('.').map(Number));
  const [head = '', tail = ''] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)));
  const zeroes = Array.from({ length: 8 - groups(head).length - groups(tail).length }, () => 0);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...groups(head), ...zeroes, ...groups(tail)].entries())
    bytes.writeUInt16BE(group, index * 2);
  return bytes;
}
