import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Outcome } from '../../../src/domain/entities/run.ts';
import { HttpSender } from '../../../src/infra/messaging/http-sender.ts';
import { createEgressGuard, type EgressGuard, type EgressOptions } from '../../../src/infra/security/egress-guard.ts';
import { freePort } from '../../support/external-services.ts';
import { aDelivery, clock, httpTarget, noDeadline } from '../senders/deliveries.ts';
import { type RawReceiver, startRawReceiver, startReceiver } from '../senders/receiver.ts';

function guardWith(options: Partial<EgressOptions> = {}): EgressGuard {
  const guard = createEgressGuard({ allowPrivateNetworks: false, allow: [], allowOrigins: [], ...options });
  onTestFinished(() => guard.dispatcher.close());
  return guard;
}

async function send(guard: EgressGuard, url: string): Promise<Outcome> {
  return new HttpSender({ egress: guard, clock }).send(aDelivery(httpTarget({ url })), noDeadline());
}

/** Every name resolves to these addresses. */
function resolvingTo(...addresses: string[]): Partial<EgressOptions> {
  return { resolve: async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })) };
}

const isDenied = expect.objectContaining({ kind: 'refused', why: 'EGRESS', attempt: 'EGRESS_DENIED' });

describe('loopback is out of reach in every spelling', () => {
  const canaries: RawReceiver[] = [];
  beforeAll(async () => {
    for (const host of ['127.0.0.1', '::1'])
      canaries.push(
        await startRawReceiver((socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'), host, await freePort()),
      );
  });
  afterAll(async () => {
    for (const canary of canaries) await canary[Symbol.asyncDispose]();
    expect(canaries.map((canary) => canary.connections)).toEqual([0, 0]);
  });

  const spellings = [
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '0x7f.0x0.0x0.0x1',
    '127.0.0.1.',
    '127.255.255.254',
    '0',
    '0.0.0.0',
    '00.0.0.0',
    '%31%32%37.0.0.1',
    '127%2e0%2e0%2e1',
    '①②⑦.⓪.⓪.①',
    '１２７.0.0.1',
    '127。0。0。1',
    'ⓛocalhost',
    'localhost',
    'LOCALHOST.',
    'a.localhost',
    'localhost.localdomain',
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[::7f00:1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::7f00:1]',
    '[2002:7f00:1::]',
    '[2001:0:7f00:1::]',
    '[::ffff:0:127.0.0.1]',
    '[fe80::1]',
    '[fc00::1]',
    '[fd12:3456::1]',
  ];
  test.each(spellings)('%s', async (host) => {
    for (const canary of canaries) {
      const url = `http://${host}:${canary.port}/`;
      expect(await send(guardWith(), url)).toEqual(isDenied);
    }
  });

  test.each(['//', '/\\', '///', '/', ''])('with "http:%s" before it', async (slashes) => {
    for (const canary of canaries)
      expect(await send(guardWith(), `http:${slashes}127.0.0.1:${canary.port}`)).toEqual(isDenied);
  });

  test.each([
    '127.0.0.1',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '0.0.0.0',
    '::',
  ])('as the address %s of a name', async (address) => {
    for (const canary of canaries) {
      expect(await send(guardWith(resolvingTo(address)), `http://name.example:${canary.port}/`)).toEqual(isDenied);
      expect(
        await send(guardWith(resolvingTo('93.184.215.14', address)), `http://name.example:${canary.port}/`),
      ).toEqual(isDenied);
    }
  });

  test.each(['127.0.0.1', '[::1]', '[::ffff:7f00:1]'])('handed to the dispatcher itself: %s', async (host) => {
    const guard = guardWith();
    for (const canary of canaries) {
      const origin = `http://${host}:${canary.port}`;
      await expect(guard.dispatcher.request({ origin, path: '/', method: 'GET' })).rejects.toMatchObject({
        code: 'EGRESS_DENIED',
      });
    }
  });

  test('through TLS as well', async () => {
    for (const canary of canaries) {
      expect(await send(guardWith(), `https://127.0.0.1:${canary.port}/`)).toEqual(isDenied);
      expect(await send(guardWith(resolvingTo('127.0.0.1')), `https://name.example:${canary.port}/`)).toEqual(isDenied);
    }
  });
});

describe('what shows without a lookup', () => {
  test.each([
    ['nonsense', 'the url cannot be read'],
    ['http://', 'the url cannot be read'],
    ['ftp://example.com/', 'only http and https are allowed'],
    ['file:///etc/passwd', 'only http and https are allowed'],
    ['javascript:alert(1)', 'only http and https are allowed'],
    ['http://user@example.com/', 'the url holds credentials'],
    ['http://user:word@example.com/', 'the url holds credentials'],
    ['http://example.com:22/', 'port 22 is not allowed'],
    ['https://example.com:1023/', 'port 1023 is not allowed'],
    ['http://example.com:0/', 'port 0 is not allowed'],
    ['http://10.1.2.3/', 'the address is not allowed (private)'],
    ['http://172.16.0.1/', 'the address is not allowed (private)'],
    ['http://192.168.1.1/', 'the address is not allowed (private)'],
    ['http://169.254.169.254/latest/meta-data', 'the address is not allowed (link-local)'],
    ['http://100.64.0.1/', 'the address is not allowed (carrier-grade NAT)'],
    ['http://100.100.100.200/', 'the address is not allowed (a metadata service)'],
    ['http://168.63.129.16/', 'the address is not allowed (a metadata service)'],
    ['http://224.0.0.1/', 'the address is not allowed (multicast)'],
    ['http://255.255.255.255/', 'the address is not allowed (broadcast)'],
    ['http://240.0.0.1/', 'the address is not allowed (reserved)'],
    ['http://192.0.2.1/', 'the address is not allowed (reserved)'],
    ['http://198.51.100.1/', 'the address is not allowed (reserved)'],
    ['http://203.0.113.1/', 'the address is not allowed (reserved)'],
    ['http://198.18.0.1/', 'the address is not allowed (reserved)'],
    ['http://[2001:db8::1]/', 'the address is not allowed (reserved)'],
    ['http://[ff02::1]/', 'the address is not allowed (multicast)'],
    ['http://[::ffff:8.8.8.8]/', 'the address is not allowed (IPv4-mapped)'],
    ['http://[::8.8.8.8]/', 'the address is not allowed (reserved)'],
    ['http://[64:ff9b::8.8.8.8]/', 'the address is not allowed (NAT64)'],
    ['http://[2002:808:808::]/', 'the address is not allowed (6to4)'],
    ['http://[2001::1]/', 'the address is not allowed (teredo)'],
    ['http://[4000::1]/', 'the address is not allowed (reserved)'],
    ['http://metadata.google.internal/', 'the host "metadata.google.internal" is not allowed'],
    ['http://metadata.google.internal./', 'the host "metadata.google.internal" is not allowed'],
    ['http://metadata/', 'the host "metadata" is not allowed'],
    ['http://instance-data/', 'the host "instance-data" is not allowed'],
  ])('%s: %s', (url, reason) => {
    expect(guardWith().checkUrl(url)).toBe(reason);
  });

  test.each([
    'http://example.com/',
    'https://example.com:443/a?b#c',
    'http://example.com:80',
    'http://example.com:1024',
    'https://8.8.8.8',
    'https://[2606:4700:4700::1111]:8443/',
    'http://xn--bcher-kva.example/',
  ])('%s may be tried', (url) => {
    expect(guardWith().checkUrl(url)).toBeNull();
  });
});

describe('what an operator opens', () => {
  test('private networks: loopback and the like, but never metadata services or link-local', () => {
    const guard = guardWith({ allowPrivateNetworks: true });
    const open = [
      'http://127.0.0.1:8080',
      'http://localhost:8080',
      'http://10.0.0.1',
      'http://[::1]:8080',
      'http://[fd00::1]',
      'http://100.64.0.1',
    ];
    const shut = [
      'http://169.254.169.254',
      'http://[fe80::1]',
      'http://[fd00:ec2::254]',
      'http://100.100.100.200',
      'http://224.0.0.1',
      'http://0.0.0.0',
      'http://metadata.google.internal',
      'http://127.0.0.1:22',
      'http://[::ffff:127.0.0.1]',
    ];
    expect(open.filter((url) => guard.checkUrl(url) !== null)).toEqual([]);
    expect(shut.filter((url) => guard.checkUrl(url) === null)).toEqual([]);
  });

  test('exactly one origin, and what it answers arrives', async () => {
    await using receiver = await startReceiver((response) => response.end());
    const guard = guardWith({ allowOrigins: [receiver.url] });
    expect(await send(guard, `${receiver.url}/echo`)).toEqual({
      kind: 'accepted',
      attempt: 'ACCEPTED',
      httpStatus: 200,
    });
    await using other = await startReceiver((response) => response.end());
    expect(await send(guard, other.url)).toEqual(isDenied);
    expect(await send(guard, receiver.url.replace('http:', 'https:'))).toEqual(isDenied);
    expect(other.received).toEqual([]);
  });

  test('a host with its port: there any address is meant, and any port', async () => {
    await using receiver = await startReceiver((response) => response.end());
    const { port } = new URL(receiver.url);
    const guard = guardWith({ allow: [`Jobs.Internal:${port}`, 'billing.internal:22'], ...resolvingTo('127.0.0.1') });
    expect((await send(guard, `http://jobs.internal:${port}/`)).kind).toBe('accepted');
    expect(guard.checkUrl('http://billing.internal:22/')).toBeNull();
    expect(await send(guard, 'http://jobs.internal:8081/')).toEqual(isDenied);
    expect(await send(guard, `http://other.internal:${port}/`)).toEqual(isDenied);
  });

  test('a block of addresses, for literals and for names', async () => {
    await using receiver = await startReceiver((response) => response.end());
    const guard = guardWith({ allow: ['127.0.0.0/24', 'fd00::/8'], ...resolvingTo('127.0.0.1') });
    const { port } = new URL(receiver.url);
    expect((await send(guard, receiver.url)).kind).toBe('accepted');
    expect((await send(guard, `http://jobs.internal:${port}/`)).kind).toBe('accepted');
    expect(guard.checkUrl('http://127.0.1.1/')).not.toBeNull();
    expect(guard.checkUrl('http://[fd00::7]/')).toBeNull();
  });

  test.each(['*', 'http://host', 'a b', 'host/path', 'user@host', '10.0.0.0/33'])(
    'an entry that cannot be read is a mistake: %s',
    (entry) => {
      expect(() => guardWith({ allow: [entry] })).toThrow('is no host, host:port, address or CIDR block');
    },
  );
});

describe('names', () => {
  test('a name that moves to loopback after its first answer is denied from then on', async () => {
    const answer = (socket: Socket): void => void socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
    await using open = await startRawReceiver(answer, '127.0.0.2', await freePort());
    await using canary = await startRawReceiver(answer, '127.0.0.1', open.port);
    const answers = ['127.0.0.1', '127.0.0.2'];
    const guard = guardWith({
      allow: ['127.0.0.2/32'],
      resolve: async () => [{ address: answers.pop() ?? '', family: 4 }],
    });
    expect((await send(guard, `http://rebinds.example:${open.port}/`)).kind).toBe('accepted');
    const later = performance.now() + 60_000;
    const clockOfCache = vi.spyOn(performance, 'now').mockReturnValue(later);
    onTestFinished(() => clockOfCache.mockRestore());
    expect(await send(guard, `http://rebinds.example:${open.port}/`)).toEqual(isDenied);
    expect([open.connections, canary.connections, answers]).toEqual([1, 0, []]);
  });

  test('the address that was checked is the one connected to: a name is looked up once per connection', async () => {
    await using receiver = await startReceiver((response) => response.writeHead(204, { connection: 'close' }).end());
    const answers = ['127.0.0.9', '127.0.0.1'];
    const guard = guardWith({
      allow: ['127.0.0.1/32'],
      resolve: async () => [{ address: answers.pop() ?? '', family: 4 }],
    });
    const { port } = new URL(receiver.url);
    expect((await send(guard, `http://name.example:${port}/`)).kind).toBe('accepted');
    expect([answers, receiver.received[0]?.headers.host]).toEqual([['127.0.0.9'], `name.example:${port}`]);
  });

  test('the reason names no address that a lookup gave', async () => {
    expect(await send(guardWith(resolvingTo('10.20.30.40')), 'http://name.example/')).toEqual({
      kind: 'refused',
      why: 'EGRESS',
      attempt: 'EGRESS_DENIED',
      reason: 'the address is not allowed (private), which "name.example" resolves to',
    });
  });

  test('an unknown name, one without addresses and a lookup that never ends are tried again', async () => {
    const unknown = guardWith({ resolve: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })) });
    expect(await send(unknown, 'http://name.example/')).toMatchObject({
      kind: 'unanswered',
      attempt: 'NETWORK',
      reason: 'host name not found',
    });
    expect(await send(guardWith(resolvingTo()), 'http://name.example/')).toMatchObject({
      kind: 'unanswered',
      reason: 'host name not found',
    });
    const hanging = guardWith({ resolve: () => Promise.withResolvers<never>().promise });
    expect(await send(hanging, 'http://name.example/')).toMatchObject({
      kind: 'unanswered',
      reason: 'host name lookup failed',
    });
  });
});

test('pools go with their connections: a thousand hosts leave nothing behind', async () => {
  await using receiver = await startReceiver((response) => response.writeHead(204, { connection: 'close' }).end());
  const { port } = new URL(receiver.url);
  const guard = guardWith({ allow: ['127.0.0.1/32'], ...resolvingTo('127.0.0.1') });
  for (let batch = 0; batch < 10; batch += 1) {
    const urls = Array.from({ length: 100 }, (_, index) => `http://host-${batch}-${index}.example:${port}/`);
    const outcomes = await Promise.all(urls.map((url) => send(guard, url)));
    expect(outcomes.filter((outcome) => outcome.kind !== 'accepted')).toEqual([]);
  }
  await expect.poll(() => Object.keys(guard.dispatcher.stats)).toEqual([]);
});

test('an idle connection is let go, and its pool with it', async () => {
  await using receiver = await startReceiver((response) => response.end());
  const guard = guardWith({ allowOrigins: [receiver.url], idleMs: 1 });
  expect((await send(guard, receiver.url)).kind).toBe('accepted');
  await expect.poll(() => Object.keys(guard.dispatcher.stats)).toEqual([]);
});
