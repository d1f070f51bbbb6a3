import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asScheduleId } from '../../../src/domain/ids.ts';
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

test('a schedule is created in two round trips, its entry in the audit trail within them, and read in one', async () => {
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
  const list = { filter: { organizationId: null }, sort: 'createdAt', limit: 10 } as const;
  /** How often the client spoke; the first time a connection prepares its statements, and nobody waits for the end of a read. */
  const turnsOf = async (ask: () => Promise<unknown>): Promise<number> => {
    await ask();
    await pool`select 1`;
    turns = 0;
    await ask();
    return turns;
  };
  // BEGIN, the tenant and the time; the entry, the schedule, its version and timer, COMMIT.
  expect(await turnsOf(() => scheduling.create(caller, input))).toBe(2);
  const { items } = await scheduling.list(caller, list);
  expect(items).toHaveLength(2);
  const id = items[0]?.state.id ?? asScheduleId('');
  if (id === null) throw new Error('nothing was listed');
  // BEGIN, the tenant, the schedule, COMMIT.
  expect(await turnsOf(() => scheduling.get(caller, id))).toBe(1);
  expect(await turnsOf(() => scheduling.list(caller, list))).toBe(1);
  const entries = await unitOfWork.forTenant(caller.tenantId, ({ audit }) =>
    audit.page({ organizationId: null, limit: 10 }),
  );
  expect(entries.items).toHaveLength(2);
  await pool.end();
});
