import { expect, test } from 'vitest';
import { openSenders } from '../../../src/adapters.ts';
import { readConfig } from '../../../src/config.ts';
import { PLACES_AT_DESTINATION } from '../../../src/domain/services/delivery-service.ts';
import { connectPool } from '../../../src/infra/db/client.ts';
import { DatabaseClock } from '../../../src/infra/db/database-clock.ts';
import { EnginePool } from '../../../src/infra/db/engine-pool.ts';
import { PostgresSigningKeys } from '../../../src/infra/repo/postgres-signing-keys.ts';
import { Receiver } from '../../support/receiver.ts';
import { silentJournal } from '../../support/scheduling.ts';
import { aDelivery, httpTarget } from './deliveries.ts';

const DEADLINE_MS = 10_000;
/** Nothing is signed, so nobody asks for it. */
const NO_DATABASE = 'postgres://nobody@127.0.0.1:1/none';

test('the service has a connection for each of the places at a destination', async () => {
  await using closing = new AsyncDisposableStack();
  const arrived = Promise.withResolvers<number>();
  let open = 0;
  const receiver = closing.use(
    await Receiver.start(() => {
      open += 1;
      if (open === PLACES_AT_DESTINATION) arrived.resolve(200);
      return arrived.promise;
    }),
  );
  const config = readConfig({ ROLES: 'engine', POSTGRES_URL: NO_DATABASE, HTTP_ALLOW_PRIVATE_NETWORKS: 'true' });
  const pool = new EnginePool(() => connectPool(NO_DATABASE, { max: 1, applicationName: 'test' }), 1000);
  const senders = openSenders(
    config,
    {
      commands: new Map(),
      signingKeys: new PostgresSigningKeys(pool, null),
      secretValues: { of: () => Promise.resolve(new Map()) },
      echo: null,
      clock: new DatabaseClock(),
      journal: silentJournal(),
    },
    closing,
  );
  const delivery = aDelivery(httpTarget({ url: receiver.url }));
  const sent = Array.from({ length: PLACES_AT_DESTINATION }, async () =>
    senders.of('HTTP').send(delivery, AbortSignal.timeout(DEADLINE_MS)),
  );
  const outcomes = await Promise.all(sent);
  expect(outcomes.map(({ kind }) => kind)).toEqual(Array.from({ length: PLACES_AT_DESTINATION }, () => 'accepted'));
});
