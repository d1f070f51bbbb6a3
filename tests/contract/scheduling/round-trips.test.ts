import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SchedulingService } from '../../../src/domain/services/scheduling-service.ts';
import { connectPool, openDatabase } from '../../../src/infra/db/client.ts';
import { DrizzleUnitOfWork } from '../../../src/infra/repo/drizzle-unit-of-work.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { scheduleInput, silentJournal } from '../../support/scheduling.ts';
import { newCaller } from './workbench.ts';

let database: TestDatabase;
let proxy: Server;
/** How often the client spoke after it had heard the server. */
let turns = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  const { hostname, port } = new URL(database.url);
  proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    let hasHeard = true;
    client.on('data', (chunk) => {
      if (hasHeard) turns += 1;
      hasHeard = false;
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      hasHeard = true;
      client.write(chunk);
    });
    client.on('error', () => server.destroy()).on('close', () => server.destroy());
    server.on('error', () => client.destroy()).on('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
});

afterAll(async () => {
  proxy.close();
  await database.drop();
});

test('a schedule is created in five round trips, its entry in the audit trail within them', async () => {
  const url = new URL(database.url);
  [url.hostname, url.port] = ['127.0.0.1', String((proxy.address() as AddressInfo).port)];
  const pool = connectPool(url.href, { role: 'scheduler_api', max: 1, applicationName: 'test' });
  const unitOfWork = new DrizzleUnitOfWork(openDatabase(pool));
  const bell = { ring: () => undefined, listen: () => undefined };
  const of = () => Promise.reject(new Error('nothing is sent from here'));
  const senders = { of: () => ({ send: of }), check: () => undefined };
  const scheduling = new SchedulingService({ unitOfWork, bell, senders, journal: silentJournal(), newId });
  const caller = newCaller();
  const input = scheduleInput({ target: { kind: 'EVENT', eventTopic: 'a.b' } });
  await scheduling.create(caller, input);
  turns = 0;
  await scheduling.create(caller, input);
  // BEGIN, the tenant and the time, the schedule, its version and timer, COMMIT.
  expect(turns).toBe(5);
  const entries = await unitOfWork.forTenant(caller.tenantId, ({ audit }) =>
    audit.page({ organizationId: null, limit: 10 }),
  );
  expect(entries.items).toHaveLength(2);
  await pool.end();
});
