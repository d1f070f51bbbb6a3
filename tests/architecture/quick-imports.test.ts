import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const QUICK = new URL('../../src/quick-imports.ts', import.meta.url).href;
const ENTRANCES = `Promise.all([import('drizzle-orm'), import('drizzle-orm/pg-core'), import('drizzle-orm/postgres-js')])`;

describe('the doors import drizzle-orm', () => {
  it('with less than a third of the garbage that Node makes of it by itself', () => {
    const allocated = (load: string): number =>
      numberFrom(`
        const before = getHeapStatistics().total_allocated_bytes;
        await ${load};
        console.log(getHeapStatistics().total_allocated_bytes - before);`);
    // Once this fails because Node is frugal by itself, src/quick-imports.ts has done its service.
    expect(allocated(`quickly(() => ${ENTRANCES})`)).toBeLessThan(allocated(ENTRANCES) / 3);
  });

  it('as the very modules that others import', () => {
    const differing = numberFrom(`
      const quick = await quickly(() => ${ENTRANCES});
      const plain = await ${ENTRANCES};
      console.log(quick.filter((module, index) => module !== plain[index]).length);`);
    expect(differing).toBe(0);
  });
});

/** What a program of its own prints. */
function numberFrom(code: string): number {
  const program = `
    import { getHeapStatistics } from 'node:v8';
    import { quickly } from '${QUICK}';
    ${code}`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' }));
}
