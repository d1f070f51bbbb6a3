import { randomBytes } from 'node:crypto';
import { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectPool } from '../../../src/infra/db/client.ts';
import { EnginePool } from '../../../src/infra/db/engine-pool.ts';
import { HttpSender } from '../../../src/infra/messaging/http-sender.ts';
import { PostgresSecretValues } from '../../../src/infra/repo/postgres-secret-values.ts';
import { SecretBox } from '../../../src/infra/security/secret-box.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type OpenScheduling, openScheduling, TEST_SEAL } from '../../support/scheduling.ts';
import { until } from '../../support/until.ts';
import { aDelivery, clock, httpTarget, noDeadline, tenantId } from './deliveries.ts';
import { startReceiver } from './receiver.ts';

const caller = { tenantId: tenantId('tenant-123'), subject: 'ada', organizationId: null };
const dispatcher = new Agent({ allowH2: false });
const egress = { checkUrl: () => null, dispatcher };
let database: TestDatabase;
let scheduling: OpenScheduling;
let pool: EnginePool;

beforeAll(async () => {
  database = await createTestDatabase();
  scheduling = await openScheduling(database.url);
  pool = new EnginePool(
    () => connectPool(database.url, { role: 'scheduler_engine', max: 2, applicationName: 'test' }),
    10_000,
  );
});
afterAll(async () => {
  await Promise.all([dispatcher.close(), scheduling.close(), pool[Symbol.asyncDispose]()]);
  await database.drop();
});

const put = (name: string, value: string) => scheduling.secrets.put(caller, { name, value }, null);

function sending(url: string, header: string, values = new PostgresSecretValues(pool, TEST_SEAL, 1)) {
  const sender = new HttpSender({ egress, clock, secrets: values });
  const target = httpTarget({ url, headers: { Authorization: header, 'X-Team': 'billing' } });
  const delivery = aDelivery(target);
  return () => sender.send(delivery, noDeadline());
}

describe('a header value that refers to a secret', () => {
  test('is sent with the value of each attempt’s moment', async () => {
    await using receiver = await startReceiver((response) => response.writeHead(204).end());
    await put('USER', 'the-user-name');
    await put('PASSWORD', 'first-password');
    const send = sending(receiver.url, '{{secret:USER}}:{{secret:PASSWORD}}');
    expect(await send()).toMatchObject({ kind: 'accepted' });
    await put('PASSWORD', 'second-password {{secret:USER}}');
    await until('the new value is sent', async () => {
      await send();
      return receiver.received.at(-1)?.headers.authorization !== 'the-user-name:first-password';
    });
    const sent = receiver.received.map(({ headers }) => headers.authorization);
    expect([sent[0], sent.at(-1)]).toEqual([
      'the-user-name:first-password',
      'the-user-name:second-password {{secret:USER}}',
    ]);
    expect(receiver.received[0]?.headers['x-team']).toBe('billing');
  });

  test('is read once for deliveries at the same time, and again after its time', async () => {
    await using receiver = await startReceiver((response) => response.writeHead(204).end());
    await put('SHARED', 'shared-value');
    let queries = 0;
    await using counting = new EnginePool(() => {
      const opened = connectPool(database.url, { role: 'scheduler_engine', max: 1, applicationName: 'test' });
      return new Proxy(opened, {
        apply: (target, self, given) => {
          queries += 1;
          return Reflect.apply(target, self, given);
        },
      });
    }, 10_000);
    const values = new PostgresSecretValues(counting, TEST_SEAL, 60_000);
    const send = sending(receiver.url, 'Bearer {{secret:SHARED}}', values);
    await Promise.all([send(), send(), send()]);
    await send();
    expect([queries, receiver.received.length]).toEqual([1, 4]);
  });

  test('is tried again while the secret is missing, and no request goes out', async () => {
    await using receiver = await startReceiver((response) => response.writeHead(204).end());
    const send = sending(receiver.url, 'Bearer {{secret:MISSING}}');
    expect(await send()).toEqual({ kind: 'unanswered', attempt: 'FAILED', reason: 'there is no secret "MISSING"' });
    expect(receiver.received).toEqual([]);
    await put('MISSING', 'put-back-again');
    await until('the secret is seen', async () => (await send()).kind === 'accepted');
  });

  test('is tried again while the secret cannot be opened', async () => {
    await put('LOCKED', 'locked-value');
    const other = new SecretBox([randomBytes(32).toString('base64')]);
    for (const seal of [other, null]) {
      const send = sending('http://127.0.0.1:9', '{{secret:LOCKED}}', new PostgresSecretValues(pool, seal, 1));
      expect(await send()).toEqual({ kind: 'unanswered', attempt: 'FAILED', reason: 'the secrets could not be read' });
    }
  });

  test('is not sent sealed, as it is stored', async () => {
    const send = sending('http://127.0.0.1:9', '{{sealed:v1.aaaaaaaa.bbbb}}');
    const reason = 'the value of the header "Authorization" cannot be opened';
    expect(await send()).toEqual({ kind: 'unanswered', attempt: 'FAILED', reason });
  });

  test('is another tenant’s secret never', async () => {
    await put('MINE', 'my-own-value');
    const values = new PostgresSecretValues(pool, TEST_SEAL, 1);
    expect([...(await values.of(tenantId('tenant-124'), ['MINE']))]).toEqual([]);
  });
});

test('what a receiver echoes of header values is not kept', async () => {
  await put('ECHOED', 'echoed-secret-value');
  await using receiver = await startReceiver((response, request) => {
    response.writeHead(400).end(JSON.stringify({ path: request.url, ...request.headers }));
  });
  const outcome = await sending(receiver.url, 'Bearer {{secret:ECHOED}}')();
  expect(receiver.received[0]?.headers.authorization).toBe('Bearer echoed-secret-value');
  expect(outcome).toMatchObject({ responseSnippet: expect.stringContaining('"authorization":"********"') });
  expect(JSON.stringify(outcome)).not.toContain('echoed-secret-value');
});
