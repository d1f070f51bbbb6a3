import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Outcome } from '../../../src/domain/entities/run.ts';
import { HttpSender } from '../../../src/infra/messaging/http-sender.ts';
import { createEgressGuard, type EgressGuard, type EgressOptions } from '../../../src/infra/security/egress-guard.ts';
import { freePort } from '../../support/external-services.ts';
import { aDelivery, clock, httpTarget, noDeadline } from '../senders/deliveries.ts';
import { type RawReceiver, startRawReceiver, startReceiver } from '../senders/receiver.ts';
import { startNameServer, type Zone } from './name-server.ts';

/** Stands in for the public internet: allowed, and no canary. */
const PUBLIC = '127.0.0.2';
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n';
const isDenied = expect.objectContaining({ kind: 'refused', why: 'EGRESS', attempt: 'EGRESS_DENIED' });

let canaries: readonly RawReceiver[] = [];
let port = 0;

/** Every address of this machine listens on one port, and must never hear of anything. */
beforeAll(async () => {
  const first = await startRawReceiver((socket) => socket.end(NO_CONTENT), '127.0.0.1', await freePort());
  port = first.port;
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ address }) => address !== '127.0.0.1' && !address.startsWith('fe80:'));
  const open = others.map(({ address }) => startRawReceiver((socket) => socket.end(NO_CONTENT), address, port));
  canaries = [first, ...(await Promise.all(open))];
});
afterAll(async () => {
  for (const canary of canaries) await canary[Symbol.asyncDispose]();
  expect(canaries.map(({ connections }) => connections)).toEqual(canaries.map(() => 0));
});

function guardWith(options: Partial<EgressOptions> = {}): EgressGuard {
  const guard = createEgressGuard({ allowPrivateNetworks: false, allow: [], allowOrigins: [], ...options });
  onTestFinished(() => guard.dispatcher.close());
  return guard;
}

async function send(guard: EgressGuard, url: string): Promise<Outcome> {
  return new HttpSender({ egress: guard, clock }).send(aDelivery(httpTarget({ url })), noDeadline());
}

