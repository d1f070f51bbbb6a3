import { expect, test } from 'vitest';
import { arrayLiteral, quotedLiteral } from '../../../src/infra/repo/engine-rows.ts';

test.each([
  [[], '{}'],
  [[7], '{7}'],
  [[null], '{NULL}'],
  [['a', 'b'], '{a,b}'],
  [[1.5, null, Number.POSITIVE_INFINITY], '{1.5,NULL,Infinity}'],
])('%j as PostgreSQL reads arrays', (values, text) => {
  const before = [...values];
  expect(arrayLiteral(values)).toBe(text);
  expect(values).toEqual(before);
});

test('names are quoted, as one may spell NULL', () => {
  expect([[], ['NULL'], ['a', 'b.c']].map(quotedLiteral)).toEqual(['{}', '{"NULL"}', '{"a","b.c"}']);
});
