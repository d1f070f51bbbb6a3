import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { environmentSchema } from '../../src/config.ts';

const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');

it('.env.example names every variable of config.ts, once, and no other', () => {
  expect(variablesIn(example).toSorted()).toEqual(Object.keys(environmentSchema.shape).toSorted());
});

it('a variable counts whether it is set or shown commented out', () => {
  expect(variablesIn('PORT=3000\n# HOST=127.0.0.1\n#LOG_LEVEL=info\n# prose with an A = b in it\n')).toEqual([
    'PORT',
    'HOST',
    'LOG_LEVEL',
  ]);
});

function variablesIn(text: string): string[] {
  return [...text.matchAll(/^#?\s*([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name ?? '');
}
