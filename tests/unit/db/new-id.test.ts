import { validate, version } from 'uuid';
import { expect, test } from 'vitest';
import { newId } from '../../../src/infra/db/new-id.ts';

test('new ids are UUIDs of version 7 that ascend, however many are made at once', () => {
  const ids = Array.from({ length: 2000 }, newId);
  expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids.map((id) => id.slice(24))).size).toBe(ids.length);
});