const HOSTS = [
  // Loopback and "this network", as parsers of all ages read them.
  ...[
    '127.0.0.1',
    '127.000.000.001',
    '0000000177.0.0.1',
    '127.0.0.01',
    '0x7F.0x00.0x00.0x01',
    '0x7f.0.0.1',
    '0177.0.0.01',
  ],
  ...[
    '127.65535',
    '127.0.255',
    '0x7fffffff',
    '2147483647',
    '0x00000007f000001',
    '017777777777',
    '0x0',
    '0.0',
    '0x0.0',
    '00',
  ],
  // Digits of other scripts, invisible characters, dots that are none.
  ...[
    '𝟏𝟐𝟕.𝟎.𝟎.𝟏',
    '１２７．０．０．１',
    '127｡0｡0｡1',
    '127．0．0．1',
    '¹²⁷.⁰.⁰.¹',
    '127.0.0.\u00ad1',
    '127.0.\u200b0.1',
    '127\u2060.0.0.1',
  ],
  ...[
    '%EF%BC%91%32%37.0.0.1',
    '%6c%6f%63%61%6c%68%6f%73%74',
    'ｌｏｃａｌｈｏｓｔ',
    'loc\u00adalhost',
    'LOCALHOST',
    'localhost.',
    'ℒocalhost',
  ],
  // Metadata services and link-local, plain and dressed up.
  ...[
    '169.254.169.254',
    '169.254.169.254.',
    '0xa9fea9fe',
    '2852039166',
    '0251.0376.0251.0376',
    '169.254.43518',
    '0xa9.254.0251.254',
  ],
  ...[
    '[fe80::a9fe:a9fe]',
    '[::ffff:169.254.169.254]',
    '[::ffff:a9fe:a9fe]',
    '[::169.254.169.254]',
    '[64:ff9b::169.254.169.254]',
  ],
  ...[
    '[64:ff9b:1::a9fe:a9fe]',
    '[2002:a9fe:a9fe::]',
    '[2001::5601:5601]',
    '[fd00:ec2::254]',
    '100.100.100.200',
    '168.63.129.16',
  ],
  // Private networks and their edges.
  ...[
    '10.0.0.0',
    '10.255.255.255',
    '172.16.0.0',
    '172.31.255.255',
    '192.168.0.0',
    '192.168.255.255',
    '100.64.0.0',
    '100.127.255.255',
  ],
  ...[
    '192.0.0.1',
    '192.0.0.170',
    '192.0.2.255',
    '198.18.0.0',
    '198.19.255.255',
    '198.51.100.0',
    '203.0.113.255',
    '192.88.99.1',
  ],
  ...[
    '224.0.0.0',
    '239.255.255.255',
    '240.0.0.0',
    '255.255.255.255',
    '0.255.255.255',
    '[::ffff:10.0.0.1]',
    '[::10.0.0.1]',
  ],
  // IPv6 that is not of the public internet, or that carries an IPv4 address of which somebody else decides.
  ...[
    '[::]',
    '[::1]',
    '[0:0::1]',
    '[::ffff:0:127.0.0.1]',
    '[::ffff:127.1.1.1]',
    '[2002:7f00:1::1]',
    '[2002:c0a8:1::]',
    '[2001:0:7f00:1::]',
  ],
  ...[
    '[64:ff9b::7f00:1]',
    '[64:ff9b::10.0.0.1]',
    '[64:ff9b::8.8.8.8]',
    '[100::1]',
    '[2001:db8::1]',
    '[2001:10::1]',
    '[2001:20::1]',
  ],
  ...[
    '[3fff::1]',
    '[5f00::1]',
    '[fc00::1]',
    '[fdff::1]',
    '[fec0::1]',
    '[febf::1]',
    '[ff02::1]',
    '[ff05::2]',
    '[4000::1]',
    '[e000::1]',
  ],
  ...[
    'metadata.google.internal',
    'METADATA.google.internal.',
    'metadata.goog',
    'metadata',
    'instance-data.ec2.internal',
    'a.localhost.',
  ],
  // What is no host at all.
  ...[
    '127.0.0.1.5',
    '256.0.0.1',
    '[::1%25lo]',
    '[::1%lo]',
    '[fe80::1%25eth0]',
    '[::1',
    '::1',
    '0x1ffffffff',
    '127.0.0.1%00.example.com',
    'a b',
  ],
  ...['127.0.0.1\\@example.com', 'user@127.0.0.1', 'user:word@example.com', 'a%0d%0ab', ''],
];

