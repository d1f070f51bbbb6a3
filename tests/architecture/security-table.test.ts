import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| (\d+) \|(.*)\|$/gm)].map(([, number, cells]) => ({ number, cells: cells ?? '' }));

it('the table of attacks is whole, and every test that it names exists', () => {
  expect(rows.map(({ number }) => Number(number))).toEqual(Array.from({ length: 134 }, (_, index) => index + 1));
  const named = [...page.matchAll(/`([a-z][a-z0-9/-]*\.test\.ts)`/g)].map(([, path]) => `tests/${path}`);
  expect(named.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url)))).toEqual([]);
});

it('a row without a test says why', () => {
  const silent = rows.filter(({ cells }) => !cells.includes('.test.ts`'));
  expect(silent.filter(({ cells }) => !/\*\*none\*\*|the operator's|not supported/.test(cells))).toEqual([]);
});
