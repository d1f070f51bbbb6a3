import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CRASH_POINTS } from '../../src/domain/crash-point.ts';
import { unreachedPoints } from '../faults/matrix.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const LIST = 'src/domain/crash-point.ts';

describe('the list of crash points', () => {
  it('names each place in the code once, and no other', () => {
    const called = sources()
      .filter((name) => name !== LIST)
      .flatMap((name) => [...read(name).matchAll(/\bcrashPoint\('([^']+)'\)/g)].map(([, point]) => point));
    const inOrder = (names: readonly (string | undefined)[]) => names.map(String).sort((a, b) => a.localeCompare(b));
    expect(inOrder(called)).toEqual(inOrder(CRASH_POINTS));
  });

  it('has a scenario of the fault tests for every point', () => {
    expect(unreachedPoints()).toEqual([]);
  });

  it('is in docs/faults.md', () => {
    const text = read('docs/faults.md');
    expect(CRASH_POINTS.filter((point) => !text.includes(`\`${point}\``))).toEqual([]);
  });
});

describe('a build', () => {
  it('holds no crash point once the build script is through', () => {
    const folder = mkdtempSync(join(tmpdir(), 'scheduler-build-'));
    try {
      for (const name of sources()) {
        const path = join(folder, name.replace(/^src\//, '').replace(/\.ts$/, '.js'));
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, stripTypeScriptTypes(read(name)));
      }
      expect(filesWithCrashPoints(folder).length).toBeGreaterThan(10);
      execFileSync(process.execPath, ['scripts/without-crash-points.mjs', folder], { cwd: root, stdio: 'pipe' });
      expect(filesWithCrashPoints(folder)).toEqual([]);
      expect(globSync('**/*.js', { cwd: folder })).toHaveLength(sources().length - 1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('is what package.json and the image make', () => {
    const made = 'tsc -p tsconfig.build.json && node scripts/without-crash-points.mjs dist';
    expect(read('package.json')).toContain(made);
    expect(read('Dockerfile')).toContain(made);
  });
});

function sources(): readonly string[] {
  return globSync('src/**/*.ts', { cwd: root }).map((name) => name.replaceAll('\\', '/'));
}

function read(name: string): string {
  return readFileSync(join(root, name), 'utf8');
}

function filesWithCrashPoints(folder: string): readonly string[] {
  return globSync('**/*.js', { cwd: folder }).filter((name) =>
    /crash-?point/i.test(`${name} ${readFileSync(join(folder, name), 'utf8')}`),
  );
}
