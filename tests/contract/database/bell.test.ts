import type postgres from 'postgres';
import { expect, test } from 'vitest';
import { connectPool } from '../../../src/infra/db/client.ts';
import { PostgresBell } from '../../../src/infra/messaging/postgres-bell.ts';
import { createTestDatabase } from '../../support/database.ts';
import { Door } from '../../support/door.ts';
import { until } from '../../support/until.ts';

const QUICK = { beatMs: 100, hearMs: 500 };

interface Trial {
  /** A bell that listens through a door, and what it has heard. */
  readonly heard: readonly number[];
  readonly door: Door;
  /** Rings from elsewhere, until `due` is heard. */
  hears(due: number): Promise<void>;
}

async function open(closing: AsyncDisposableStack, state: 'open' | 'shut' = 'open'): Promise<Trial> {
  const database = closing.adopt(await createTestDatabase(), (made) => made.drop());
  const door = closing.use(await Door.to(database.url));
  door.state = state;
  const pool = (url: string) => (): postgres.Sql =>
    connectPool(url, { role: 'scheduler_engine', max: 1, applicationName: 'bell', statementTimeoutMs: 500 });
  const listening = new AbortController();
  const bell = closing.use(new PostgresBell(pool(door.through(database.url)), () => undefined, QUICK));
  const other = closing.use(new PostgresBell(pool(database.url), () => undefined));
  closing.defer(() => listening.abort());
  const heard: number[] = [];
  bell.listen((due) => void heard.push(due), listening.signal);
  const hears = (due: number): Promise<void> =>
    until(`${due} is heard`, () => {
      other.ring(due);
      return heard.includes(due);
    });
  return { heard, door, hears };
}

test('a bell whose connection died without a word dials anew', async () => {
  await using closing = new AsyncDisposableStack();
  const { door, hears, heard } = await open(closing);
  await hears(1);
  door.muteConnected();
  await hears(2);
  expect(heard).toContain(2);
});

test('a bell that could not listen at first does so once it can', async () => {
  await using closing = new AsyncDisposableStack();
  const { door, hears, heard } = await open(closing, 'shut');
  door.state = 'open';
  await hears(1);
  expect(heard).toContain(1);
});

test('a bell that begins to listen tells of something due at once, as it may have missed it; and again after its connection was lost', async () => {
  await using closing = new AsyncDisposableStack();
  const { door, hears, heard } = await open(closing);
  await hears(1);
  expect(heard.filter((due) => due === 0)).toEqual([0]);
  door.muteConnected();
  await until('it listens again', () => heard.filter((due) => due === 0).length === 2);
});

test('a bell hears no beats of its own or of others as rings', async () => {
  await using closing = new AsyncDisposableStack();
  const { hears, heard } = await open(closing);
  await hears(7);
  expect(new Set(heard)).toEqual(new Set([0, 7]));
});