describe('nothing of this machine or its networks is reached', () => {
  test.each(HOSTS)('by the host %j', async (host) => {
    const guard = guardWith();
    for (const url of [`http://${host}:${port}/`, `https://${host}:${port}/`]) {
      expect(await send(guard, url)).toEqual(isDenied);
      expect(guard.checkUrl(url)).not.toBeNull();
    }
  });

  test.each([
    ...['ftp', 'file', 'gopher', 'ws', 'wss', 'unix', 'data', 'blob', 'jar', 'dict', 'ldap', 'http+unix', 'javascript'],
  ])('by the scheme %s', async (scheme) => {
    expect(await send(guardWith(), `${scheme}://127.0.0.1:${port}/`)).toEqual(isDenied);
  });

  test.each([0, 1, 22, 25, 53, 79, 81, 111, 389, 442, 444, 445, 587, 993, 1023, 65_536])(
    'by the port %i',
    async (closed) => {
      expect(await send(guardWith(), `http://example.com:${closed}/`)).toEqual(isDenied);
    },
  );

  test.each([
    ...[
      '9.255.255.255',
      '11.0.0.0',
      '172.15.255.255',
      '172.32.0.0',
      '192.167.255.255',
      '192.169.0.0',
      '126.255.255.255',
    ],
    ...['128.0.0.0', '100.63.255.255', '100.128.0.0', '169.253.255.255', '169.255.0.0', '198.17.255.255', '198.20.0.0'],
    ...['1.0.0.0', '223.255.255.255', '[2606:4700:4700::1111]', '[2a00::1]', '[2003::1]'],
  ])('but what lies beside them may be: %s', (host) => {
    expect(guardWith().checkUrl(`http://${host}/`)).toBeNull();
  });

  test('by its own addresses, whatever they are', async () => {
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    expect(own.length).toBeGreaterThan(0);
    for (const { address, family } of own.filter((one) => !isPublic(one.address))) {
      const host = family === 'IPv6' ? `[${address}]` : address;
      expect(await send(guardWith(), `http://${host}:${port}/`)).toEqual(isDenied);
    }
  });

  test.each([301, 302, 303, 307, 308])('by a redirect with %i', async (status) => {
    await using receiver = await startReceiver((response) => {
      response.writeHead(status, { location: `http://127.0.0.1:${port}/` }).end();
    });
    const outcome = await send(guardWith({ allowOrigins: [receiver.url] }), receiver.url);
    expect(outcome).toMatchObject({ kind: 'refused', httpStatus: status });
  });

  test('through a proxy that the environment names', async () => {
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'all_proxy'])
      vi.stubEnv(name, `http://127.0.0.1:${port}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    await using receiver = await startReceiver((response) => response.end());
    expect(await send(guardWith({ allowOrigins: [receiver.url] }), receiver.url)).toMatchObject({ kind: 'accepted' });
  });
});

describe('nor by a name that a name server answers for', () => {
  const ZONE: Zone = {
    'a.example': [['127.0.0.1']],
    'private.example': [['10.0.0.1']],
    'metadata.example': [['169.254.169.254']],
    'four-of-six.example': [['::1']],
    'mapped.example': [['::ffff:127.0.0.1']],
    'nat64.example': [['64:ff9b::7f00:1']],
    '6to4.example': [['2002:7f00:1::']],
    'teredo.example': [['2001:0:7f00:1::1']],
    'unique-local.example': [['fd00::1']],
    'both.example': [['::1', PUBLIC]],
    'last-of-many.example': [[...Array.from({ length: 20 }, () => PUBLIC), '127.0.0.1']],
    'alias.example': [['inner.example']],
    'inner.example': [['127.0.0.1']],
    '127.0.0.1.nip.example': [['127.0.0.1']],
    redis: [['127.0.0.1']],
    'printer.local': [['192.168.1.9']],
    'xn--bcher-kva.example': [['127.0.0.1']],
    'rebinds.example': [[PUBLIC], ['127.0.0.1']],
    'moves.example': [[PUBLIC], ['10.0.0.1']],
    'turns-six.example': [[PUBLIC], ['::1']],
    'widens.example': [[PUBLIC], [PUBLIC, '127.0.0.1']],
  };
  const steady = Object.keys(ZONE).filter((name) => ZONE[name]?.length === 1);

  test.each(steady)('%s', async (name) => {
    await using names = await startNameServer(ZONE);
    const guard = guardWith({ resolve: names.resolve, allow: [`${PUBLIC}/32`] });
    for (const host of [name, `${name}.`, name.toUpperCase()])
      expect(await send(guard, `http://${host}:${port}/`)).toEqual(isDenied);
  });

  test.each(['rebinds.example', 'moves.example', 'turns-six.example', 'widens.example'])(
    '%s, which is public at first',
    async (name) => {
      await using names = await startNameServer(ZONE);
      await using open = await startRawReceiver((socket) => socket.end(NO_CONTENT), PUBLIC, port);
      const guard = guardWith({ resolve: names.resolve, allow: [`${PUBLIC}/32`] });
      const start = performance.now();
      const clockOfCache = vi.spyOn(performance, 'now').mockReturnValue(start);
      onTestFinished(() => clockOfCache.mockRestore());
      expect(await send(guard, `http://${name}:${port}/`)).toMatchObject({ kind: 'accepted' });
      expect(open.connections).toBe(1);
      clockOfCache.mockReturnValue(start + 60_000);
      let outcome: Outcome;
      // The cache of lookups reads its clock once a millisecond.
      do outcome = await send(guard, `http://${name}:${port}/`);
      while (names.asked.get(`${name} 1`) === 1);
      expect(outcome).toEqual(isDenied);
    },
  );
});

function isPublic(address: string): boolean {
  return (
    createEgressGuard({ allowPrivateNetworks: false, allow: [], allowOrigins: [] }).checkUrl(
      `http://${address.includes(':') ? `[${address}]` : address}/`,
    ) === null
  );
}
