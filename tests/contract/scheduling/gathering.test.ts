import { describe, expect, test } from 'vitest';
import { DomainError } from '../../../src/domain/errors.ts';
import type { TenantId } from '../../../src/domain/ids.ts';
import { Gathering } from '../../../src/infra/repo/gathering.ts';
import { codeOf, tenantNamed } from './workbench.ts';

const [ACME, GLOBEX] = [tenantNamed('acme'), tenantNamed('globex')];
const UNDONE = new Error('a statement was refused');
const OUTAGE = new DomainError('UNAVAILABLE', 'the database did not answer');

/** One transaction that was asked for, which ends when the test says so. */
interface Trip {
  readonly tenantId: TenantId;
  readonly questions: readonly number[];
  end(): void;
  fail(error: Error): void;
}

/** A gathering over a database that answers a question with its double, and refuses to answer 13. */
function openGathering(): { readonly gathering: Gathering<number, number>; readonly trips: Trip[] } {
  const trips: Trip[] = [];
  const gathering = new Gathering<number, number>(async (tenantId, questions, mayEnd) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    trips.push({ tenantId, questions, end: resolve, fail: reject });
    await promise;
    mayEnd();
    if (questions.includes(13)) throw UNDONE;
    return questions.map((question) => question * 2);
  });
  return { gathering, trips };
}

/** Lets what has been resolved run on. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function endAll(trips: readonly Trip[]): Promise<void> {
  for (let index = 0; index < trips.length; index += 1) {
    trips[index]?.end();
    await turn();
  }
}

const { signal } = new AbortController();

describe('questions of one tenant', () => {
  test('go out at once while fewer than two are under way, and together after that, each sent after it came', async () => {
    const { gathering, trips } = openGathering();
    const asked = [1, 2, 3, 4, 5].map((question) => gathering.ask(ACME, question, signal));
    expect(trips.map(({ questions }) => questions)).toEqual([[1], [2]]);
    trips[0]?.end();
    await turn();
    expect(trips.map(({ questions }) => questions)).toEqual([[1], [2], [3, 4, 5]]);
    const late = gathering.ask(ACME, 6, signal);
    expect(trips).toHaveLength(3);
    await endAll(trips);
    expect(await Promise.all([...asked, late])).toEqual([2, 4, 6, 8, 10, 12]);
    void gathering.ask(ACME, 7, signal);
    expect(trips.at(-1)?.questions).toEqual([7]);
  });

  test('are at most 64 in a transaction, in the order in which they came', async () => {
    const { gathering, trips } = openGathering();
    const numbers = Array.from({ length: 150 }, (_, index) => index + 100);
    const asked = numbers.map((question) => gathering.ask(ACME, question, signal));
    await endAll(trips);
    expect(await Promise.all(asked)).toEqual(numbers.map((question) => question * 2));
    expect(trips.map(({ questions }) => questions.length)).toEqual([1, 1, 64, 64, 20]);
    expect(trips.flatMap(({ questions }) => questions)).toEqual(numbers);
  });

  test('never share a transaction with another tenant’s', async () => {
    const { gathering, trips } = openGathering();
    const asked = [1, 2, 3, 4, 5, 6, 7, 8].map((question) =>
      gathering.ask(question % 2 === 0 ? ACME : GLOBEX, question, signal),
    );
    await endAll(trips);
    await Promise.all(asked);
    expect(trips.map(({ tenantId, questions }) => [tenantId, questions])).toEqual([
      [GLOBEX, [1]],
      [ACME, [2]],
      [GLOBEX, [3]],
      [ACME, [4]],
      [GLOBEX, [5, 7]],
      [ACME, [6, 8]],
    ]);
  });
});

describe('a transaction that fails', () => {
  test('and is undone fails the bad question alone: each is asked by itself', async () => {
    const { gathering, trips } = openGathering();
    const asked = [1, 2, 3, 13, 4].map((question) => gathering.ask(ACME, question, signal));
    const answers = Promise.allSettled(asked);
    await endAll(trips);
    expect((await answers).map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason))).toEqual([
      2,
      4,
      6,
      UNDONE,
      8,
    ]);
  });

  test('and may have happened fails all of its questions, and none is asked again', async () => {
    const { gathering, trips } = openGathering();
    const asked = [1, 2, 3, 4].map((question) => gathering.ask(ACME, question, signal));
    const codes = Promise.all(asked.map(codeOf));
    trips[0]?.end();
    await turn();
    trips[2]?.fail(OUTAGE);
    trips[1]?.end();
    expect(await codes).toEqual([null, null, 'UNAVAILABLE', 'UNAVAILABLE']);
    expect(trips).toHaveLength(3);
  });
});

describe('a question that was given up', () => {
  test('while it waited is never asked', async () => {
    const { gathering, trips } = openGathering();
    const hasty = new AbortController();
    const asked = [1, 2, 3].map((question) => gathering.ask(ACME, question, signal));
    void gathering.ask(ACME, 4, hasty.signal);
    hasty.abort();
    await endAll(trips);
    await Promise.all(asked);
    expect(trips.map(({ questions }) => questions)).toEqual([[1], [2], [3]]);
  });

  test('while its transaction was under way is undone, and those with it are asked anew', async () => {
    const { gathering, trips } = openGathering();
    const hasty = new AbortController();
    const asked = [1, 2, 3].map((question) => gathering.ask(ACME, question, signal));
    void gathering.ask(ACME, 4, hasty.signal);
    trips[0]?.end();
    await turn();
    hasty.abort();
    await endAll(trips);
    expect(await Promise.all(asked)).toEqual([2, 4, 6]);
    expect(trips.map(({ questions }) => questions)).toEqual([[1], [2], [3, 4], [3]]);
  });
});
