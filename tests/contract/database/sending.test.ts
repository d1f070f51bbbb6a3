import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decideAll } from '../../../src/domain/services/fired-batch.ts';
import { connectPool } from '../../../src/infra/db/client.ts';
import { EnginePool } from '../../../src/infra/db/engine-pool.ts';
import { claimDue } from '../../../src/infra/repo/claim-due.ts';
import type { EngineSql } from '../../../src/infra/repo/engine-rows.ts';
import { PostgresEngineStore } from '../../../src/infra/repo/postgres-engine-store.ts';
import { ScheduleVersionCache } from '../../../src/infra/repo/schedule-version-cache.ts';
import { Watermarks } from '../../../src/infra/repo/watermarks.ts';
import { writeFired } from '../../../src/infra/repo/write-fired.ts';
import { EngineBench } from '../../support/engine-bench.ts';

/** More of them are larger than what a socket of Node takes at once. */
const SLOTS = 700;
const LONG = 'x'.repeat(100_000);
/** Who waits for an answer that does not come ends then. */
const DEADLINE_MS = 10_000;

const insertClaim = (sql: EngineSql) => sql`
  insert into claims (id, owner, fence, lease_until, schedule_ids, slots, spaces, versions)
  select gen_random_uuid(), gen_random_uuid(), 1, now(), array[gen_random_uuid()], array[now()], array[0], array[1]`;

let bench: EngineBench;
let pool: EnginePool;
/** Keeps the server's answers from now on until the client has sent its COMMIT. */
let hold: () => void;
let closing: AsyncDisposableStack;

beforeAll(async () => {
  await using opening = new AsyncDisposableStack();
  bench = opening.use(await EngineBench.open());
  const { hostname, port } = new URL(bench.url);
  let isHeld = false;
  let kept: (() => void)[] = [];
  hold = () => {
    isHeld = true;
  };
  const release = (): void => {
    isHeld = false;
    for (const answer of kept) answer();
    kept = [];
  };
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    let end = '';
    client.on('data', (chunk: Buffer) => {
      server.write(chunk);
      if (isHeld && `${end}${chunk.toString('latin1')}`.includes('commit')) release();
      end = chunk.subarray(-'commit'.length).toString('latin1');
    });
    server.on('data', (chunk) => (isHeld ? kept.push(() => client.write(chunk)) : client.write(chunk)));
    client.on('error', () => server.destroy()).on('close', () => server.destroy());
    server.on('error', () => client.destroy()).on('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  opening.defer(() => void proxy.close());
  await once(proxy, 'listening');
  const url = new URL(bench.url);
  [url.hostname, url.port] = ['127.0.0.1', String((proxy.address() as AddressInfo).port)];
  const open = () => connectPool(url.href, { role: 'scheduler_engine', max: 1, applicationName: 'test' });
  pool = opening.use(new EnginePool(open, DEADLINE_MS));
  closing = opening.move();
});

afterAll(() => closing.disposeAsync());

describe('what is sent with its COMMIT', () => {
  const three = () =>
    pool.sending(async (sql) => {
      const lengths = Promise.all([1, 2, 3].map((_) => sql<{ n: number }[]>`select length(${LONG}) as n`));
      return async () => (await lengths).map(([row]) => row?.n);
    });

  it('waits for no answer in between, however long it is', async () => {
    await three();
    hold();
    expect(await three()).toEqual([100_000, 100_000, 100_000]);
  });

  it('is not committed where a statement fails, and says which', async () => {
    const failing = pool.sending(async (sql) => {
      const done = Promise.all([insertClaim(sql), sql`select 1 / (length(${LONG}) - 100000)`, sql`select 1`]);
      done.catch(() => undefined);
      return () => done;
    });
    await expect(failing).rejects.toThrow('division by zero');
    expect(await bench.sql`select from claims`).toHaveLength(0);
  });

  it('is rolled back where the work throws', async () => {
    const throwing = pool.sending(async (sql) => {
      await insertClaim(sql);
      throw new Error('changed its mind');
    });
    await expect(throwing).rejects.toThrow('changed its mind');
    expect(await bench.sql`select from claims`).toHaveLength(0);
  });
});

it('a claim writes all that it has decided in one go', async () => {
  await Promise.all(Array.from({ length: SLOTS }, () => bench.schedule()));
  const store = new PostgresEngineStore(pool, new ScheduleVersionCache(SLOTS, 1e7), () => 0);
  const claim = async (decided: () => void): Promise<number> => {
    await bench.sql`delete from claims`;
    await bench.sql`update timers set next_due = now(), slot = date_trunc('second', now())`;
    const claimant = { claimId: newId(), owner: newId(), leaseMs: 60_000 };
    const { due } = await store.fireDue({ live: SLOTS, late: 0, excluded: [] }, claimant, (slots, now) => {
      decided();
      return decideAll(slots, now);
    });
    return due.length;
  };
  expect(await claim(() => undefined)).toBe(SLOTS);
  expect(await claim(() => hold())).toBe(SLOTS);
  const [held] = await bench.sql<{ runs: number }[]>`select cardinality(schedule_ids) as runs from claims`;
  expect(held?.runs).toBe(SLOTS);
});

it('a claim writes nothing if a timer is not where it was locked', async () => {
  await bench.sql`delete from claims`;
  await bench.sql`update timers set next_due = now(), slot = date_trunc('second', now())`;
  const versions = new ScheduleVersionCache(SLOTS, 1e7);
  const query = { room: { live: 3, late: 0, excluded: [] }, scan: new Watermarks(() => 0).begin([]) };
  const claiming = pool.sending(async (sql) => {
    const { now, due, places } = await claimDue(sql, query, versions);
    const decisions = decideAll(due, now ?? Number.NaN);
    const decided = decisions.map((decision, index) => ({
      slot: must(due[index]),
      place: index === 1 ? '(4000000,1)' : must(places[index]),
      decision,
    }));
    const written = writeFired(sql, decided, { claimId: newId(), owner: newId(), leaseMs: 60_000 });
    written.catch(() => undefined);
    return () => written;
  });
  await expect(claiming).rejects.toThrow('only 2 timers are where they were locked');
  expect(await bench.sql`select from claims`).toHaveLength(0);
  expect(await bench.sql`select from timers where next_due <= now()`).toHaveLength(SLOTS);
});

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('fewer slots were claimed than there are');
  return value;
}
