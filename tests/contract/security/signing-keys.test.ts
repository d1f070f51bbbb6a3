import { Webhook } from 'standardwebhooks';
import { Agent } from 'undici';
import { expect, test } from 'vitest';
import { connectPool } from '../../../src/infra/db/client.ts';
import { EnginePool } from '../../../src/infra/db/engine-pool.ts';
import { HttpSender } from '../../../src/infra/messaging/http-sender.ts';
import { PostgresSigningKeys } from '../../../src/infra/repo/postgres-signing-keys.ts';
import { createWebhookSigner } from '../../../src/infra/security/signature.ts';
import { createTestDatabase } from '../../support/database.ts';
import { openScheduling, TEST_SEAL } from '../../support/scheduling.ts';
import { aDelivery, httpTarget, noDeadline, tenantId } from '../senders/deliveries.ts';
import { startReceiver } from '../senders/receiver.ts';

const caller = { tenantId: tenantId('tenant-123'), subject: 'ada', organizationId: null };

test('a receiver with the reference library takes every delivery of a rotation, with the key it has', async () => {
  await using closing = new AsyncDisposableStack();
  const database = closing.adopt(await createTestDatabase(), (made) => made.drop());
  const { signingKeys } = closing.adopt(await openScheduling(database.url), (opened) => opened.close());
  const open = () => connectPool(database.url, { role: 'scheduler_engine', max: 1, applicationName: 'test' });
  const pool = closing.use(new EnginePool(open, 10_000));
  const dispatcher = closing.adopt(new Agent({ allowH2: false }), (agent) => agent.close());
  await using receiver = await startReceiver((response) => response.writeHead(204).end());

  /** Whether a receiver with each of these keys takes a delivery that is made now. */
  const takenWith = async (...keys: readonly string[]): Promise<readonly boolean[]> => {
    const fresh = new PostgresSigningKeys(pool, TEST_SEAL);
    const sign = createWebhookSigner((tenant) => fresh.of(tenant));
    const sender = new HttpSender({ egress: { checkUrl: () => null, dispatcher }, clock: { now: Date.now }, sign });
    await sender.send(aDelivery(httpTarget({ url: receiver.url })), noDeadline());
    const { body, headers } = await receiver.next();
    const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    return keys.map((key) => {
      try {
        return new Webhook(key).verify(body, texts) !== undefined;
      } catch {
        return false;
      }
    });
  };

  const old = await signingKeys.rotate(caller);
  expect(await takenWith(old.key)).toEqual([true]);
  const young = await signingKeys.rotate(caller);
  expect(await takenWith(old.key, young.key)).toEqual([true, true]);
  await signingKeys.remove(caller, old.id);
  expect(await takenWith(old.key, young.key)).toEqual([false, true]);
});
