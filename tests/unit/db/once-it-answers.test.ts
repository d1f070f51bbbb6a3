import { expect, test, vi } from 'vitest';
import { onceItAnswers } from '../../../src/infra/db/once-it-answers.ts';

function refused(): Error {
  return Object.assign(new Error('nobody listens'), { code: 'ECONNREFUSED' });
}

test('a database that comes up late is asked again, and its absence is told of once', async () => {
  const ask = vi
    .fn<() => Promise<string>>()
    .mockRejectedValueOnce(refused())
    .mockRejectedValueOnce(refused())
    .mockResolvedValue('here');
  const tell = vi.fn();
  expect(await onceItAnswers(ask, tell)).toBe('here');
  expect([ask.mock.calls.length, tell.mock.calls.length]).toEqual([3, 1]);
});

test('one that never comes up is given up', async () => {
  const ask = vi.fn<() => Promise<string>>().mockRejectedValue(refused());
  await expect(onceItAnswers(ask, () => undefined, 400)).rejects.toThrow('nobody listens');
  expect(ask.mock.calls.length).toBeGreaterThan(1);
});

test('one that answers with a refusal is not asked again', async () => {
  const ask = vi.fn<() => Promise<string>>().mockRejectedValue(new Error('PostgreSQL 15 or later is needed'));
  await expect(onceItAnswers(ask, () => undefined)).rejects.toThrow('PostgreSQL 15');
  expect(ask).toHaveBeenCalledTimes(1);
});
