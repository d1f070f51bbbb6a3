import { once } from 'node:events';
import { createServer } from 'node:https';
import { expect, onTestFinished, test } from 'vitest';
import { HttpSender } from '../../../src/infra/messaging/http-sender.ts';
import { createEgressGuard } from '../../../src/infra/security/egress-guard.ts';
import { selfSigned } from './certificate.ts';
import { aDelivery, clock, httpTarget, noDeadline } from './deliveries.ts';

test.each([
  ['nobody vouches for', selfSigned('127.0.0.1')],
  ['that ended', selfSigned('127.0.0.1', '200101000000Z', '210101000000Z')],
  ['of another host', selfSigned('other.example')],
])('a certificate %s: the request is never sent', async (_what, identity) => {
  let requests = 0;
  const server = createServer(identity, () => {
    requests += 1;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `https://127.0.0.1:${address.port}`;
  const guard = createEgressGuard({ allowPrivateNetworks: false, allow: [], allowOrigins: [url] });
  onTestFinished(async () => {
    await guard.dispatcher.close();
    await new Promise((resolve) => server.close(resolve));
  });
  const outcome = await new HttpSender({ egress: guard, clock }).send(aDelivery(httpTarget({ url })), noDeadline());
  expect(outcome).toMatchObject({ kind: 'unanswered', attempt: 'NETWORK', possibleDuplicate: false });
  expect(outcome).toMatchObject({ reason: expect.stringMatching(/CERT/) });
  expect(requests).toBe(0);
});
