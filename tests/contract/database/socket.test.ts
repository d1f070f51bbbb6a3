import { once } from 'node:events';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { connectPool } from '../../../src/infra/db/client.ts';
import { type DatabaseSocket, databaseSockets } from '../../../src/infra/db/database-socket.ts';
import { createTestDatabase } from '../../support/database.ts';
import { until } from '../../support/until.ts';

/** Resolves in the turn of the event loop after the one in which the socket was destroyed, before that turn's immediates. */
async function afterItsEnd(socket: DatabaseSocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    if (socket.readyState !== 'closed') {
      setImmediate(look);
      return;
    }
    setTimeout(resolve, 1);
    // So that the timer is due at the start of the next turn.
    const until = performance.now() + 3;
    while (performance.now() < until);
  };
  look();
  return promise;
}

test('a statement sent between the end of a connection and the news of it does not spoil the connection for good', async () => {
  await using closing = new AsyncDisposableStack();
  const database = closing.adopt(await createTestDatabase(), (made) => made.drop());
  const sockets: DatabaseSocket[] = [];
  const dial = databaseSockets(2_000, { isWanted: false, isRequired: false, options: { rejectUnauthorized: false } });
  const options = {
    max: 1,
    fetch_types: false,
    ssl: false,
    connect_timeout: 2,
    socket: (address: Parameters<typeof dial>[0]) => {
      const socket = dial(address);
      sockets.push(socket);
      return socket;
    },
  };
  const victim = closing.adopt(postgres(database.url, options), (sql) => sql.end({ timeout: 0 }));
  const killer = closing.adopt(postgres(database.url, { max: 1 }), (sql) => sql.end());
  const [row] = await victim<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const [socket] = sockets;
  if (row === undefined || socket === undefined) throw new Error('nothing was dialled');
  const told = once(socket, 'close');
  const ended = afterItsEnd(socket);
  await killer`select pg_terminate_backend(${row.pid})`;
  await ended;
  const between = victim`select 1 as one`;
  await expect(between).rejects.toThrow('CONNECTION_CLOSED');
  await told;
  expect(await victim`select 2 as two`).toEqual([{ two: 2 }]);
});

test('a transaction whose connection ended between two of its statements is refused, and the next one works', async () => {
  await using closing = new AsyncDisposableStack();
  const database = closing.adopt(await createTestDatabase(), (made) => made.drop());
  const pool = closing.adopt(connectPool(database.url, { max: 1, applicationName: 'victim' }), (sql) => sql.end());
  const killer = closing.adopt(postgres(database.url, { max: 1 }), (sql) => sql.end());
  let told: unknown = null;
  const lost = pool.begin(async (sql) => {
    const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
    await killer`select pg_terminate_backend(${row?.pid ?? 0})`;
    await until('the pool has a new connection', async () => {
      const [other] = await pool<{ pid: number }[]>`select pg_backend_pid() as pid`.catch(() => []);
      return other !== undefined && other.pid !== row?.pid;
    });
    await sql`select 1`.catch((error: unknown) => {
      told = error;
    });
    await sql`select 2`;
  });
  await expect(lost).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  expect(told).toMatchObject({ code: 'CONNECTION_CLOSED' });
  expect(await pool.begin(async (sql) => (await sql`select 1 as one`)[0])).toEqual({ one: 1 });
});
